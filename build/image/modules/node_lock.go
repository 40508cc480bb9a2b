package modules

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/shell"
)

// pnpm, yarn and Bun leave in words which packages need which, in lists whose lines are indented below what they belong to, or in JSON, and lay each
// package down where its name tells:
//
//	pnpm           node_modules/.pnpm/lock.yaml   snapshots: name@1.0.0: dependencies: other: 2.0.0
//	               node_modules/.pnpm             @scope+name@1.0.0/node_modules/@scope/name
//	               ... until 8, 7                 packages: /name@1.0.0: or /name/1.0.0:
//	yarn           yarn.lock                      "name@^1.0.0, name@1": dependencies: other "^2.0.0"
//	Bun            bun.lock                       "a/b": ["b@1.0.0", "", {"dependencies": {"other": "^2.0.0"}}] for b below a's node_modules
//	... isolated   node_modules/.bun              as pnpm's
//	Plug'n'Play    .yarn/unplugged                @scope-name-npm-1.0.0-74b0dea1a6/node_modules/@scope/name, what is no JavaScript alone
//
// One list tells of all packages in one question. It does not tell which ran a script: those may have addons that need what compiles or
// finds some, or packages for one kind of machine.

// maxNested is how deep packages are nested in a list. Real ones have six levels.
const maxNested = 16

// needed is a package that another one needs.
type needed struct {
	id       string // its name, and its version in the words of who needs it: esbuild@^0.28.0
	optional bool
}

// graph is what packages need, by their ids.
type graph map[string][]needed

// readBunGraph reads Bun's list.
func readBunGraph(text string) graph {
	all, list := graph{}, gjson.Get(text, "packages").Map()
	for at, p := range list {
		id := p.Get("0").String()
		for i, kind := range []string{"dependencies", "optionalDependencies"} {
			for _, name := range keys(p.Get("2." + kind)) {
				in := func(at string) string { return strings.TrimPrefix(at+"/"+name, "/") }
				if other, ok := nearest(at, "/", func(at string) bool { return list[in(at)].Exists() }); ok {
					all[id] = append(all[id], needed{list[in(other)].Get("0").String(), i > 0})
				}
			}
		}
	}
	return all
}

// nearest finds the first of the packages that does, from a package's own name in a list upwards to "".
func nearest(at, separator string, does func(at string) bool) (found string, ok bool) {
	for range maxNested {
		if len(at) > maxNested*100 {
			return "", false
		}
		if does(at) {
			return at, true
		}
		if at == "" {
			return "", false
		}
		at = at[:max(0, strings.LastIndex(at, separator))] // half a scope is no package
	}
	return "", false
}

// readGraph reads a list of pnpm's or yarn's.
func readGraph(text string) graph {
	all, spare := graph{}, map[[2]string]bool{}
	type line struct {
		indent int
		key    string
	}
	var above []line
	for row := range strings.Lines(text) {
		body := strings.Trim(row, " \r\n")
		if body == "" || body[0] == '#' {
			continue
		}
		key, value := keyed(body)
		now := line{len(row) - len(strings.TrimLeft(row, " ")), key}
		for len(above) > 0 && above[len(above)-1].indent >= now.indent {
			above = above[:len(above)-1]
		}
		above = append(above, now)
		var up [4]string
		for i := range min(len(up), len(above)) {
			up[i] = above[len(above)-1-i].key
		}
		switch {
		case value == "":
		case up[1] == "dependencies", up[1] == "optionalDependencies":
			all.add(up[2], needed{key + "@" + value, up[1] != "dependencies"})
		case key == "requiresBuild": // pnpm's, until 8
			all.add(up[1], needed{id: "node-gyp@"})
		case key == "optional" && up[2] == "dependenciesMeta": // yarn's, from 2 on
			for _, id := range ids(up[3]) {
				spare[[2]string{id, strings.Trim(up[1], `"'`)}] = true
			}
		}
	}
	for id, needs := range all {
		for i, need := range needs {
			needs[i].optional = need.optional || spare[[2]string{id, NodeName(need.id)}]
		}
	}
	return all
}

// keyed cuts a line into key and value, "" for one that others belong to.
func keyed(body string) (key, value string) {
	const quotes = `"'`
	if block, ok := strings.CutSuffix(body, ":"); ok {
		return block, ""
	}
	if i := strings.IndexByte(body[1:], body[0]) + 1; i > 0 && strings.Contains(quotes, body[:1]) {
		key, value = body[1:i], body[i+1:]
	} else {
		key, value, _ = strings.Cut(body, " ")
	}
	return strings.Trim(strings.TrimSuffix(key, ":"), quotes), strings.Trim(strings.TrimPrefix(value, ":"), " "+quotes)
}

// add takes in what a package needs, by all names that the list has for it.
func (g graph) add(owners string, need needed) {
	for _, id := range ids(owners) {
		g[id] = append(g[id], need)
	}
}

// ids are the names in front of what a list tells of a package.
func ids(key string) (list []string) {
	for id := range strings.SplitSeq(key, ",") {
		id, slashed := strings.CutPrefix(strings.Trim(id, ` "'`), "/")
		scope := 0
		if strings.HasPrefix(id, "@") {
			scope = strings.Index(id, "/") + 1
		}
		if i := strings.IndexAny(id[scope:], "@/") + scope; slashed && i > scope && id[i] == '/' {
			id = id[:i] + "@" + id[i+1:]
		}
		list = append(list, id)
	}
	return list
}

