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
	for _, name := range []string{"npm", "pnpm"} {
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
	{"npm start", []entry{called("/app", "other: ./server")}, "verified"},
	{"npm start", []entry{text("/app/package.json", "{")}, "verified"},
	{"npm start", nil, "verified"},
	{"npm start", []entry{called("/app", "start: no-such --x")}, "verified"},
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
