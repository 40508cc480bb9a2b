package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What supervisord starts is read from its configuration as it reads that itself.
func TestSupervisorConfiguration(t *testing.T) {
	const cut = "/etc/s.conf was followed only in part: it is longer than 64 KiB"
	for _, test := range []struct{ option, text, want string }{
		{"-c /etc/s.conf", "[program:b]\ncommand: /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\nCommand = /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=\n  /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=sh -c \"\n  cd /app\n\n  exec ./server\n  \"\n", server},
		{"-c /etc/s.conf", "[program:b]\r\ncommand=starter\r\n  --\r\n  /app/server\r\n", server},
		{"-c /etc/s.conf", "  [program:b]\n  command=starter ; x\n  ; x\n    -- /app/server\n", server},
		{"-c /etc/s.conf", "[include]\nfiles=\n  /x/a.conf\n  /etc/more\n", server},
		{"-c /etc/s.conf", "[include]\nfiles=%(here)s/more\n", server},
		{"-c /etc/s.conf", "[include]\nfiles=%(ENV_APP)s/conf.d/*\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=%(here)s/../app/server\n", server},
		{"-c /etc/s.conf", "[program:server]\ncommand=/app/%(program_name)s\n", server},
		{"--user root --configuration /etc/s.conf", "[program:b]\ncommand=/app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\n  environment=A=1\n  command=/app/server\n", server},
		{"-c/etc/s.conf", "[program:b]\ncommand=/app/server\n", server},
		{"-nc /etc/s.conf", "[program:b]\ncommand=/app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\nenvironment=A=\"x,y\",PATH=\"/app:%(ENV_PATH)s\"\ncommand=server\n", server},
		{"-c /etc/s.conf", "[program:b]\nenvironment = PATH = '/app'\ncommand=server\n", server},
		{"-c /etc/s.conf", "[program:b]\nenvironment=PATH=/nowhere:%(ENV_PATH)s\ncommand=starter -- /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=server\n[supervisord]\nenvironment=PATH=/app\n", server},
		{"-c /etc/s.conf", "[supervisord]\nenvironment=A=/app\n[program:b]\ncommand=%(ENV_A)s/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ndirectory=/app\ncommand=sh -c ./server\n", server},
		{"-c /etc/s.conf", "[program:b]\nenvironment=PATH=/app\n[program:c]\ncommand=server\n", "/etc/s.conf starts server, which is not in the image"},
		{"-c /etc/s.conf", "[program:b]\nenvironment=PATH=/bin:/app\ncommand=starter\n", "verified"},
		{"-c /etc/s.conf", "[program:b]\ncommand=starter ; was -- /app/server\n", "verified"},
		{"-c /etc/s.conf", "[program:b]\ncommand=starter # was -- /app/server\n", "verified"},
		{"-c /etc/s.conf", "[program:b]\nenvironment=A=1,\n  command=/app/server\n", "verified"},
		{"-c /etc/s.conf", "[include]\nfiles=*.conf s.conf\n" + strings.Repeat("[program:b]\ncommand=/bin/starter\n", 100), "verified"},
		{"-c /etc/s.conf", strings.Repeat("# padding\n", 7000) + "[program:b]\ncommand=/app/server\n", cut},
	} {
		root := scripts(elf("/bin/starter", "arm64"), exe("/bin/supervisord", "#!/bin/starter\n"), text("/etc/s.conf", "[program:a]\ncommand=/bin/starter\n"+test.text), text("/etc/more", "[program:c]\ncommand=/app/server\n"), text("/app/conf.d/c", "[program:c]\ncommand=%(here)s/../server\n"))
		r, err := image.Check(run(append([]string{"supervisord"}, strings.Fields(test.option)...)...).and("Env", []string{"APP=/app"}).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil {
			got = strings.Join(r.Notes, "\n")
		}
		if got != test.want {
			t.Errorf("%s\n%s\n%s, want %s", test.option, test.text[max(0, len(test.text)-100):], got, test.want)
		}
	}
}

// What pm2 starts is read from its configuration, as far as that says it outright.
func TestPM2Configuration(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"e.config.js", "module.exports = {\n  apps: [{ name: 'web', script: './server.js', env: { NODE_ENV: \"production\" }, cwd: '/app' }],\n}\n", "foreign-module:" + bcrypt},
		{"e.config.cjs", "const one = { cwd: \"/app\", /* cwd: '/srv' */ script: \"server.js\", // cwd: '/srv'\n };\nmodule.exports = { apps: [one] };", "foreign-module:" + bcrypt},
		{"e.json", `{"apps": [{"script": "/srv/a.js"}, {"script": "server.js", "cwd": "/app"}]}`, "foreign-module:" + bcrypt},
		{"e.json", `{"script": "npm", "args": "run start", "cwd": "/app"}`, "foreign-module:" + bcrypt},
		{"e.config.js", "module.exports = { apps: [{ script: 'server.js', cwd: '/app', interpreter: '/app/tool' }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: '/app/tool', interpreter: 'none' }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: '/app/tool' }] }", "foreign:/app/tool"},
		{"app/e.config.js", "module.exports = { apps: [{ script: './tool', cwd: __dirname }] }", "foreign:/app/tool foreign-module:" + bcrypt},
		{"e.config.js", "module.exports = { apps: [{ script: 'server.js', cwd: '/srv' }] }", "verified"},
		{"e.config.js", "module.exports = { apps: [{ cwd: '/app' }, { script: 'server.js' }] }", "verified"},
		{"e.config.js", "module.exports = { apps: [{ script: process.env.X || '/app/tool' }] }}", "verified"},
		{"e.config.js", "module.exports = { apps: [{ url: 'x {', note: \"script: '/app/tool'\" }] }", "verified"},
		{"e.config.js", "module.exports = { apps: [{ list: ['}', \"script: '/app/tool'\"] }] }", "verified"},
		{"e.config.js", "module.exports = { apps: [{ script: 'env', args: '/app/tool' }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: 'env', args: [\n  'A=b',\n  '/app/tool',\n] }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: '/bin/sh', interpreter: 'none', args: ['-c', \"cd /app; ./tool\"] }] }", "foreign:/app/tool"},
		{"e.json", `{"script": "/bin/sh", "interpreter": "none", "args": "-c 'cd /app; ./tool'"}`, "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: 'env', args: ['A=b', tool] }, { args: ['/app/tool'] }] }", "verified"},
		{"e.config.js", "module.exports = { apps: [{ script: 'npm run start', cwd: '/app' }] }", "foreign-module:" + bcrypt},
		{"e.config.js", "module.exports = { apps: [{ script: './tool --port 80', cwd: '/app' }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: 'tool', cwd: '/app' }] }", "foreign:/app/tool"},
		{"e.config.js", "module.exports = { apps: [{ script: 'bin/www', cwd: '/app' }] }", "foreign-module:" + bcrypt},
		{"e.config.js", "module.exports = { apps: [{ script: './dist/' + name, cwd: '/app' }] }", "verified"},
		{"e.config.mjs", "export default { apps: [{ script: 'server.js', cwd: '/app' }] }", "foreign-module:" + bcrypt},
		{"none.config.js", "", "verified"},
		{"e.yml", "apps:\n  - name: web # x\n    script: ./server.js # y\n    cwd: '/app'\n    env:\n      cwd: /srv\n", "foreign-module:" + bcrypt},
		{"e.yaml", "apps:\n- script: /srv/a.js\n- script: \"tool\"\n  interpreter: none\n  cwd: /app\n", "foreign:/app/tool"},
		{"e.yml", "apps:\n  -\n    name: web\n    script: tool\n    cwd: /app\n    interpreter: none\n    env:\n      script: x\n", "foreign:/app/tool"},
		{"e.yml", "apps:\n  - script: a.js\n    env:\n      script: /app/tool\n", "verified"},
		{"e.yml", "apps:\n  # - script: /app/tool\n  - script: a.js\n", "verified"},
	} {
		root := nodeRoot([]entry{pm2, npm, busybox("arm64"), dir("/srv"), dir("/app/dist"), text("/app/bin/www", "require('x')\n"), elf("/bin/env", "arm64"), one("bcrypt", script()), lib(bcrypt, "amd64"), elf("/app/tool", "amd64")})
		if test.text != "" {
			text("/"+test.name, test.text)(root)
		}
		r, err := image.Check(run("pm2-runtime", "start", test.name).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s\n%s, want %s, notes %q", test.text, got, test.want, r.Notes)
		}
	}
}
