package modules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// Lua loads compiled modules from folders for its version, the first file that has a module's name:
//
//	/usr/local/lib/lua/5.1/cjson/safe.so   of LuaRocks; also below lua_modules or .luarocks, and OpenResty's own prefix
//	./cjson.so                             of the working folder
//	LUA_CPATH=/opt/lua/?.so;;              the ;; stands for all others; LUA_CPATH_5_4 is for that version
//
// Before that it looks for a source of the name, share/lua/5.1/cjson/safe.lua. What a distribution's packages bring for its own Lua is passed over.

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
	if strings.Contains(in.At.Real, "/openresty/") {
		told, err := c.luaTold(in)
		if err != nil {
			return nil, err
		}
		given = append(told, given...)
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
		if in.Frame.Dir != "/" {
			list = append(list, in.Frame.Dir)
		}
	}
	return c.There(list)
}

// luaTold are the patterns that OpenResty's configuration gives Lua: lua_package_cpath "/opt/?.so;;";
func (c *Checker) luaTold(in interpreted) (list []string, err error) {
	file, _, err := c.nginxFile(in)
	if err != nil || file == "" {
		return nil, err
	}
	directive := regexp.MustCompile(`(?m)^\s*(lua_package_cpath|include)\s+["']?([^"'\n]*?)["']?\s*;\s*(?:#.*)?$`)
	err = c.included([]string{file}, in.Frame, func(_, text string) (patterns []string) {
		for _, m := range directive.FindAllStringSubmatch(text, -1) {
			if m[1] == "include" {
				patterns = append(patterns, shell.Absolute(path.Dir(file), m[2]))
			} else {
				list = append(list, m[2])
			}
		}
		return patterns
	})
	return list, err
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
	here, err := c.There([]string{in.Frame.Dir})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, folder := range folders {
		patterns, working := []string{"*.so", "*/*.so", "*/*/*.so"}, slices.Contains(here, folder)
		if working { // where libraries of others may lie, too
			patterns = []string{"[^l]*.so", "l[^i]*.so"}
		}
		files, err := c.Tree.Under(folder, patterns...)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(file, folder+"/"), ".so"), "/", ".")
			if seen[name] {
				continue
			}
			seen[name] = true
			if hidden, err := c.luaSource(file, folders, in); err != nil {
				return nil, err
			} else if !hidden {
				m := modules{name: name, files: []string{file}, spare: working}
				if working {
					m.what = path.Base(file)
				}
				list = append(list, m)
			}
		}
	}
	return upTo(maxPackages, list, in.Program, in.At.Name, "modules"), nil
}

// luaSource tells whether Lua finds a source by the name of a module that does not fit: it looks for all of those first.
func (c *Checker) luaSource(file string, folders []string, in interpreted) (bool, error) {
	if what, err := c.compiled(file); err != nil || what.fits {
		return false, err
	}
	var name string
	places := []string{in.Frame.Dir}
	for _, folder := range folders {
		if below, is := strings.CutPrefix(file, folder+"/"); is && name == "" {
			name = strings.TrimSuffix(below, ".so")
		}
		places = append(places, folder, strings.Replace(folder, "/lib/lua/", "/share/lua/", 1))
	}
	for pattern := range strings.SplitSeq(strings.Join(c.Values("LUA_PATH", in.Frame), ";"), ";") {
		if folder, is := strings.CutSuffix(pattern, "?.lua"); is {
			places = append(places, shell.Absolute(in.Frame.Dir, folder))
		}
	}
	found, err := c.FirstFile(in.Frame, inEach(places, name+".lua", name+"/init.lua")...)
	return found != "", err
}
