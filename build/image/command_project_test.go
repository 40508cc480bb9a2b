package image_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

// condas are conda as its images have it, micromamba, and an environment each below the roots of the two with a foreign program.
func condas(root fstest.MapFS) {
	elf("/opt/conda/bin/python3.11", "arm64")(root)
	exe("/opt/conda/bin/conda", "#!/opt/conda/bin/python3.11\n")(root)
	link("/usr/bin/conda", "/opt/conda/bin/conda")(root)
	elf("/bin/micromamba", "arm64")(root)
	for _, folder := range []string{"/opt/conda/envs/web/", "/mamba/envs/web/", "/root/.conda/envs/own/", "/envs/far/", "/srv/env/", "/mamba/"} {
		elf(folder+"bin/app", "amd64")(root)
	}
	elf("/opt/conda/bin/app", "arm64")(root)
	elf("/bin/app", "arm64")(root)
}

// Where the environment is found its program is, which is foreign in all but conda's own.
func TestCondaEnvironments(t *testing.T) {
	for _, test := range []struct{ line, env, want string }{
		{"conda run -n web app --x", "", "foreign:/opt/conda/envs/web/bin/app"},
		{"conda run --no-capture-output --name=web app", "", "foreign:/opt/conda/envs/web/bin/app"},
		{"/opt/conda/bin/conda run -vn web app", "", "foreign:/opt/conda/envs/web/bin/app"},
		{"conda run --live-stream -p /srv/env app", "", "foreign:/srv/env/bin/app"},
		{"conda run -p env --cwd /opt app", "", "foreign:/srv/env/bin/app"},
		{"conda run -n own app", "", "foreign:/root/.conda/envs/own/bin/app"},
		{"conda run -n far app", "CONDA_ENVS_PATH=/envs", "foreign:/envs/far/bin/app"},
		{"conda run -n far app", "CONDA_ENVS_DIRS=/x:/envs", "foreign:/envs/far/bin/app"},
		{"conda run app", "CONDA_PREFIX=/opt/conda/envs/web", "foreign:/opt/conda/envs/web/bin/app"},
		{"conda run -n base app", "CONDA_PREFIX=/opt/conda/envs/web", "verified"},
		{"conda run app", "", "verified"},
		{"conda run -n none app", "", "verified"},
		{"conda run -n web", "", "verified"},
		{"conda info -n web app", "", "verified"},
		{"micromamba run -n web app", "MAMBA_ROOT_PREFIX=/mamba", "foreign:/mamba/envs/web/bin/app"},
		{"micromamba run app", "MAMBA_ROOT_PREFIX=/mamba", "foreign:/mamba/bin/app"},
		{"micromamba -r /mamba run -e A=b -n web app", "MAMBA_ROOT_PREFIX=/opt/conda", "foreign:/mamba/envs/web/bin/app"},
		{"conda run --cwd /srv/env bin/app", "", "foreign:/srv/env/bin/app"},
	} {
		config := run(strings.Fields(test.line)...).and("WorkingDir", "/srv").and("Env", []string{"PATH=/usr/bin:/bin", test.env})
		r, err := image.Check(config.bytes(), watched{MapFS: rootOf(condas), t: t}, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s, %s\n%s, want %s", test.env, test.line, got, test.want)
		}
	}
}

// Whatever stands in the files that say what is started, following them ends, and the same way each time.
func FuzzDescribed(f *testing.F) {
	names := []string{"/app/package.json", "/app/pnpm-workspace.yaml", "/app/e.yml", "/app/e.config.js", "/app/x.pl", "/app/releases/start_erl.data", "/app/bin/app", "/etc/supervisord.conf"}
	starts := []string{"npm start -w b", "pnpm -r start", "pm2-runtime start e.yml", "pm2-runtime start e.config.js", "perl x.pl", "/app/bin/app start", "/app/bin/app start", "supervisord -c /etc/supervisord.conf"}
	for i := range names {
		for _, text := range []string{
			`{"workspaces": ["packages/**", "!packages/x", "**/*/**"], "scripts": {"start": "./server"}}`, "packages:\n  - '**'\n  - '!**/x'\n",
			"apps:\n  -\n    script: server\n- script: x\n", "module.exports = { apps: [{ script: './server' }] }", "use lib \"$FindBin::Bin/../lib\";\nuse lib qw(/x /y);\n",
			"13.1 0.1.0", "#!/bin/sh\nexec ./server\n\x00\x1f\x8b", "[program:x]\ncommand=/app/server\n",
		} {
			f.Add(uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data string) {
		start := starts[int(which)%len(starts)]
		verdict := func() string {
			root := rootOf(busybox("arm64"), musl("arm64"), elf("/bin/node", "arm64"), elf("/bin/npm", "arm64"), elf("/bin/pnpm", "arm64"), elf("/bin/pm2-runtime", "arm64"), elf("/bin/perl", "arm64"), elf("/bin/supervisord", "arm64"),
				elf("/app/server", "amd64"), exe("/app/bin/app", mixScript), text("/app/packages/b/package.json", `{"name": "b", "scripts": {"start": "/app/server"}}`), link("/app/packages/loop", ".."), put(names[int(which)%len(names)], 0o755, []byte(data)))
			r, err := image.Check(run(strings.Fields(start)...).and("WorkingDir", "/app").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
			return outcome(t, r, err) + strings.Join(r.Notes, "|")
		}
		if one, other := verdict(), verdict(); one != other {
			t.Errorf("%s: %q: %s, and then %s", start, data, one, other)
		}
	})
}
