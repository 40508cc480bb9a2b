package image_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

// managers are Node and its package managers as the node images have them, of which yarn is a script of the shell's.
func managers(root fstest.MapFS) {
	busybox("arm64")(root)
	elf("/usr/local/bin/node", "arm64")(root)
	elf("/usr/local/bin/bun", "arm64")(root)
	elf("/usr/local/bin/deno", "arm64")(root)
	link("/usr/local/bin/bunx", "bun")(root)
	for _, name := range []string{"npm", "npx", "pnpm"} {
		exe("/usr/local/lib/node_modules/"+name+"/bin/"+name+".js", "#!/usr/bin/env node\n")(root)
		link("/usr/local/bin/"+name, "../lib/node_modules/"+name+"/bin/"+name+".js")(root)
	}
	link("/usr/bin/env", "/bin/busybox")(root)
	exe("/opt/yarn/bin/yarn", "#!/bin/sh\nexec node /opt/yarn/bin/yarn.js \"$@\"\n")(root)
	link("/usr/local/bin/yarn", "/opt/yarn/bin/yarn")(root)
	text("/opt/yarn/bin/yarn.js", "")(root)
}

// called are the scripts of a package.json: x: ./server.
func called(folder string, lines ...string) entry {
	all := map[string]string{}
	for _, line := range lines {
		name, text, _ := strings.Cut(line, ": ")
		all[name] = text
	}
	return manifest(folder, map[string]any{"scripts": all})
}

// tools are a package with a program that has another name.
func tools(root fstest.MapFS) {
	link("/app/node_modules/.bin/tool", "../tool/bin/tool")(root)
	elf("/app/node_modules/tool/bin/tool", "amd64")(root)
	manifest("/app/node_modules/@s/tools", map[string]any{"bin": map[string]string{"tool": "tool"}})(root)
}

// runners are packages' programs that start others.
func runners(root fstest.MapFS) {
	for _, name := range []string{"run-s", "run-p", "npm-run-all", "concurrently", "cross-env", "cross-env-shell", "env-cmd", "nodemon", "turbo", "nx", "lerna"} {
		exe("/app/node_modules/"+name+"/bin.js", "#!/usr/bin/env node\n")(root)
		link("/app/node_modules/.bin/"+name, "../"+name+"/bin.js")(root)
	}
}

// members are a workspace's packages, of which b alone is for another machine.
func members(patterns ...string) entry {
	return func(root fstest.MapFS) {
		manifest("/app", map[string]any{"workspaces": patterns})(root)
		for name, start := range map[string]string{"a": "/app/fits", "b": "/app/server"} {
			manifest("/app/packages/"+name, map[string]any{"name": "@s/" + name, "scripts": map[string]string{"start": start}})(root)
		}
		elf("/app/packages/b/node_modules/.bin/tool", "amd64")(root)
	}
}

