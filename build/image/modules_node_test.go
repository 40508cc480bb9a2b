package image_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

const app = "/app/node_modules/"

// locks is npm's list of what it has installed: name and fields of each package.
func locks(folder string, packages map[string]map[string]any) entry {
	all := map[string]any{}
	for name, fields := range packages {
		all["node_modules/"+name] = fields
	}
	b, _ := json.Marshal(map[string]any{"lockfileVersion": 3, "packages": all})
	return text(folder+"node_modules/.package-lock.json", string(b))
}

// manifest is a package.json.
func manifest(folder string, fields map[string]any) entry {
	b, _ := json.Marshal(fields)
	return text(folder+"/package.json", string(b))
}

// depends is a package.json of what depends on these.
func depends(folder string, names ...string) entry {
	all := map[string]string{}
	for _, name := range names {
		all[name] = "*"
	}
	return manifest(folder, map[string]any{"dependencies": all})
}

// platformed is a package for one kind of machine, as npm's own registry has them: its cpu, a file and the machine that it is for.
func platformed(name, cpu, file, arch string) entry {
	return func(root fstest.MapFS) {
		manifest(app+name, map[string]any{"cpu": []string{cpu}, "os": []string{"linux"}})(root)
		lib(app+name+"/"+file, arch)(root)
	}
}

// script and its kin are packages as a lock has them.
func script(fields ...string) map[string]any {
	p := map[string]any{"hasInstallScript": true}
	for _, f := range fields {
		p[f] = true
	}
	return p
}

// binary is a package.json that tells node-pre-gyp where to put an addon.
func binary(folder string) map[string]any {
	return map[string]any{"binary": map[string]string{"module_name": "x", "module_path": folder}}
}

func chooses(names ...string) map[string]any {
	all := map[string]string{}
	for _, name := range names {
		all[name] = "*"
	}
	return map[string]any{"optionalDependencies": all}
}

func one(name string, fields map[string]any) entry {
	return locks("/app/", map[string]map[string]any{name: fields})
}

// npm and pm2 are tools that are installed beside Node.
func npm(root fstest.MapFS) { tool("npm", "npm-cli.js")(root) }

func pm2(root fstest.MapFS) { tool("pm2", "pm2-runtime")(root) }

func tool(name, program string) entry {
	return func(root fstest.MapFS) {
		script := "/lib/node_modules/" + name + "/bin/" + program
		exe(script, "#!/usr/local/bin/node\n")(root)
		link("/bin/"+strings.TrimSuffix(program, "-cli.js"), script)(root)
	}
}

// tsx is a tool that needs another one, both there for development.
func tsx(root fstest.MapFS) {
	locks("/app/", map[string]map[string]any{
		"tsx": {"dev": true, "dependencies": map[string]string{"esbuild": "*", "none": "*"}}, "tsx/node_modules/x": {"dev": true},
		"esbuild": {"dev": true, "dependencies": map[string]string{"tsx": "*"}, "optionalDependencies": map[string]string{"@esbuild/linux-x64": "*"}},
	})(root)
	dir(app + "tsx")(root)
	platformed("@esbuild/linux-x64", "x64", "bin/esbuild", "amd64")(root)
}

// gyp is of what has bcrypt compiled.
func gyp(root fstest.MapFS) { text(app+"bcrypt/binding.gyp", "")(root) }

const bcrypt = app + "bcrypt/build/Release/bcrypt.node"

