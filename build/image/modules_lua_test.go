package image_test

import (
	"testing"

	"github.com/manymage/manymage/build/image"
)

const (
	rocks51 = "/usr/local/lib/lua/5.1/"
	rocks54 = "/usr/local/lib/lua/5.4/"
	resty   = "/usr/local/openresty/"
)

// Each row declares linux/arm64.
var luaChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"no modules", run("lua5.4", "/app.lua"), []entry{text("/usr/local/share/lua/5.4/x.lua", "")}, "verified"},
	{"a right one", run("lua5.4", "/app.lua"), []entry{lib(rocks54+"lfs.so", "arm64")}, "verified"},
	{"a foreign one", run("lua5.4", "/app.lua"), []entry{lib(rocks54+"lfs.so", "amd64")}, "foreign-module:" + rocks54 + "lfs.so"},
	{"... of another version", run("lua5.4", "/app.lua"), []entry{lib(rocks51+"lfs.so", "amd64")}, "verified"},
	{"... in folders", run("lua5.4", "/app.lua"), []entry{lib(rocks54+"socket/core.so", "amd64")}, "foreign-module:" + rocks54 + "socket/core.so"},
	{"... beside a right one of another name", run("lua5.4", "/app.lua"), []entry{lib(rocks54+"socket/core.so", "amd64"), lib(rocks54+"lfs.so", "arm64")}, "foreign-module:" + rocks54 + "socket/core.so"},
	{"... behind a right one", run("lua5.4", "/app.lua").and("WorkingDir", "/app"), []entry{lib("/app/lua_modules/lib/lua/5.4/lfs.so", "arm64"), lib(rocks54+"lfs.so", "amd64")}, "verified"},
	{"... of a Lua without version", run("/opt/bin/lua", "/app.lua"), []entry{elf("/opt/bin/lua", "arm64"), lib("/opt/lib/lua/5.3/lfs.so", "amd64")}, "foreign-module:/opt/lib/lua/5.3/lfs.so"},
	{"... of the user's", run("lua5.4", "/app.lua"), []entry{lib("/root/.luarocks/lib/lua/5.4/lfs.so", "amd64")}, "foreign-module:/root/.luarocks/lib/lua/5.4/lfs.so"},
	{"LuaJIT", run("luajit", "/app.lua"), []entry{lib(rocks51+"lfs.so", "amd64")}, "foreign-module:" + rocks51 + "lfs.so"},
	{"where the environment says", run("lua5.4", "/app.lua").and("Env", []string{"LUA_CPATH=/x/?.so;;"}), []entry{lib("/x/lfs.so", "amd64")}, "foreign-module:/x/lfs.so"},
	{"... some of the files alone", run("lua5.4", "/app.lua").and("Env", []string{"LUA_CPATH=/x/?-arm64.so;/x/?/arm64.so"}), []entry{lib("/x/lfs-amd64.so", "amd64")}, "verified"},
	{"... and there alone", run("lua5.4", "/app.lua").and("Env", []string{"LUA_CPATH_5_4=/x/?.so", "LUA_CPATH=;;"}), []entry{lib(rocks54+"lfs.so", "amd64")}, "verified"},
	{"... where OpenResty's configuration says", run(resty + "bin/openresty"), []entry{text(resty+"nginx/conf/nginx.conf", "events {}\nhttp {\n  include more/*.conf;\n}\n"), text(resty+"nginx/conf/more/x.conf", "lua_package_cpath \"/x/?.so;;\"; # more\n"), lib("/x/lfs.so", "amd64")}, "foreign-module:/x/lfs.so"},
	{"... behind a source of its name", run("lua5.4", "/app.lua"), []entry{text("/usr/local/share/lua/5.4/socket/core.lua", ""), lib(rocks54+"socket/core.so", "amd64")}, "verified"},
	{"... behind that of a folder", run("lua5.4", "/app.lua").and("Env", []string{"LUA_PATH=/x/?.lua"}), []entry{text("/x/lfs/init.lua", ""), lib(rocks54+"lfs.so", "amd64")}, "verified"},
	{"... beside one of another name", run("lua5.4", "/app.lua"), []entry{text("/usr/local/share/lua/5.4/socket.lua", ""), lib(rocks54+"socket/core.so", "amd64")}, "foreign-module:" + rocks54 + "socket/core.so"},
	{"... in OpenResty's folder", run(resty + "bin/openresty"), []entry{text(resty+"lualib/cjson.lua", ""), lib(resty+"lualib/cjson.so", "amd64")}, "verified"},
	{"a library in the working folder", run("lua5.4", "/app.lua").and("WorkingDir", "/app"), []entry{lib("/app/libx.so", "amd64"), lib("/app/sub/x.so", "amd64")}, "verified"},
	{"OpenResty", run(resty + "bin/openresty"), []entry{lib(rocks51+"lfs.so", "amd64")}, "foreign-module:" + rocks51 + "lfs.so"},
	{"... its own", run(resty + "bin/openresty"), []entry{lib(resty+"lualib/cjson.so", "amd64")}, "foreign-module:" + resty + "lualib/cjson.so"},
	{"another nginx", run("/usr/sbin/nginx"), []entry{elf("/usr/sbin/nginx", "arm64"), lib(rocks51+"lfs.so", "amd64")}, "verified"},
	{"a health check in one line", run("/app").and("Healthcheck", test("lua5.4", "-e", "os.exit(0)")), []entry{elf("/app", "arm64"), lib(rocks54+"lfs.so", "amd64")}, "verified"},
}

func TestLuaModules(t *testing.T) {
	for _, check := range luaChecks {
		t.Run(check.name, func(t *testing.T) {
			root := append(check.root, elf("/usr/bin/lua5.4", "arm64"), elf("/usr/bin/luajit", "arm64"), elf(resty+"nginx/sbin/nginx", "arm64"), link(resty+"bin/openresty", resty+"nginx/sbin/nginx"))
			r, err := image.Check(check.config.bytes(), watched{MapFS: rootOf(root...), t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != check.want || len(r.Notes) > 0 {
				t.Errorf("%s, want %s\n%v\nnotes: %q", got, check.want, err, r.Notes)
			}
		})
	}
}

// What lies in the working folder may be a module, or nobody's.
func TestLuaModulesHere(t *testing.T) {
	root := rootOf(elf("/usr/bin/lua5.4", "arm64"), lib("/app/lfs.so", "amd64"), lib("/app/ok.so", "arm64"))
	r, err := image.Check(run("lua5.4", "app.lua").and("WorkingDir", "/app").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) != 1 || r.Notes[0] != "/app has lfs.so for other machines alone: what needs it fails" {
		t.Errorf("%s, notes %q", got, r.Notes)
	}
}