// compiling are the ids of the packages with addons that these names need, directly or not. What may be missing is none of them.
func (g graph) compiling(names map[string]bool) (list []string) {
	seen := map[string]bool{}
	var queue []string
	for _, id := range slices.Sorted(maps.Keys(g)) {
		if names[NodeName(id)] {
			queue = append(queue, id)
		}
	}
	for i := 0; i < len(queue); i++ {
		id := queue[i]
		if seen[id] || strings.Contains(id, "@workspace:") { // which needs what it is developed with
			continue
		}
		seen[id] = true
		if slices.ContainsFunc(g[id], func(need needed) bool { return compiles(NodeName(need.id)) }) {
			list = append(list, id)
		}
		for _, need := range g[id] {
			if !need.optional {
				queue = append(queue, need.id)
			}
		}
	}
	return list
}

// compiles tells whether a package is one that those with addons need.
func compiles(name string) bool {
	return len(machinesIn(name)) > 0 || slices.Contains([]string{"@discordjs/node-pre-gyp", "@mapbox/node-pre-gyp", "bindings", "cmake-js", "cmake-ts", "install-artifact-from-github",
		"nan", "node-addon-api", "node-gyp", "node-gyp-build", "node-gyp-build-optional-packages", "node-pre-gyp", "pkg-prebuilds", "prebuild-install"}, name)
}

// packed says what is not looked at, without a list, of an application whose packages yarn has packed: package.json lead nowhere there.
func (c *Checker) packed(roots []nodePackage) (string, error) {
	for _, root := range roots {
		at, err := c.Tree.At(path.Join(root.dir, ".pnp.cjs"))
		if !errors.Is(err, fs.ErrNotExist) {
			return shell.Show(at.Real) + " leads to packages that were not looked at: no yarn.lock tells of them", err
		}
	}
	return "", nil
}

// lock is a list of a package manager's, and the folders where it has laid packages down.
type lock struct {
	root string
	laid map[string][]string // by name and version as pnpm writes them, or by name as yarn does
	graph
}

// locks reads those lists.
func (c *Checker) locks(roots []nodePackage) (list []lock, err error) {
	for _, root := range roots {
		for _, where := range [][2]string{{"node_modules/.pnpm/lock.yaml", "node_modules/.pnpm"}, {"yarn.lock", ".yarn/unplugged"}, {"bun.lock", "node_modules/.bun"}} {
			text, err := c.Evidence(path.Join(root.dir, where[0]))
			if err != nil {
				return nil, err
			}
			read := readGraph
			if where[0] == "bun.lock" {
				read = readBunGraph
			}
			all := read(text)
			if len(all) == 0 {
				continue
			}
			laid, err := c.laid(path.Join(root.dir, where[1]))
			if err != nil {
				return nil, err
			}
			list = append(list, lock{root.dir, laid, all})
		}
	}
	return list, nil
}

// laid are the folders of packages in that of pnpm or yarn. Behind a version pnpm names what else the package is installed with.
func (c *Checker) laid(store string) (map[string][]string, error) {
	long := regexp.MustCompile(`^(.[^@]*@[^_(+]*)[_(+]|^(.+)-(?:npm|patch|virtual)-`)
	laid := map[string][]string{}
	real, entries, err := c.Tree.Folder(store)
	for _, e := range entries {
		name, folder := e.Name(), path.Join(real, e.Name())
		laid[name] = append(laid[name], folder)
		if m := long.FindStringSubmatch(name); m != nil {
			laid[m[1]+m[2]] = append(laid[m[1]+m[2]], folder)
		}
	}
	return laid, err
}

// lockedBy are the packages with addons that applications need by those lists.
func (c *Checker) lockedBy(locks []lock, roots []nodePackage, in interpreted) (list []nodePackage, err error) {
	names := map[string]bool{}
	for _, root := range roots {
		for _, name := range root.dependencies {
			names[name] = true
		}
	}
	looked := 0
	for _, l := range locks {
		for _, id := range l.compiling(names) {
			if looked++; max(looked, len(list)) > maxPackages {
				in.note("%s has so many packages that not all were looked at", shell.Show(l.root))
				return list[:min(len(list), maxPackages)], nil
			}
			found, err := c.lockedPackage(l, id, in)
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
		}
	}
	return list, nil
}

// lockedPackage finds a package of a list, and those of which it takes the one for its machine. Where they are packed, it has itself no folder.
func (c *Checker) lockedPackage(l lock, id string, in interpreted) (list []nodePackage, err error) {
	p := nodePackage{name: NodeName(id)}
	for _, need := range l.graph[id] {
		if need.optional {
			p.optional = append(p.optional, l.folders(need.id)...)
		}
	}
	p.optional = upTo(maxModules, p.optional, in.Program, id, "optional packages")
	dirs := l.folders(id)
	if len(dirs) == 0 {
		if p.dir, err = NodePackage(c.Tree, p.name, l.root); err == nil && (p.dir != "" || len(p.optional) > 0) {
			list = append(list, p)
		}
		return list, err
	}
	for _, p.dir = range dirs {
		list = append(list, p)
	}
	return list, nil
}

// folders are those that a package is laid down in.
func (l lock) folders(id string) (dirs []string) {
	version, _, _ := strings.Cut(id, "(")
	name := NodeName(id)
	for _, folder := range slices.Concat(l.laid[strings.ReplaceAll(version, "/", "+")], l.laid[strings.ReplaceAll(name, "/", "-")]) {
		dirs = append(dirs, path.Join(folder, "node_modules", name))
	}
	return dirs
}