// Each row declares linux/arm64, and works in /app, where server is foreign and fits is not.
var scriptChecks = []struct {
	line string
	root []entry
	want string
}{
	{"npm start", []entry{called("/app", "start: ./server --x")}, "foreign:/app/server"},
	{"npm start", []entry{called("/app", "start: ./fits --x")}, "verified"},
	{"npm start", []entry{called("/app", "start: node main && ./server")}, "foreign:/app/server"},
	{"npm start", []entry{called("/app", "prestart: ./server up", "start: node main")}, "foreign:/app/server"},
	{"npm start", []entry{called("/app", "start: node main", "poststart: ./server")}, "foreign:/app/server"},
	{"npm --ignore-scripts start", []entry{called("/app", "prestart: ./server", "start: ./fits")}, "verified"},
	{"npm start", []entry{called("/app", "start: npm run -s x", "x: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{called("/app", "start: npm start")}, "verified"},
	{"npm start", []entry{runners, called("/app", "start: run-s -s x y", "x: ./fits", "y: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: run-p 'y --port 1'", "y: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: run-s x:*", "x: ./server", "x:a:b: ./server", "y: ./server", "x:a: ./fits")}, "verified"},
	{"npm start", []entry{runners, called("/app", "start: run-s x:*", "x:a: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: npm-run-all x:** -p y", "x:a:b: ./server", "y: ./fits")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: concurrently 'npm:x*'", "xy: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: concurrently pnpm:x", "x: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: cross-env-shell A=b './fits && ./server'")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon -w . --exec './server x' y.ts")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon --exec ./fits y.ts")}, "verified"},
	{"npm start", []entry{runners, called("/app", "start: run-s x:*", "x:\ta\nb: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon --exec sh 'a\tb'"), text("/app/a\tb", "./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon y.ts"), elf("/app/node_modules/.bin/ts-node", "amd64")}, "foreign:/app/node_modules/.bin/ts-node"},
	{"npm start", []entry{runners, called("/app", "start: nodemon y.ts"), text("/app/nodemon.json", `{"execMap":{"ts":"./server"}}`)}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon"), text("/app/nodemon.json", `{"exec":"./server"}`)}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: nodemon --config x.json"), text("/app/x.json", `{"exec":"./server"}`)}, "foreign:/app/server"},
	{"nodemon", []entry{called("/app", "start: ./server"), elf("/bin/nodemon", "arm64")}, "foreign:/app/server"},
	{"nodemon", []entry{manifest("/app", map[string]any{"nodemonConfig": map[string]string{"exec": "./server"}}), elf("/bin/nodemon", "arm64")}, "foreign:/app/server"},
	{"npm start", []entry{called("/app", "other: x"), text("/app/server.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"pnpm --dir sub start", []entry{called("/app/sub", "other: x"), text("/app/sub/server.js", ""), one("bcrypt", script()), lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"corepack yarn@4 start", []entry{elf("/bin/corepack", "arm64"), called("/app", "start: ./server")}, "foreign:/app/server"},
	{"pm2-runtime npm -- start", []entry{pm2, called("/app", "start: ./server")}, "foreign:/app/server"},
	{"pm2-runtime start npm --name x -- run y", []entry{pm2, called("/app", "y: ./server", "start: ./fits")}, "foreign:/app/server"},
	{"pm2-runtime start ./server -i max", []entry{pm2}, "foreign:/app/server, node is given /app/server, which is amd64: if it starts it, it will not run"},
	{"pm2-runtime start x --interpreter ./server", []entry{pm2, text("/app/x", "")}, "foreign:/app/server, node is given /app/server, which is amd64: if it starts it, it will not run"},
	{"pm2-runtime --cwd sub main.js", []entry{pm2, text("/app/sub/main.js", ""), locks("/app/sub/", map[string]map[string]any{"x": script()}), lib("/app/sub/node_modules/x/build/Release/x.node", "amd64")}, "foreign-module:/app/sub/node_modules/x/build/Release/x.node"},
	{"pm2-runtime start", []entry{pm2}, "verified"},
	{"corepack enable", []entry{elf("/bin/corepack", "arm64"), called("/app", "enable: ./server")}, "verified"},
	{"npm start -w @s/b", []entry{members("packages/*")}, "foreign:/app/server"},
	{"npm start -w packages/b", []entry{members("./packages/*")}, "foreign:/app/server"},
	{"npm start -w packages", []entry{members("packages/a", "packages/b")}, "foreign:/app/server"},
	{"npm start --workspaces --if-present", []entry{members("packages/**")}, "foreign:/app/server"},
	{"npm start -w b", []entry{members("**")}, "foreign:/app/server"},
	{"npm start -w b", []entry{members("**/b")}, "foreign:/app/server"},
	{"npm start -w deep", []entry{members("packages/**"), manifest("/app/packages/x/y/deep", map[string]any{"name": "deep", "scripts": map[string]string{"start": "/app/server"}})}, "foreign:/app/server"},
	{"npm start -w deep", []entry{members("**"), manifest("/app/.cache/deep", map[string]any{"name": "deep", "scripts": map[string]string{"start": "/app/server"}})}, "verified"},
	{"npm start -w deep", []entry{members("**"), manifest("/app/node_modules/deep", map[string]any{"name": "deep", "scripts": map[string]string{"start": "/app/server"}})}, "verified"},
	{"npm start --workspaces --if-present", []entry{members("packages/*", "!packages/b")}, "verified"},
	{"npm start --workspaces --if-present", []entry{members("!packages/b", "packages/*")}, "foreign:/app/server"},
	{"npm start --workspace=@s/a", []entry{members("packages/*")}, "verified"},
	{"npm exec -w @s/b tool", []entry{members("packages/*")}, "foreign:/app/packages/b/node_modules/.bin/tool"},
	{"pnpm --filter b... start", []entry{members(), text("/app/pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n")}, "foreign:/app/server"},
	{"pnpm -F @s/* start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"pnpm -r run start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"pnpm --filter ./packages/a start", []entry{members("packages/*")}, "verified"},
	{"pnpm -C packages/a --filter b start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"pnpm -w start", []entry{members("packages/*")}, "verified, pnpm is to start the script start, which no package.json in the image has"},
	{"pnpm -w start", []entry{called("/app", "start: ./server")}, "foreign:/app/server"},
	{"pnpm run -w start", []entry{called("/app", "start: ./server")}, "foreign:/app/server"},
	{"pnpm --filter b start", []entry{members(), text("/app/pnpm-workspace.yaml", "packages: ['x/*', \"packages/*\"] # all\n")}, "foreign:/app/server"},
	{"yarn workspace @s/b start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"yarn workspace @s/b tool", []entry{members("packages/*")}, "foreign:/app/packages/b/node_modules/.bin/tool"},
	{"yarn workspace @s/a start", []entry{members("packages/*")}, "verified"},
	{"yarn workspaces foreach -A run start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"yarn workspaces run start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"bun run --filter @s/b start", []entry{members("packages/*")}, "foreign:/app/server"},
	{"bun exec ./fits;./server", nil, "foreign:/app/server"},
	{"npx turbo run start --filter=b", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx turbo start", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx turbo run start --filter=a", []entry{runners, members("packages/*")}, "verified"},
	{"npx nx run b:start", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx nx start b", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx nx run-many -t start -p a,b", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx nx start a", []entry{runners, members("packages/*")}, "verified"},
	{"npx lerna run start --scope @s/b", []entry{runners, members("packages/*")}, "foreign:/app/server"},
	{"npx lerna bootstrap", []entry{runners, members("packages/*")}, "verified"},
	{"npm start", []entry{runners, called("/app", "start: npm-run-all --parallel x y", "x: ./fits", "y: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: concurrently -n a,b npm:x './fits 1'", "x: ./server")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: concurrently 'npm:x' './server 1'", "x: ./fits")}, "foreign:/app/server"},
	{"npm start", []entry{runners, called("/app", "start: cross-env A=b ./server")}, "foreign:/app/server, node is given /app/server, which is amd64: if it starts it, it will not run"},
	{"npm start", []entry{runners, called("/app", "start: env-cmd -f .env ./server")}, "foreign:/app/server, node is given /app/server, which is amd64: if it starts it, it will not run"},
	{"npm start", []entry{called("/app", "other: ./server")}, "verified, npm is to start the script start, which no package.json in the image has"},
	{"npm run env", []entry{called("/app", "other: ./server")}, "verified"}, // which npm has itself
	{"sh -c cp\t/x/package.json\t/app/;exec\tnpm\tstart", []entry{elf("/bin/cp", "arm64"), called("/app", "other: ./server"), called("/x", "start: ./server")}, "foreign:/app/server"},
	{"sh -c cp\t/x/package.json\t/app/;exec\tnpm\tstart", []entry{elf("/bin/cp", "arm64"), called("/app", "other: ./server"), called("/x", "start: ./fits")}, "verified"},
	{"npm start", []entry{text("/app/package.json", "{")}, "verified, npm is to start the script start, which no package.json in the image has"},
	{"npm start", nil, "verified, npm is to start the script start, which no package.json in the image has"},
	{"npm start", []entry{called("/app", "start: no-such --x")}, "verified, /app/package.json starts no-such, which is not in the image"},
	{"npm start", []entry{called("/app", "start: /opt/no-such --x")}, "verified, /app/package.json starts /opt/no-such, which is not in the image"},
	{"npm start", []entry{called("/app", "start: tool"), link("/app/node_modules/.bin/tool", "../tool/bin/tool"), elf("/app/node_modules/tool/bin/tool", "amd64"), elf("/usr/bin/tool", "arm64")}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npm start", []entry{called("/app", "start: tool --x"), exe("/app/node_modules/.bin/tool", "#!/usr/bin/env node\n")}, "verified"},
	{"npm start", []entry{called("", "start: app/server")}, "foreign:/app/server"},
	{"npm run x -- ./server", []entry{called("/app", "x: nice")}, "foreign:/app/server"},
	{"npm run x", []entry{called("/app", "x: cd sub; ../server")}, "foreign:/app/server"},
	{"npm run", []entry{called("/app", "run: ./server")}, "verified"},
	{"npm install", []entry{called("/app", "install: ./server")}, "verified"},
	{"npm run x --prefix sub", []entry{called("/app/sub", "x: ../server"), called("/app", "x: ./fits")}, "foreign:/app/server"},
	{"npm --prefix=sub start", []entry{called("/app/sub", "start: ../fits"), called("/app", "start: ./server")}, "verified"},
	{"npm start -w sub", []entry{called("/app", "start: ./server")}, "verified"},
	{"yarn start", []entry{called("/app", "start: ./server")}, "foreign:/app/server"},
	{"yarn --cwd sub run x", []entry{called("/app/sub", "x: ../server")}, "foreign:/app/server"},
	{"yarn run x --prefix sub", []entry{called("/app", "x: ./server")}, "foreign:/app/server"},
	{"yarn x", []entry{called("/app", "prex: ./server", "x: ./fits")}, "foreign:/app/server"},
	{"yarn x", []entry{called("/app", "prex: ./server", "x: ./fits"), text("/app/.yarnrc.yml", "")}, "verified"},
	{"yarn x", []entry{manifest("/app", map[string]any{"packageManager": "yarn@4.1.0", "scripts": map[string]string{"prex": "./server", "x": "./fits"}})}, "verified"},
	{"yarn x", []entry{manifest("/app", map[string]any{"packageManager": "yarn@1.22.22", "scripts": map[string]string{"prex": "./server", "x": "./fits"}})}, "foreign:/app/server"},
	{"yarn install", []entry{called("/app", "install: ./server")}, "verified"},
	{"yarn", []entry{called("/app", "start: ./server")}, "verified"},
	{"pnpm start", []entry{called("/app", "start: ./server")}, "foreign:/app/server"},
	{"pnpm --dir sub x", []entry{called("/app/sub", "x: ../server")}, "foreign:/app/server"},
	{"pnpm run x -- ./server", []entry{called("/app", "x: nice")}, "foreign:/app/server"},
	{"node --run x", []entry{called("/app", "x: ./server")}, "foreign:/app/server"},
	{"node --run=x -- ./server", []entry{called("/app", "prex: ./server", "x: nice")}, "foreign:/app/server"},
	{"node --run x", []entry{called("/app", "prex: ./server", "x: ./fits")}, "verified"},
	{"npx tool --x", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx --yes tool@1.2 --x", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx @s/tools --x", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx @s/tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx -p tools -- tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx -c tool\t--x", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npx --prefix sub x", []entry{tools, elf("/app/sub/node_modules/.bin/x", "amd64")}, "foreign:/app/sub/node_modules/.bin/x"},
	{"npx fetched", []entry{tools}, "verified"},
	{"npx tool -w sub", []entry{elf("/app/node_modules/.bin/tool", "arm64")}, "verified"},
	{"npx", nil, "verified"},
	{"npm exec tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npm x -- tool -w sub", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"npm exec -c exec\t./server", nil, "foreign:/app/server"},
	{"npm exec -w sub tool", []entry{tools}, "verified"},
	{"npm run tool", []entry{tools}, "verified, npm is to start the script tool, which no package.json in the image has"},
	{"pnpm exec tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"pnpm exec -c ./fits;\t./server", nil, "foreign:/app/server"},
	{"pnpm dlx tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"pnpm tool", []entry{tools, called("/app", "x: ./fits")}, "foreign:/app/node_modules/tool/bin/tool"},
	{"pnpm tool", []entry{tools, called("/app", "tool: ./fits")}, "verified"},
	{"yarn exec tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"yarn run tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"yarn node server.js", []entry{one("bcrypt", script()), lib(bcrypt, "amd64"), text("/app/server.js", "")}, "foreign-module:" + bcrypt},
	{"yarn --cwd no-such tool", []entry{tools}, "verified"},
	{"bun run x", []entry{called("/app", "prex: ./server", "x: ./fits")}, "foreign:/app/server"},
	{"bun --cwd sub y", []entry{called("/app/sub", "y: ../server")}, "foreign:/app/server"},
	{"bun run --bun tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"bun x tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"bunx --bun tool", []entry{tools}, "foreign:/app/node_modules/tool/bin/tool"},
	{"bun install", []entry{called("/app", "install: ./server")}, "verified"},
	{"bun server.ts", []entry{depends("/app", "bcrypt"), gyp, lib(bcrypt, "amd64"), text("/app/server.ts", "")}, "foreign-module:" + bcrypt},
	{"bun --port 80 run /app/server.ts", []entry{depends("/app", "bcrypt"), gyp, lib(bcrypt, "amd64"), text("/app/server.ts", "")}, "foreign-module:" + bcrypt},
	{"deno run -A --config x server.ts", []entry{depends("/app", "bcrypt"), gyp, lib(bcrypt, "amd64"), text("/app/server.ts", "")}, "foreign-module:" + bcrypt},
	{"deno task x", []entry{text("/app/deno.json", `{"tasks":{"x":"./server"}}`)}, "foreign:/app/server"},
	{"deno task x", []entry{text("/app/deno.json", `{"tasks":{"x":{"command":"./server"}}}`)}, "foreign:/app/server"},
	{"deno task x", []entry{text("/app/deno.jsonc", "// of the server\n{\n\t\"tasks\": { // run in the image\n\t\t\"y\": \"open http://x // it isn't\", \"x\": \"./server\", /* \"x\": */\n\t},\n}\n")}, "foreign:/app/server"},
	{"deno task x", []entry{text("/app/deno.json", `{"tasks":{"x":"./fits"}}`), called("/app", "x: ./server")}, "verified"},
	{"deno task x", []entry{text("/app/deno.json", `{"tasks":{"y":"./fits"}}`), called("/app", "x: ./server")}, "foreign:/app/server"},
	{"deno x", []entry{called("/app", "x: ./server")}, "verified"},
	{"node main --run x", []entry{called("/app", "x: ./server")}, "verified"},
	{"sh -c cd\tsub;exec\tnpm\tstart", []entry{called("/app/sub", "start: ../server")}, "foreign:/app/server"},
}

func TestPackageScripts(t *testing.T) {
	for _, test := range scriptChecks {
		root := rootOf(append(test.root, managers, elf("/app/server", "amd64"), elf("/app/fits", "arm64"), dir("/app/sub"))...)
		r, err := image.Check(run(strings.Split(test.line, " ")...).and("WorkingDir", "/app").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
		if got := strings.Join(append([]string{outcome(t, r, err)}, r.Notes...), ", "); got != test.want {
			t.Errorf("%s\n%s, want %s", test.line, got, test.want)
		}
	}
}

// Of a script whose name is worked out everybody is told, and of what whoever runs the image may name nobody.
func TestScriptsUntold(t *testing.T) {
	const told = "/run works out at run time which script of package.json it starts: that was not followed"
	for line, want := range map[string]string{
		"npm run $(date)":                     told,
		"npm run x-$(date)":                   told,
		"yarn $(date)":                        `/run works out at run time what it starts as "...": that program was not followed`,
		"[ $A ] && npm run $A; npm run start": "",
	} {
		root := append(scripts(exe("/run", "#!/bin/sh\n"+line+"\n")), managers, called("/app", "start: ./fits"), elf("/app/fits", "arm64"))
		r, err := image.Check(run("/run").and("WorkingDir", "/app").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := strings.Join(r.Notes, "\n"); err != nil || got != want {
			t.Errorf("%s: %s, notes %q, want %q", line, outcome(t, r, err), got, want)
		}
	}
}

// A script that nobody wrote is told of where it is surely started, unless a package has a program of its name.
func TestScriptless(t *testing.T) {
	const told = " is to start the script x, which no package.json in the image has"
	for line, want := range map[string]string{
		"npm run x":                      "npm" + told,
		"npm run-script x -- --port 80":  "npm" + told,
		"npm --prefix sub run x":         "npm" + told,
		"yarn run x":                     "yarn" + told,
		"pnpm run x":                     "pnpm" + told,
		"bun run x":                      "bun" + told,
		"node --run x":                   "node" + told,
		"npm run y":                      "npm" + told, // which y starts
		"npm start":                      "npm is to start the script start, which no package.json in the image has",
		"yarn start":                     "yarn is to start the script start, which no package.json in the image has",
		"yarn dev":                       "yarn is to start the script dev, which no package.json in the image has",
		"pnpm serve --port 80":           "pnpm is to start the script serve, which no package.json in the image has",
		"yarn tool":                      "",
		"yarn add x":                     "",
		"deno task x":                    "deno is to start the script x, which no package.json in the image has",
		"sh -c 'npm run x'":              "npm" + told,
		"sh /run.sh npm run x":           "npm" + told,
		"npm run z":                      "npm" + told,
		"npm run x --if-present":         "",
		"yarn run tool":                  "",
		"bun run x.ts":                   "",
		"npm test":                       "",
		"npm --prefix nowhere run x":     "",
		"sh /run.sh [ $A ] && npm run x": "",
	} {
		words := strings.Fields(line)
		more := []entry{managers, runners, dir("/app/sub"), elf("/app/node_modules/.bin/tool", "arm64"), called("/app", "y: npm run x", "z: run-s x")}
		if src, ok := strings.CutPrefix(line, "sh /run.sh "); ok {
			words, more = []string{"sh", "/run.sh"}, append(more, text("/run.sh", src))
		}
		if text, ok := strings.CutPrefix(line, "sh -c "); ok {
			words = []string{"sh", "-c", strings.Trim(text, "'")}
		}
		r, err := image.Check(run(words...).and("WorkingDir", "/app").bytes(), rootOf(more...), platform(t, "arm64"), image.Options{})
		if got := strings.Join(r.Notes, "\n"); err != nil || got != want {
			t.Errorf("%s: %s, notes %q, want %q", line, outcome(t, r, err), got, want)
		}
	}
}
