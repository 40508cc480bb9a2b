package modules

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// Lua loads compiled modules from folders for its version, the first file that has a module's name:
//
//	/usr/local/lib/lua/5.1/cjson/safe.so   of LuaRocks; also below lua_modules or .luarocks, and OpenResty's own prefix
//	LUA_CPATH=/opt/lua/?.so;;              the ;; stands for all others; LUA_CPATH_5_4 is for that version
//
// What a distribution's packages bring for its own Lua is passed over.

// luaVersion is that of a program that is Lua, "*" where its name does not tell; is is false for any other. LuaJIT and OpenResty are 5.1.
func luaVersion(real string) (version string, is bool) {
	name := path.Base(real)
	if strings.HasPrefix(name, "luajit") || strings.Contains(real, "/openresty/") && slices.Contains([]string{"nginx", "openresty"}, name) {
		return "5.1", true
	}
	if version, is = strings.CutPrefix(name, "lua"); version == "" {
		return "*", is
	}
	return version, is && strings.Trim(version, "0123456789.") == ""
}

func isLua(real string) bool {
	_, is := luaVersion(real)
	return is
}

// startsLua tells whether Lua is given a script.
func startsLua(args []string) bool {
	_, rest := options.Cut(args, "-e", "-l")
	return len(rest) > 0
}

// luaPath are the folders that are there in which Lua looks, in its order.
func (c *Checker) luaPath(in interpreted) (list []string, err error) {
	version, _ := luaVersion(in.At.Real)
	given := c.Values("LUA_CPATH_"+strings.ReplaceAll(version, ".", "_"), in.Frame)
	if len(given) == 0 {
		given = c.Values("LUA_CPATH", in.Frame)
	}
	all := len(given) == 0
	for pattern := range strings.SplitSeq(strings.Join(given, ";"), ";") {
		folder, some := strings.CutSuffix(pattern, "?.so") // others mean some of the files there alone
		if all = all || pattern == ""; some && folder != "" && !strings.Contains(folder, "?") {
			list = append(list, shell.Absolute(in.Frame.Dir, folder))
		}
	}
	if all {
		own, err := c.luaTrees(version, in)
		if err != nil {
			return nil, err
		}
		list = append(list, own...)
	}
	return c.There(list)
}

// luaTrees are the folders that need not be named: OpenResty's, those of Lua's own prefix, and of LuaRocks for a project or a user.
func (c *Checker) luaTrees(version string, in interpreted) (list []string, err error) {
	prefix := path.Dir(path.Dir(in.At.Real))
	if before, _, is := strings.Cut(in.At.Real, "/openresty/"); is {
		list = append(list, before+"/openresty/site/lualib", before+"/openresty/lualib")
		prefix = "/usr/local"
	} else if prefix == "/usr" {
		prefix = "/usr/local"
	}
	trees := []string{shell.Absolute(in.Frame.Dir, "lua_modules"), prefix}
	for _, home := range c.Homes(in.Frame) {
		trees = append(trees, home+"/.luarocks")
	}
	for _, tree := range trees {
		if !shell.Known(tree) {
			continue
		}
		some, err := c.Tree.Under(tree+"/lib/lua", version)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// luaModules are those in these folders, of each name the first.
func (c *Checker) luaModules(folders []string, in interpreted) (list []modules, err error) {
	seen := map[string]bool{}
	for _, folder := range folders {
		files, err := c.Tree.Under(folder, "*.so", "*/*.so", "*/*/*.so")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(file, folder+"/"), ".so"), "/", ".")
			if !seen[name] {
				seen[name] = true
				list = append(list, modules{name: name, files: []string{file}})
			}
		}
	}
	return upTo(maxPackages, list, in.Program, in.At.Name, "modules"), nil
}