// Each row declares linux/arm64, has a right Node, and runs /app/server.js unless it says otherwise.
var nodeChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	// Truth.
	{"no packages", nil, nil, "verified"},
	{"a right addon", nil, []entry{one("bcrypt", script()), lib(bcrypt, "arm64")}, "verified"},
	{"prebuilds for several machines", nil, []entry{one("ws", script()), lib(app+"ws/prebuilds/linux-x64/ws.node", "amd64"), lib(app+"ws/prebuilds/linux-arm64/ws.node", "arm64")}, "verified"},
	{"... below a system's folder", nil, []entry{one("onnx", script()), lib(app+"onnx/bin/napi-v3/linux/x64/o.node", "amd64"), lib(app+"onnx/bin/napi-v3/linux/arm64/o.node", "arm64"), lib(app+"onnx/bin/napi-v3/darwin/arm64/o.node", "amd64")}, "verified"},
	{"... of which the own one is another's", nil, []entry{one("onnx", script()), lib(app+"onnx/bin/napi-v3/linux/arm64/o.node", "amd64")}, "foreign-module:" + app + "onnx/bin/napi-v3/linux/arm64/o.node"},
	{"prebuilds for others alone, as everywhere", nil, []entry{one("ws", script()), lib(app+"ws/prebuilds/linux-x64/ws.node", "amd64")}, "verified"},
	{"... on macOS and Windows", nil, []entry{one("ws", script()), lib(app+"ws/prebuilds/darwin-arm64/ws.node", "amd64"), lib(app+"ws/prebuilds/win32-arm64/ws.node", "amd64")}, "verified"},
	{"prebuilds for two machines in one folder, and for musl", nil, []entry{one("ws", script()), lib(app+"ws/prebuilds/linux-x64+arm64/ws.node", "arm64"), lib(app+"ws/prebuilds/linuxmusl-x64/ws.node", "amd64")}, "verified"},
	{"what tests left beside what was fetched", nil, []entry{one("better-sqlite3", script()), lib(app+"better-sqlite3/build/Release/better_sqlite3.node", "arm64"), lib(app+"better-sqlite3/build/Release/test_extension.node", "amd64")}, "verified"},
	{"what compiling left", nil, []entry{one("bcrypt", script()), lib(bcrypt, "arm64"), lib(app+"bcrypt/build/Release/obj.target/x.node", "amd64"), lib(app+"bcrypt/build/obj.target/x.node", "amd64"), lib(app+"bcrypt/build/Release/x.so", "amd64")}, "verified"},
	{"esbuild for two machines", nil, []entry{one("esbuild", chooses("@esbuild/linux-x64", "@esbuild/linux-arm64", "@esbuild/win32-x64")), platformed("@esbuild/linux-x64", "x64", "bin/esbuild", "amd64"), platformed("@esbuild/linux-arm64", "arm64", "bin/esbuild", "arm64")}, "verified"},
	{"musl beside glibc", nil, []entry{one("swc", chooses("swc-linux-arm64-gnu", "swc-linux-arm64-musl")), platformed("swc-linux-arm64-gnu", "arm64", "swc.node", "arm64"), platformed("swc-linux-arm64-musl", "arm64", "swc.node", "arm64")}, "verified"},
	{"the host's list over the image's packages", nil, []entry{one("esbuild", chooses("esbuild-x64", "esbuild-arm64")), platformed("esbuild-x64", "x64", "bin/esbuild", "amd64"), platformed("esbuild-arm64", "arm64", "bin/esbuild", "arm64")}, "verified"},
	{"what Next.js has compiled with", nil, []entry{one("next", chooses("@next/swc-linux-x64-gnu")), platformed("@next/swc-linux-x64-gnu", "x64", "next-swc.linux-x64-gnu.node", "amd64")}, "verified"},
	{"... by pnpm", nil, []entry{depends("/app", "next"), manifest(app+"next", chooses("@next/swc-linux-x64-gnu")), platformed("@next/swc-linux-x64-gnu", "x64", "next-swc.linux-x64-gnu.node", "amd64")}, "verified"},
	{"for development", nil, []entry{locks("/app/", map[string]map[string]any{"bcrypt": script("dev"), "x": script("devOptional")}), lib(bcrypt, "amd64"), lib(app+"x/build/Release/x.node", "amd64")}, "verified"},
	{"what may be missing", nil, []entry{one("bcrypt", script("optional")), lib(bcrypt, "amd64")}, "verified"},
	{"a package of a workspace", nil, []entry{one("bcrypt", script("link")), lib(bcrypt, "amd64")}, "verified"},
	{"a package that made nothing", nil, []entry{one("bcrypt", map[string]any{}), lib(bcrypt, "amd64")}, "verified"},
	{"an optional package that is for all", nil, []entry{one("x", chooses("y")), manifest(app+"y", nil), lib(app+"y/y.node", "amd64")}, "verified"},
	{"WebAssembly for the others", nil, []entry{one("x", chooses("x-x64", "x-wasm32-wasi")), platformed("x-x64", "x64", "x.node", "amd64"), manifest(app+"x-wasm32-wasi", map[string]any{"cpu": []string{"wasm32"}})}, "verified"},
	{"a text beside a program for one kind of machine", nil, []entry{one("x", chooses("x-arm64")), platformed("x-arm64", "arm64", "bin/x", "arm64"), exe(app+"x-arm64/a", "#!/bin/sh\n"), text(app+"x-arm64/LICENSE", "")}, "verified"},
	{"Prisma's engines to migrate with, which it fetches anew", nil, []entry{one("@prisma/engines", script()), elf(app+"@prisma/engines/schema-engine-debian-openssl-3.0.x", "amd64")}, "verified"},
	{"esbuild for two machines, installed for one", nil, []entry{locks("/app/", map[string]map[string]any{"esbuild": {"hasInstallScript": true, "optionalDependencies": map[string]string{"esbuild-x64": "*", "esbuild-arm64": "*"}}}), elf(app+"esbuild/bin/esbuild", "amd64"), platformed("esbuild-x64", "x64", "bin/esbuild", "amd64"), platformed("esbuild-arm64", "arm64", "bin/esbuild", "arm64")}, "verified"},
	{"no list of npm that can be read", nil, []entry{text(app+".package-lock.json", "{\"packages\":[1"), lib(bcrypt, "amd64")}, "verified"},
	{"a file in place of a folder", nil, []entry{one("x", script()), text(app+"x/lib/binding", "")}, "verified"},
	{"Node is not run", run("/bin/x"), []entry{elf("/bin/x", "arm64"), one("bcrypt", script()), lib(bcrypt, "amd64")}, "verified"},
	{"another application's", run("node", "/srv/x.js"), []entry{one("bcrypt", script()), lib(bcrypt, "amd64")}, "verified"},
	{"npm's own", run("npm", "start").and("WorkingDir", "/srv"), []entry{npm, depends("/lib/node_modules/npm", "x"), lib("/lib/node_modules/npm/node_modules/x/build/Release/x.node", "amd64")}, "verified"},

	// Lies.
	{"a foreign addon", nil, []entry{one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"Prisma's engine", nil, []entry{lib(app+".prisma/client/libquery_engine-debian-openssl-3.0.x.so.node", "amd64")}, "foreign-module:" + app + ".prisma/client/libquery_engine-debian-openssl-3.0.x.so.node"},
	{"Prisma's engines for several machines", nil, []entry{lib(app+".prisma/client/libquery_engine-debian.so.node", "amd64"), lib(app+".prisma/client/libquery_engine-linux-arm64.so.node", "arm64")}, "verified"},
	{"a foreign addon before right prebuilds", nil, []entry{one("x", script()), lib(app+"x/build/Release/x.node", "amd64"), lib(app+"x/prebuilds/linux-arm64/x.node", "arm64")}, "foreign-module:" + app + "x/build/Release/x.node"},
	{"prebuilds for the right machine that are for another", nil, []entry{one("x", script()), lib(app+"x/prebuilds/linux-arm64/x.node", "amd64")}, "foreign-module:" + app + "x/prebuilds/linux-arm64/x.node"},
	{"... in a folder for each version of Node", nil, []entry{one("deasync", script()), lib(app+"deasync/bin/linux-arm64-node-22/deasync.node", "amd64"), lib(app+"deasync/bin/linux-x64-node-22/deasync.node", "amd64")}, "foreign-module:" + app + "deasync/bin/linux-arm64-node-22/deasync.node"},
	{"an addon where the package says", nil, []entry{one("tfjs", script()), manifest(app+"tfjs", binary("./lib/napi-v{napi_build_version}")), lib(app+"tfjs/lib/napi-v8/tfjs_binding.node", "amd64")}, "foreign-module:" + app + "tfjs/lib/napi-v8/tfjs_binding.node"},
	{"... for each machine", nil, []entry{one("x", script()), manifest(app+"x", binary("bind/{platform}-{arch}/")), lib(app+"x/bind/linux-x64/x.node", "amd64"), lib(app+"x/bind/linux-arm64/x.node", "arm64")}, "verified"},
	{"... outside of it", nil, []entry{one("x", script()), manifest(app+"x", binary("../y")), lib(app+"y/y.node", "amd64")}, "verified"},
	{"... in no folder of its own", nil, []entry{one("x", script()), manifest(app+"x", binary(".")), lib(app+"x/x.node", "amd64")}, "verified"},
	{"a foreign addon of a package in a package", nil, []entry{one("a/node_modules/@s/bcrypt", script()), lib(app+"a/node_modules/@s/bcrypt/lib/binding/napi-v3/bcrypt.node", "amd64")}, "foreign-module:" + app + "a/node_modules/@s/bcrypt/lib/binding/napi-v3/bcrypt.node"},
	{"a foreign addon that was downloaded", nil, []entry{one("x", script()), lib(app+"x/lib/binding/x.node", "amd64")}, "foreign-module:" + app + "x/lib/binding/x.node"},
	{"a macOS addon", nil, []entry{one("bcrypt", script()), text(bcrypt, "\xcf\xfa\xed\xfe\x0c\x00\x00\x01")}, "foreign-module:" + bcrypt},
	{"esbuild for another machine", nil, []entry{one("esbuild", chooses("@esbuild/linux-x64", "@esbuild/linux-arm64")), platformed("@esbuild/linux-x64", "x64", "bin/esbuild", "amd64")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"sharp for another machine", nil, []entry{one("sharp", chooses("@img/sharp-linux-x64", "@img/sharp-libvips-linux-x64")), platformed("@img/sharp-linux-x64", "x64", "lib/sharp.node", "amd64"), platformed("@img/sharp-libvips-linux-x64", "x64", "lib/libvips.so.42", "amd64")}, "foreign-module:" + app + "@img/sharp-libvips-linux-x64/lib/libvips.so.42"},
	{"a program for another machine, beside what tells of it", nil, []entry{one("biome", chooses("@biomejs/cli-linux-x64")), platformed("@biomejs/cli-linux-x64", "x64", "biome", "amd64")}, "foreign-module:" + app + "@biomejs/cli-linux-x64/biome"},
	{"... and deep in its package", nil, []entry{one("sass", chooses("sass-linux-x64")), platformed("sass-linux-x64", "x64", "dart-sass/src/dart", "amd64"), exe(app+"sass-linux-x64/dart-sass/sass", "#!/bin/sh\n")}, "foreign-module:" + app + "sass-linux-x64/dart-sass/src/dart"},
	{"a program that was downloaded", nil, []entry{one("ffmpeg-static", script()), elf(app+"ffmpeg-static/ffmpeg", "amd64")}, "foreign-module:" + app + "ffmpeg-static/ffmpeg"},
	{"... into a folder", nil, []entry{one("@x/gifsicle", script()), elf(app+"@x/gifsicle/vendor/gifsicle", "amd64")}, "foreign-module:" + app + "@x/gifsicle/vendor/gifsicle"},
	{"... by pnpm", nil, []entry{depends("/app", "jq"), manifest(app+"jq", map[string]any{"scripts": map[string]string{"postinstall": "x"}}), elf(app+"jq/bin/jq", "amd64")}, "foreign-module:" + app + "jq/bin/jq"},
	{"swc for another machine", nil, []entry{one("a/node_modules/swc", chooses("swc-x64")), platformed("swc-x64", "x64", "swc.node", "amd64")}, "foreign-module:" + app + "swc-x64/swc.node"},

	// What is started is needed, also where it is there for development alone.
	{"a tool for development", run("node", "/app/node_modules/tsx/cli.mjs", "/app/x.ts"), []entry{tsx, text(app+"tsx/cli.mjs", "")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"... that is not started", nil, []entry{tsx}, "verified"},
	{"... that is loaded before", run("node", "--import", "tsx/esm", "/app/server.js").and("WorkingDir", "/app"), []entry{tsx}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"... as the environment says", nodeConfig(nil).and("WorkingDir", "/app").and("Env", []string{"NODE_OPTIONS=--title x -r tsx"}), []entry{tsx}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"... and is none of a package's", run("node", "-r", "./tsx", "-r", "/tsx", "-r", "none", "-r", "@x", "/app/server.js").and("WorkingDir", "/app"), []entry{tsx}, "verified"},

	// Where Node looks.
	{"beside the script", run("node", "--title", "x", "-r", "dotenv/config", "--inspect", "dist/main.js").and("WorkingDir", "/app"), []entry{text("/app/dist/main.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"beside a script without .js", run("node", "/app/server"), []entry{one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"beside the script behind a link", run("node", "/main.js"), []entry{link("/main.js", "/app/main.js"), text("/app/main.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"a folder as script", run("node", "/app"), []entry{one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"npm start", run("npm", "start").and("WorkingDir", "/app"), []entry{npm, one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"npm --prefix", run("npm", "--prefix", "/app", "start"), []entry{npm, one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"npm's folder is not the working folder", run("npm", "start", "--prefix=/srv").and("WorkingDir", "/app"), []entry{npm, dir("/srv"), one("bcrypt", script()), lib(bcrypt, "amd64")}, "verified"},
	{"pm2-runtime", run("pm2-runtime", "start", "/app/server.js"), []entry{pm2, one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"pm2-runtime with packages of its own", run("pm2-runtime", "x"), []entry{pm2, depends("/lib/node_modules/pm2", "x"), text("/lib/node_modules/pm2/node_modules/x/binding.gyp", ""), lib("/lib/node_modules/pm2/node_modules/x/build/Release/x.node", "amd64")}, "foreign-module:/lib/node_modules/pm2/node_modules/x/build/Release/x.node"},
	{"a package of a workspace, hoisted", run("node", "/app/packages/api/server.js"), []entry{text("/app/packages/api/server.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"... by yarn", run("node", "/app/packages/api/server.js"), []entry{text("/app/packages/api/server.js", ""), depends("/app/packages/api", "bcrypt"), gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"a text of the line", run("node", "-e", "/app/x").and("WorkingDir", "/srv"), []entry{one("bcrypt", script()), lib(bcrypt, "amd64")}, "verified"},
	{"at the root", run("node", "/app/server.js"), []entry{locks("/", map[string]map[string]any{"x": script()}), lib("/node_modules/x/build/Release/x.node", "amd64")}, "foreign-module:/node_modules/x/build/Release/x.node"},
	{"NODE_PATH", run("node", "/app/server.js").and("Env", []string{"NODE_PATH=/x:/opt/node_modules"}), []entry{locks("/opt/", map[string]map[string]any{"x": script()}), lib("/opt/node_modules/x/build/Release/x.node", "amd64")}, "foreign-module:/opt/node_modules/x/build/Release/x.node"},

	{"a health check's folder", run("node", "/srv/x.js").and("Healthcheck", test("node", "/app/hc.js")), []entry{text("/srv/x.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"... that the application looks in, too", run("node", "/app/server.js").and("Healthcheck", test("node", "/app/hc/hc.js")), []entry{text("/app/hc/hc.js", ""), locks("/app/hc/", map[string]map[string]any{"y": script()}), lib("/app/hc/node_modules/y/build/Release/y.node", "amd64")}, "foreign-module:/app/hc/node_modules/y/build/Release/y.node"},
	{"... with a text", run("/x").and("Healthcheck", test("node", "-e", "1")).and("WorkingDir", "/app"), []entry{elf("/x", "arm64"), one("bcrypt", script()), lib(bcrypt, "amd64")}, "verified"},

	// Without npm's list.
	{"what the application depends on", nil, []entry{depends("/app", "bcrypt"), manifest(app+"bcrypt", map[string]any{"scripts": map[string]string{"install": "x"}}), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"what that depends on, and in a circle", nil, []entry{depends("/app", "a", "none", "../x", ""), depends(app+"a", "bcrypt"), depends(app+"bcrypt", "a"), gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"what installs without a script", nil, []entry{depends("/app", "bcrypt"), depends(app + "bcrypt"), lib(bcrypt, "amd64")}, "verified"},
	{"what nobody depends on", nil, []entry{manifest("/app", map[string]any{"devDependencies": map[string]string{"bcrypt": "*"}}), lib(bcrypt, "amd64")}, "verified"},
	{"pnpm", nil, []entry{depends("/app", "esbuild"), link(app+"esbuild", ".pnpm/esbuild@1/node_modules/esbuild"), manifest(app+".pnpm/esbuild@1/node_modules/esbuild", chooses("@esbuild/linux-x64")),
		link(app+".pnpm/esbuild@1/node_modules/@esbuild/linux-x64", "../../../@esbuild+linux-x64@1/node_modules/@esbuild/linux-x64"), platformed(".pnpm/@esbuild+linux-x64@1/node_modules/@esbuild/linux-x64", "x64", "bin/esbuild", "amd64")},
		"foreign-module:" + app + ".pnpm/@esbuild+linux-x64@1/node_modules/@esbuild/linux-x64/bin/esbuild"},
}

func nodeRoot(entries []entry) fstest.MapFS {
	return rootOf(append([]entry{elf("/usr/local/bin/node", "arm64"), text("/app/server.js", "")}, entries...)...)
}

func nodeConfig(c config) config {
	if c == nil {
		return run("node", "/app/server.js")
	}
	return c
}

func TestNodeModules(t *testing.T) {
	for _, test := range nodeChecks {
		t.Run(test.name, func(t *testing.T) {
			r, err := image.Check(nodeConfig(test.config).bytes(), watched{MapFS: nodeRoot(test.root), t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

// A package brings the same addons wherever it is installed. That there is none for this machine is told where Linux was thought of.
func TestPrebuildsForOthersAreTold(t *testing.T) {
	for folder, want := range map[string]string{
		"prebuilds/linux-x64/x.node fallback.js": "[]", // bufferutil
		"prebuilds/linux-x64/x.node":             "[" + app + "x/prebuilds has addons for other machines alone, and none was compiled: what needs one fails]",
		"bin/napi-v3/linux/x64/x.node":           "[" + app + "x/bin/napi-v3/linux has addons for other machines alone, and none was compiled: what needs one fails]",
		"bin/alpine-x64-115/x.node":              "[" + app + "x/bin has addons for other machines alone, and none was compiled: what needs one fails]",
		"bin/linux-x64/x":                        "[]",
		"prebuilds/win32-x64/x.node":             "[]",
	} {
		entries := []entry{one("x", script())}
		for file := range strings.FieldsSeq(folder) {
			entries = append(entries, lib(app+"x/"+file, "amd64"))
		}
		r, err := image.Check(nodeConfig(nil).bytes(), nodeRoot(entries), platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != "verified" || fmt.Sprint(r.Notes) != want {
			t.Errorf("%s: %s, %q, want %s", folder, got, r.Notes, want)
		}
	}
}

// Where only package.json tell of each other, so many are looked at, and more are told of.
func TestManyNodePackages(t *testing.T) {
	var names []string
	var entries []entry
	for i := range 65 {
		name := fmt.Sprintf("x%02d", i)
		names = append(names, name)
		entries = append(entries, depends(app+name), lib(app+name+"/build/Release/x.node", "arm64"))
	}
	for count, note := range map[int]bool{64: false, 65: true} {
		root := nodeRoot(append(entries, depends("/app", names[:count]...)))
		r, err := image.Check(nodeConfig(nil).bytes(), root, platform(t, "arm64"), image.Options{})
		told := strings.Contains(strings.Join(r.Notes, "\n"), "/app/package.json leads to so many packages that not all were looked at")
		if got := outcome(t, r, err); got != "verified" || told != note {
			t.Errorf("%d packages: %s, %q", count, got, r.Notes)
		}
	}
	all := map[string]map[string]any{}
	for i := range 1001 {
		all[fmt.Sprintf("y%d", i)] = script()
	}
	r, err := image.Check(nodeConfig(nil).bytes(), nodeRoot([]entry{locks("/app/", all)}), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) != 1 {
		t.Errorf("%s, %q", got, r.Notes)
	}
}

// Of a package that has nothing compiled its folder and package.json are enough, whatever else is in it.
func TestNodePackagesCostFewRequests(t *testing.T) {
	asked := func(packages int) int {
		var names []string
		var entries []entry
		for i := range packages {
			name := fmt.Sprintf("x%d", i)
			names = append(names, name)
			entries = append(entries, depends(app+name), text(app+name+"/lib/x.js", ""), text(app+name+"/build/x.js", ""))
		}
		r := requests{nodeRoot(append(entries, depends("/app", names...))), &sync.Mutex{}, map[string]bool{}, new(int)}
		if _, err := image.Check(nodeConfig(nil).bytes(), r, platform(t, "arm64"), image.Options{}); err != nil {
			t.Error(err)
		}
		return len(r.listed) + *r.read
	}
	if got, want := asked(11)-asked(1), 10*2; got != want {
		t.Errorf("%d requests for 10 packages, want %d", got, want)
	}
}

// A list is read to its end, or that it was not is told.
func TestLongPackageLists(t *testing.T) {
	for size, want := range map[int]string{5 << 20: "foreign-module:" + bcrypt, 17 << 20: "verified, [/app/node_modules/.package-lock.json is so long that not all of it was read]"} {
		lock := fmt.Sprintf(`{"packages":{"node_modules/a":{"license":"%s"},"node_modules/bcrypt":{"hasInstallScript":true}}}`, strings.Repeat("x", size))
		r, err := image.Check(nodeConfig(nil).bytes(), nodeRoot([]entry{text(app+".package-lock.json", lock), lib(bcrypt, "amd64")}), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 {
			got += fmt.Sprintf(", %s", r.Notes)
		}
		if got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
}

// FuzzPackageLists holds that nothing that is written down about packages makes addons for the right machine a fault, or fails the check.
func FuzzPackageLists(f *testing.F) {
	f.Add(`{"packages":{"node_modules/x":{"hasInstallScript":true,"optionalDependencies":{"y":"*"}}}}`, `{"cpu":["x64"]}`, true, "server.js")
	f.Add(`{"packages":{"":{},"../../x":{"hasInstallScript":1},"/":{"optionalDependencies":["y"]}}}`, `{"cpu":"x64","dependencies":{"x":1,"../x":1,"\u0000":1}}`, true, "-e")
	f.Add(`{"packages":`, `{"dependencies":{"y":{}},"optionalDependencies":{".":1,"/":1,"y":1}}`, false, "--")
	f.Fuzz(func(t *testing.T, lock, described string, locked bool, option string) {
		entries := []entry{text("/app/package.json", described), text(app+"x/package.json", described), text(app+"y/package.json", described),
			lib(app+"x/build/Release/x.node", "arm64"), lib(app+"x/lib/binding/a/x.node", "arm64"), lib(app+"y/y.node", "arm64"), text(app+"y/bin/z", described)}
		if locked {
			entries = append(entries, text(app+".package-lock.json", lock))
		}
		root := watched{MapFS: nodeRoot(entries), t: t}
		r, err := image.Check(run("node", option, "x").and("WorkingDir", "/app").bytes(), root, platform(t, "arm64"), image.Options{})
		if err != nil || r.Verdict != image.Verified {
			t.Errorf("%s, %v", r.Verdict, err)
		}
	})
}

// The cure is one that helps: what was compiled can only be so for its platform, what was chosen can be chosen otherwise.
func TestForeignAddonIsTold(t *testing.T) {
	_, err := image.Check(nodeConfig(nil).bytes(), nodeRoot([]entry{one("esbuild", chooses("@esbuild/x")), platformed("@esbuild/x", "x64", "bin/esbuild", "amd64")}), platform(t, "arm64"), image.Options{})
	want := "install it in a stage for linux/arm64, or with npm's --os and --cpu, or allow it"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("says\n%v\nwant\n%s", err, want)
	}
	file := app + "a/node_modules/@s/bcrypt/build/Release/b.node"
	root := nodeRoot([]entry{one("a/node_modules/@s/bcrypt", script()), lib(file, "amd64")})
	_, err = image.Check(nodeConfig(nil).bytes(), root, platform(t, "arm64"), image.Options{})
	want = file + " is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64, and /usr/local/bin/node finds no other module of @s/bcrypt: " +
		"install it in a stage for linux/arm64, or allow it with ALLOW_FOREIGN=" + file
	if err == nil || err.Error() != want {
		t.Errorf("says\n%v\nwant\n%s", err, want)
	}
}
