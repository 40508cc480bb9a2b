package modules

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// .NET is told in App.deps.json which native libraries an application has: those of a publish for one runtime identifier, beside App.dll, and
// those of a portable one, of which the host takes for each package the ones for the nearest identifier:
//
//	"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64"}
//	"targets": {that name: {"SkiaSharp.NativeAssets.Linux/2.88.8": {
//	    "native":         {"libSkiaSharp.so": {}}
//	    "runtimeTargets": {"runtimes/linux-arm64/native/libSkiaSharp.so": {"rid": "linux-arm64", "assetType": "native"}}}}}

// isDotnet is true of any program, which may be an application's own host: that only what lies beside it tells.
func isDotnet(string) bool { return true }

func startsDotnet([]string) bool { return true }

// dotnetApp is what the program starts: the .dll that dotnet is given, or the one that an application's own host has beside it.
func (c *Checker) dotnetApp(in interpreted) ([]string, error) {
	app := in.At.Real + ".dll"
	if path.Base(in.At.Real) == "dotnet" {
		app = shell.Absolute(in.Frame.Dir, dotnetLine(in.args))
	}
	if !shell.Known(app) {
		return nil, nil
	}
	at, ok, err := c.Tree.Regular(app)
	if !ok {
		return nil, err
	}
	return []string{at.Real}, nil
}

// dotnetLine is the application of a command line of dotnet, "" for a command of its own.
func dotnetLine(args []string) string {
	valued := []string{"--additionalprobingpath", "--additional-deps", "--depsfile", "--fx-version", "--roll-forward", "--roll-forward-on-no-candidate-fx", "--runtimeconfig"}
	_, rest := options.Cut(args, valued...)
	if len(rest) > 0 && rest[0] == "exec" {
		_, rest = options.Cut(rest[1:], valued...)
	}
	if len(rest) == 0 || !strings.EqualFold(path.Ext(rest[0]), ".dll") {
		return ""
	}
	return rest[0]
}

// identifiers are those that the host takes libraries for, the nearest first: linux-musl-arm64, linux-musl, linux-arm64, linux.
func (c *Checker) identifiers(in interpreted) (list []string, err error) {
	machine := c.Declared.Architecture
	if short := map[string]string{"amd64": "x64", "386": "x86"}[machine]; short != "" {
		machine = short
	}
	host, err := c.Tree.Read(in.At.Real, in.At.Info)
	for _, system := range []string{"linux-musl", "linux", "unix"} {
		if system != "linux-musl" || strings.Contains(host.ELF.Interp, "musl") {
			list = append(list, system+"-"+machine, system)
		}
	}
	return append(list, "any"), err
}

// asset is a native library of a package.
type asset struct {
	owner, file string // as the application's deps.json has them
	rank        int    // of the identifier that it is for, the nearest first; -1 for another machine's
	everywhere  bool   // the same wherever it is published, whatever machine the package has made it for
}

// assets are the libraries for Linux in a deps.json. Of what a package has for several identifiers the nearest one's are those that the host
// takes, and the others' are another machine's to it.
func (c *Checker) assets(text string, ids []string) (list []asset) {
	name := gjson.Get(text, "runtimeTarget.name").String()
	_, id, _ := strings.Cut(name, "/")
	here := slices.Contains(machinesIn(id), c.Declared.Architecture)
	gjson.Get(text, "targets").Map()[name].ForEach(func(owner, p gjson.Result) bool {
		for _, file := range keys(p.Get("native")) {
			list = append(list, asset{owner: owner.String(), file: file, everywhere: here && !strings.HasPrefix(owner.String(), "runtimepack.")})
		}
		best, first := len(ids), len(list)
		p.Get("runtimeTargets").ForEach(func(file, a gjson.Result) bool {
			if a.Get("assetType").String() == "native" {
				id := a.Get("rid").String()
				rank := c.nearness(id, ids)
				list = append(list, asset{owner.String(), file.String(), rank, len(machinesIn(id)) == 0})
				if rank >= 0 {
					best = min(best, rank)
				}
			}
			return true
		})
		for i := range list[first:] {
			if a := &list[first+i]; a.rank != best {
				a.rank = -1
			}
		}
		return true
	})
	return slices.DeleteFunc(list, func(a asset) bool { return !isLibrary(a.file) })
}

// nearness is the place of an identifier among the host's, -1 for another machine's. Those of distributions, which older hosts know, come last.
func (c *Checker) nearness(id string, ids []string) int {
	if i := slices.Index(ids, id); i >= 0 || !slices.Contains(machinesIn(id), c.Declared.Architecture) || strings.Contains(id, "android") {
		return i
	}
	return len(ids)
}

// dotnetLibraries are the native libraries that an application may load, by their names: one that fits is enough, whichever package has it.
// That a publish for any machine, or for this one, has one for other machines alone is worth a note: it is the same wherever it is made, and may
// not need it. Packages have such a library for identifiers that name no machine, too (runtimes/linux/native/libmongocrypt.so).
func (c *Checker) dotnetLibraries(apps []string, in interpreted) (list []modules, err error) {
	if len(apps) == 0 {
		return nil, nil
	}
	ids, err := c.identifiers(in)
	if err != nil {
		return nil, err
	}
	if err := c.judgeCode(apps[0], ids[0], in); err != nil {
		return nil, err
	}
	if err := c.profiler(in); err != nil {
		return nil, err
	}
	app := strings.TrimSuffix(apps[0], path.Ext(apps[0]))
	text, err := c.Evidence(app + ".deps.json")
	if err != nil {
		return nil, err
	}
	all := map[string][]asset{}
	for _, a := range c.assets(text, ids) {
		all[path.Base(a.file)] = append(all[path.Base(a.file)], a)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m, stray := modules{what: name, also: ", or publish it with -r " + ids[0], spare: true}, ""
		for _, a := range all[name] {
			file := path.Join(path.Dir(app), a.file)
			if a.rank < 0 {
				stray = file
				continue
			}
			m.name, m.files, m.spare = a.owner, append(m.files, file, path.Join(path.Dir(app), name)), m.spare && a.everywhere
		}
		if len(m.files) > 0 {
			list = append(list, m)
			continue
		}
		if _, there, err := c.Tree.Regular(stray); err != nil {
			return nil, err
		} else if there {
			in.note("%s has %s for other machines alone: what needs it fails", shell.Show(path.Dir(app)), shell.Show(name))
		}
	}
	return upTo(maxPackages, list, in.Program, app, "libraries"), nil
}

// profiler tells of one that the environment has .NET load, which agents for tracing are, and that it cannot: it goes on without. The variable
// for the machine counts before those for more.
func (c *Checker) profiler(in interpreted) error {
	if !slices.Contains(c.Values("CORECLR_ENABLE_PROFILING", in.Frame), "1") {
		return nil
	}
	for _, machine := range []string{"_" + strings.ToUpper(c.Declared.Architecture), "_" + shell.Bits(c.Declared), ""} {
		if set, err := c.loads("CORECLR_PROFILER_PATH"+machine, in.Program); set || err != nil {
			return err
		}
	}
	return nil
}
