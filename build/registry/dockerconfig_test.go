package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// environment makes a getenv of pairs.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// helper puts a credential helper into dir: it answers for ghcr.io, has a token for gcr.io, fails for broken.io, hangs on
// to nothing, and says what is not there as real ones do. It refuses arguments other than "get".
func helper(t *testing.T, dir, name string) {
	t.Helper()
	script := `#!/bin/sh
[ "$#" = 1 ] && [ "$1" = get ] || exit 9
server=$(cat)
echo "$server" >> "` + dir + `/asked"
case $server in
ghcr.io) echo '{"ServerURL":"ghcr.io","Username":"helped","Secret":"pw"}' ;;
gcr.io) echo '{"Username":"<token>","Secret":"refresh"}' ;;
https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"pw"}' ;;
broken.io) echo "your session has expired"; exit 1 ;;
talking.io) yes "reauthentication is needed" | head -c 100000 >&2; exit 1 ;;
warning.io) yes "a newer version is there" | head -c 100000 >&2; echo '{"Username":"warned","Secret":"pw"}' ;;
garbage.io) echo 's3cret is not JSON' ;;
endless.io) exec yes ;;
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
`
	write(t, filepath.Join(dir, "docker-credential-"+name), script)
	if err := os.Chmod(filepath.Join(dir, "docker-credential-"+name), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestLoadCredentials(t *testing.T) {
	bin := t.TempDir()
	helper(t, bin, "test")
	auths := func(pairs ...string) string {
		entries := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			entries[pairs[i]] = map[string]string{"auth": b64(pairs[i+1])}
		}
		raw, _ := json.Marshal(map[string]any{"auths": entries})
		return string(raw)
	}
	for _, test := range []struct {
		name, config, host string
		want               Credential
		fails              string
	}{
		{"no file", "", "ghcr.io", Credential{}, ""},
		{"nothing for this host", auths("ghcr.io", "u:p"), "gcr.io", Credential{}, ""},
		{"an auth", auths("ghcr.io", "u:p:with:colons"), "ghcr.io", Credential{Username: "u", Password: "p:with:colons"}, ""},
		{"a port is part of the host", auths("localhost:5000", "u:p"), "localhost", Credential{}, ""},
		{"an address as the key", auths("https://ghcr.io/v2/", "u:p"), "ghcr.io", Credential{Username: "u", Password: "p"}, ""},
		{"the host itself before an address", auths("https://ghcr.io", "a:b", "ghcr.io", "u:p"), "ghcr.io", Credential{Username: "u", Password: "p"}, ""},
		{"whatever comes first", auths("http://localhost:5000", "a:b", "localhost:5000", "u:p"), "localhost:5000", Credential{Username: "u", Password: "p"}, ""},
		{"Docker Hub", auths(hubKey, "u:p"), "docker.io", Credential{Username: "u", Password: "p"}, ""},
		{"Docker Hub by another name", auths("docker.io", "u:p"), "docker.io", Credential{Username: "u", Password: "p"}, ""},
		{"an identity token", `{"auths":{"ghcr.io":{"auth":"` + b64("u:") + `","identitytoken":"r"}}}`, "ghcr.io", Credential{Username: "u", IdentityToken: "r"}, ""},
		{"a registry token", `{"auths":{"ghcr.io":{"registrytoken":"r"}}}`, "ghcr.io", Credential{RegistryToken: "r"}, ""},
		{"plain fields", `{"auths":{"ghcr.io":{"username":"u","password":"p"}}}`, "ghcr.io", Credential{Username: "u", Password: "p"}, ""},
		{"an empty entry, as credsStore leaves it", `{"auths":{"ghcr.io":{}}}`, "ghcr.io", Credential{}, ""},
		{"a store", `{"credsStore":"test"}`, "ghcr.io", Credential{Username: "helped", Password: "pw"}, ""},
		{"a store's token", `{"credsStore":"test"}`, "gcr.io", Credential{IdentityToken: "refresh"}, ""},
		{"a store and Docker Hub", `{"credsStore":"test"}`, "docker.io", Credential{Username: "hub", Password: "pw"}, ""},
		{"a store without it", `{"credsStore":"test"}`, "quay.io", Credential{}, ""},
		{"a store without it and a file with it", `{"credsStore":"test","auths":{"quay.io":{"auth":"` + b64("u:p") + `"}}}`, "quay.io", Credential{Username: "u", Password: "p"}, ""},
		{"the host's own helper", `{"credsStore":"none","credHelpers":{"ghcr.io":"test"}}`, "ghcr.io", Credential{Username: "helped", Password: "pw"}, ""},
		{"a helper of another host", `{"credHelpers":{"ghcr.io":"none"}}`, "gcr.io", Credential{}, ""},
		{"a helper that is not there", `{"credsStore":"none"}`, "ghcr.io", Credential{}, "no docker-credential-none on PATH"},
		{"a helper with a path", `{"credsStore":"../x"}`, "ghcr.io", Credential{}, "is no name of a credential helper"},
		{"a helper that fails", `{"credsStore":"test"}`, "broken.io", Credential{}, "your session has expired"},
		{"a helper that fails on the other line", `{"credsStore":"test"}`, "talking.io", Credential{}, "docker-credential-test: reauthentication is needed"},
		{"a helper that talks beside its answer", `{"credsStore":"test"}`, "warning.io", Credential{Username: "warned", Password: "pw"}, ""},
		{"a helper that talks nonsense", `{"credsStore":"test"}`, "garbage.io", Credential{}, "did not answer in JSON"},
		{"a helper that does not end", `{"credsStore":"test"}`, "endless.io", Credential{}, "did not come to an end"},
		{"no base64", `{"auths":{"ghcr.io":{"auth":"s3cret"}}}`, "ghcr.io", Credential{}, "docker's configuration for ghcr.io: its auth is no base64; run `docker login ghcr.io` again"},
		{"no colon", `{"auths":{"ghcr.io":{"auth":"` + b64("s3cret") + `"}}}`, "ghcr.io", Credential{}, "NAME:PASSWORD"},
		{"no name", auths("ghcr.io", ":s3cret"), "ghcr.io", Credential{}, "NAME:PASSWORD"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.config != "" {
				write(t, filepath.Join(dir, "config.json"), test.config)
			}
			look, err := LoadCredentials(dir, environment("PATH", bin+":"+os.Getenv("PATH")), test.host) // which CI has no account for
			if err != nil {
				t.Fatal(err)
			}
			got, err := look(t.Context(), test.host)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("got %v, want %q", err, test.fails)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %#v %s, %v", got, got.who(), err)
			}
		})
	}
}

