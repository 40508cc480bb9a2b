package modules

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// isNode tells whether a program is Node, or runs scripts with Node's packages as it does.
func isNode(real string) bool {
	return slices.Contains([]string{"node", "nodejs", "bun", "deno"}, path.Base(real))
}

// nodeValued are the options of both that have a value.
func nodeValued() []string {
	return append(NodePreloadOptions(), "-C", "--conditions", "--env-file", "--title", "--cwd", "--config", "--define", "--port")
}

// nodeLine is the script of a command line, "" where there is none, and what it is given.
func nodeLine(args []string) (script string, given []string) {
	valued := nodeValued()
	o, rest := options.Cut(args, valued...)
	if len(rest) > 0 && slices.Contains([]string{"run", "serve"}, rest[0]) { // of bun and deno
		o, rest = options.Cut(rest[1:], valued...)
	}
	if o.Has("-e", "--eval", "-p", "--print") || len(rest) == 0 {
		return "", nil
	}
	return rest[0], rest[1:]
}

// startsNode tells whether Node is given a script.
func startsNode(args []string) bool {
	script, _ := nodeLine(args)
	return script != ""
}

// nodePath are the node_modules folders, there or not, in which what is run finds its packages.
func (c *Checker) nodePath(in interpreted) (list []string, err error) {
	starts, err := c.nodeStarts(in)
	if err != nil {
		return nil, err
	}
	for _, dir := range starts {
		for ; dir != "/"; dir = path.Dir(dir) {
			list = append(list, path.Join(dir, "node_modules"))
		}
	}
	named, err := c.There(c.FoldersIn("NODE_PATH", in.Frame))
	return slices.Concat(list, named, []string{"/node_modules"}), err
}

// nodeStarts are the folders from which packages are looked for: that of the script and the working folder, in which a package manager
// starts what package.json says. Another tool (pm2-runtime, nodemon) starts a script that it is given.
func (c *Checker) nodeStarts(in interpreted) (starts []string, err error) {
	script, given := nodeLine(in.args)
	dir, err := c.folderOf(shell.Absolute(in.Frame.Dir, script))
	switch {
	case err != nil:
		return nil, err
	case script == "":
	case isManager(dir):
		if told := managed(given); told != "" {
			return c.There([]string{shell.Absolute(in.Frame.Dir, told)})
		}
	case strings.Contains(dir+"/", "/node_modules/"):
		starts = append(starts, dir)
		for _, word := range given {
			if !slices.Contains([]string{".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"}, path.Ext(word)) {
				continue
			}
			if dir, err = c.folderOf(shell.Absolute(in.Frame.Dir, word)); err != nil {
				return nil, err
			}
			starts = append(starts, dir)
		}
	default:
		starts = append(starts, dir)
	}
	loaded, err := c.preloaded(in)
	if err != nil {
		return nil, err
	}
	return c.There(slices.Concat(starts, loaded, []string{in.Frame.Dir}))
}

// preloaded are the folders of the packages that are loaded before a script: node --import tsx, NODE_OPTIONS="-r x/register".
func (c *Checker) preloaded(in interpreted) (folders []string, err error) {
	words := slices.Clone(in.args)
	for _, text := range c.Values("NODE_OPTIONS", in.Frame) {
		words = append(strings.Fields(text), words...)
	}
	o, _ := options.Cut(words, nodeValued()...)
	for _, module := range o.Values(NodePreloadOptions()...) {
		if !shell.Known(in.Frame.Dir+module) || strings.HasPrefix(module, ".") {
			continue
		}
		dir, err := NodePackage(c.Tree, packageOf(module), in.Frame.Dir)
		if err != nil {
			return nil, err
		}
		if dir != "" {
			folders = append(folders, dir)
		}
	}
	return folders, nil
}

// packageOf is the package that a module belongs to: dotenv/config is dotenv's, and @s/x/register @s/x's.
func packageOf(module string) string {
	parts := strings.SplitN(module, "/", 3)
	if strings.HasPrefix(module, "@") {
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return parts[0]
}

// folderOf is where a script lies, which may leave out its .js, or the folder that is run as one.
func (c *Checker) folderOf(script string) (string, error) {
	if !shell.Known(script) {
		return shell.Unknown, nil
	}
	at, err := c.Tree.At(script)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path.Dir(script), nil
	case err == nil && !at.Info.IsDir():
		return path.Dir(at.Real), nil
	}
	return at.Real, err
}

// isManager tells whether a folder is one of npm or its like, which start what the working folder's package.json says.
func isManager(dir string) bool {
	return slices.ContainsFunc([]string{"npm", "corepack", "yarn", "pnpm"}, func(name string) bool { return strings.Contains(dir+"/", "/node_modules/"+name+"/") })
}

// managed is the folder that a package manager is told to work in, "" for where it is.
func managed(args []string) string {
	for i, word := range args {
		option, dir, ok := strings.Cut(word, "=")
		if !slices.Contains(NodeFolderOptions(), option) {
			continue
		}
		if !ok && i+1 < len(args) {
			dir = args[i+1]
		}
		return dir
	}
	return ""
}