// Whether a host will ask for us is guessed from the file alone: nothing here has a PATH to find a helper on.
func TestLoggedIn(t *testing.T) {
	for name, test := range map[string]struct {
		config, host, target string
		want                 bool
	}{
		"no file":                            {"", "ghcr.io", "", false},
		"an auth":                            {`{"auths":{"ghcr.io":{"auth":"dTpw"}}}`, "ghcr.io", "", true},
		"of another host":                    {`{"auths":{"ghcr.io":{"auth":"dTpw"}}}`, "gcr.io", "", false},
		"an address as the key":              {`{"auths":{"https://ghcr.io/v2/":{}}}`, "ghcr.io", "", true},
		"Docker Hub":                         {`{"auths":{"https://index.docker.io/v1/":{}}}`, "docker.io", "", true},
		"an entry that a login left":         {`{"credsStore":"none","auths":{"ghcr.io":{}}}`, "ghcr.io", "", true},
		"a store where nobody has logged in": {`{"credsStore":"none"}`, "ghcr.io", "", false},
		"a helper of its own":                {`{"credHelpers":{"ghcr.io":"none"}}`, "ghcr.io", "", true},
		"CI's account":                       {"", "ghcr.io", "ghcr.io", true},
		"CI's account is of another host":    {"", "gcr.io", "ghcr.io", false},
	} {
		dir := t.TempDir()
		if test.config != "" {
			write(t, filepath.Join(dir, "config.json"), test.config)
		}
		env := environment()
		if test.target != "" {
			env = environment("REGISTRY_USER", "u", "REGISTRY_PASSWORD", "p")
		}
		if got := LoggedIn(dir, env, test.target)(test.host); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if LoggedIn(t.TempDir(), environment(), "ghcr.io")("ghcr.io") {
		t.Error("a target for which nobody has given an account")
	}
}

func TestWhereDockersConfigurationIs(t *testing.T) {
	for name, test := range map[string]struct {
		dir  string
		env  []string
		want string
	}{
		"a folder that is given": {"/given", []string{"DOCKER_CONFIG", "/env", "HOME", "/home/a"}, "/given/config.json"},
		"DOCKER_CONFIG":          {"", []string{"DOCKER_CONFIG", "/env", "HOME", "/home/a"}, "/env/config.json"},
		"HOME":                   {"", []string{"HOME", "/home/a"}, "/home/a/.docker/config.json"},
		"nowhere":                {"", nil, ""},
	} {
		if got := loginFiles(test.dir, environment(test.env...))[0].path; got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Where podman login writes, which for root is no place in an environment variable.
func TestWherePodmansLoginsAre(t *testing.T) {
	ours := fmt.Sprintf("/run/containers/%d/auth.json", os.Getuid())
	for name, test := range map[string]struct {
		env  []string
		want []string
	}{
		"a session":  {[]string{"XDG_RUNTIME_DIR", "/run/user/7", "HOME", "/home/a"}, []string{"/run/user/7/containers/auth.json", "/home/a/.config/containers/auth.json"}},
		"no session": {[]string{"HOME", "/root"}, []string{ours, "/root/.config/containers/auth.json"}},
		"a file":     {[]string{"REGISTRY_AUTH_FILE", "/auth.json", "HOME", "/root"}, []string{"/auth.json"}},
	} {
		var got []string
		for _, file := range loginFiles("", environment(test.env...))[1:] {
			got = append(got, file.path)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Podman's logins count where Docker's configuration has nothing for the host, the first place that knows it before the others.
func TestPodmansLogins(t *testing.T) {
	home, run, named := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "auth.json")
	auth := func(user string, hosts ...string) string {
		auths := map[string]any{}
		for _, host := range hosts {
			auths[host] = map[string]string{"auth": b64(user + ":p")}
		}
		raw, _ := json.Marshal(map[string]any{"auths": auths})
		return string(raw)
	}
	for path, content := range map[string]string{
		filepath.Join(home, ".docker/config.json"): auth("docker", "a.example"),
		named: auth("named", "a.example", "b.example"),
		filepath.Join(run, "containers/auth.json"):          auth("run", "b.example", "c.example"),
		filepath.Join(home, ".config/containers/auth.json"): auth("home", "c.example", "d.example"),
		filepath.Join(home, "broken/containers/auth.json"):  `{"auths": s3cret}`,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, content)
	}
	for file, users := range map[string]map[string]string{
		"":    {"a.example": "docker", "b.example": "run", "c.example": "run", "d.example": "home", "e.example": ""},
		named: {"a.example": "docker", "b.example": "named", "c.example": "", "d.example": "", "e.example": ""}, // it stands for the usual places
	} {
		env := environment("HOME", home, "REGISTRY_AUTH_FILE", file, "XDG_RUNTIME_DIR", run)
		look, err := LoadCredentials("", env, "")
		if err != nil {
			t.Fatal(err)
		}
		loggedIn := LoggedIn("", env, "")
		for host, want := range users {
			if got, err := look(t.Context(), host); err != nil || got.Username != want || loggedIn(host) != (want != "") {
				t.Errorf("%s with REGISTRY_AUTH_FILE=%s: %v, %v; want %s", host, file, got, err, want)
			}
		}
	}
	broken, err := LoadCredentials("", environment("HOME", home, "XDG_RUNTIME_DIR", filepath.Join(home, "broken")), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := broken(t.Context(), "a.example"); err != nil || got.Username != "docker" {
		t.Errorf("a broken file of Podman's spoils Docker's: %v, %v", got, err)
	}
	if _, err := broken(t.Context(), "d.example"); err == nil || !strings.Contains(err.Error(), "podman's logins "+home) || !strings.HasSuffix(err.Error(), "mend it or set REGISTRY_AUTH_FILE") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a broken file of Podman's: %v", err)
	}
}

// Logins for parts of a registry's path, as podman login writes them, are for what is there.
func TestLoginsForAPartOfTheRegistry(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.json"), `{"auths":{"quay.io":{"auth":"`+b64("all:p")+`"},"quay.io/team":{"auth":"`+b64("team:p")+
		`"},"quay.io/team/app":{"auth":"`+b64("app:p")+`"},"ghcr.io/b":{"auth":"`+b64("b:p")+`"},"ghcr.io/a":{"auth":"`+b64("a:p")+`"}}}`)
	for target, want := range map[string]map[string]string{
		"quay.io/team/app":     {"quay.io": "app", "ghcr.io": "a"},
		"quay.io/team/app/sub": {"quay.io": "app"},
		"quay.io/team/other":   {"quay.io": "team"},
		"quay.io/team":         {"quay.io": "team"},
		"quay.io/teamwork/app": {"quay.io": "all"},
		"ghcr.io/b/app":        {"quay.io": "all", "ghcr.io": "b"},
		"":                     {"quay.io": "all", "ghcr.io": "a"},
	} {
		look, err := LoadCredentials(dir, environment(), target)
		if err != nil {
			t.Fatal(err)
		}
		for host, user := range want {
			if got, err := look(t.Context(), host); err != nil || got.Username != user {
				t.Errorf("for %s at %s: %v, %v; want %s", target, host, got, err, user)
			}
		}
	}
}

func TestCIsCredentialsAreForTheTargetAlone(t *testing.T) {
	env := environment("REGISTRY_USER", "ci", "REGISTRY_PASSWORD", "pw", "HOME", t.TempDir())
	look, err := LoadCredentials("", env, "docker.io")
	if err != nil {
		t.Fatal(err)
	}
	ci := Credential{Username: "ci", Password: "pw"}
	for host, want := range map[string]Credential{"docker.io": ci, "index.docker.io": ci, "ghcr.io": {}} {
		if got, err := look(t.Context(), host); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", host, got, err, want)
		}
	}
	if _, err := LoadCredentials("", environment("REGISTRY_USER", "ci"), "ghcr.io"); err == nil {
		t.Error("a user without a password passed")
	}
	look, _ = LoadCredentials("", env, "")
	if got, _ := look(t.Context(), ""); got != (Credential{}) {
		t.Errorf("without a target: %v", got)
	}
}

func TestALoginDuringTheRunCounts(t *testing.T) {
	dir := t.TempDir()
	look, err := LoadCredentials(dir, environment(), "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.json"), `{"auths":{"ghcr.io":{"auth":"`+b64("late:pw")+`"}}}`)
	if got, err := look(t.Context(), "ghcr.io"); err != nil || got.Username != "late" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestABrokenConfigurationIsNamed(t *testing.T) {
	for content, says := range map[string]string{
		"{":                              "it is no JSON from byte 1 on",
		`{"auths": s3cret}`:              "it is no JSON from byte 11 on",
		`{"auths":{"ghcr.io":"s3cret"}}`: "auths, credsStore or credHelpers is not what a login writes there",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.json"), content)
		_, err := LoadCredentials(dir, environment(), "")
		if err == nil || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "s3cret") || !strings.HasSuffix(err.Error(), says+"; mend it or set DOCKER_CONFIG") {
			t.Errorf("%s: %v", content, err)
		}
	}
	for _, content := range []string{"", " \n"} {
		if config, err := parseDockerConfig([]byte(content)); err != nil || len(config.Auths) != 0 {
			t.Errorf("%q is no file without logins: %v", content, err)
		}
	}
	file, folder := filepath.Join(t.TempDir(), "file"), t.TempDir()
	write(t, file, "no folder")
	if err := os.Mkdir(filepath.Join(folder, "config.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, folder} {
		if _, err := LoadCredentials(dir, environment(), ""); err == nil || !strings.Contains(err.Error(), "docker's configuration: ") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := parseDockerConfig(make([]byte, maxDockerConfig+1)); err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Errorf("a file that is too large: %v", err)
	}
}

// A helper that has started an agent has answered, although that keeps its output open.
func TestAHelperWithAnAgent(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	program := filepath.Join(bin, "docker-credential-pass")
	write(t, program, "#!/bin/sh\necho '{\"Username\":\"me\",\"Secret\":\"pw\"}'\nsleep 10 &\n")
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.json"), `{"credsStore":"pass"}`)
	look, err := LoadCredentials(dir, environment("PATH", bin), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := look(t.Context(), "ghcr.io"); err != nil || got != (Credential{Username: "me", Password: "pw"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAHelperIsStoppedWithTheRun(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "docker-credential-slow"), "#!/bin/sh\nexec sleep 1000\n")
	if err := os.Chmod(filepath.Join(bin, "docker-credential-slow"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.json"), `{"credsStore":"slow"}`)
	look, err := LoadCredentials(dir, environment("PATH", bin), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("interrupted")
	cancel(stopped)
	if _, err := look(ctx, "ghcr.io"); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

// Nobody's folder is searched for a program that is given our server's name, but those that PATH names in full.
func TestHelpersAreNotTakenFromHere(t *testing.T) {
	here := t.TempDir()
	helper(t, here, "test")
	helper(t, filepath.Join(here, "sub"), "test")
	t.Chdir(here)
	if found, err := findHelper("test", environment("PATH", ".::sub")); err == nil {
		t.Errorf("found %s", found)
	}
	if found, err := findHelper("test", environment("PATH", ".::sub:"+here)); err != nil || found != filepath.Join(here, "docker-credential-test") {
		t.Errorf("found %s, %v", found, err)
	}
}

func TestWhyAHelperFailed(t *testing.T) {
	running := t.Context()
	late, cancel := context.WithDeadline(running, epoch.AddDate(-1, 0, 0))
	defer cancel()
	exit := &exec.ExitError{ProcessState: &os.ProcessState{}}
	for name, test := range map[string]struct {
		ctx            context.Context
		out, complaint string
		err            error
		want           string
	}{
		"it has none":          {running, helperNone + "\n", "", exit, ""},
		"in its words":         {running, "expired\n", "and more", exit, "docker-credential-test: expired"},
		"on the other line":    {running, "\n", "expired\n", exit, "docker-credential-test: expired"},
		"behind its answer":    {running, `{"Username":"me","Secret":"s3cr`, "oops", exit, "docker-credential-test: oops"},
		"with its answer":      {running, `{"Username":"me","Secret":"s3cret"}`, "", exit, "docker-credential-test: exit status 0"},
		"without a word":       {running, "", "", exit, "docker-credential-test: exit status 0"},
		"a long story":         {running, strings.Repeat("x", maxHelper/2), "", exit, "docker-credential-test: " + strings.Repeat("x", maxSaid) + "..."},
		"it could not be read": {running, "half an answer", "", io.ErrClosedPipe, "docker-credential-test: io: read/write on closed pipe"},
		"it took too long":     {late, "half an answer", "", exit, "docker-credential-test did not answer within 1m0s; call it by hand to see what it waits for, or take it out of config.json"},
	} {
		_, err := helperFailed(test.ctx, "test", []byte(test.out), []byte(test.complaint), test.err)
		if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	for who, cred := range map[string]Credential{
		"alice":                 {Username: "alice", Password: "s3cret", IdentityToken: "s3cret", RegistryToken: "s3cret"},
		"the holder of a token": {IdentityToken: "s3cret"},
		"anonymous":             {Password: "s3cret"},
	} {
		want := "credential of " + who
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if got, inside := fmt.Sprintf(verb, cred), fmt.Sprintf(verb, &cred); got != want || inside != want {
				t.Errorf("%s: %s, and by its address %s", verb, got, inside)
			}
		}
		if raw, err := json.Marshal(map[string]any{"c": cred, "p": &cred}); err != nil || string(raw) != `{"c":"`+want+`","p":"`+want+`"}` {
			t.Errorf("as JSON: %s, %v", raw, err)
		}
	}
	if got := (Credential{RegistryToken: "s3cret"}).who(); got != "the holder of a token" {
		t.Error(got)
	}
}
