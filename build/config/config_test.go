package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// say is one input, written as a test wants it.
type say struct {
	words    []string
	env      map[string]string
	yaml     string
	defaults Defaults
	extra    []string
	git      Repository
	folder   string // the name of the run's folder
}

func (s say) load(t *testing.T) (Config, error) {
	t.Helper()
	folder := s.folder
	if folder == "" {
		folder = "thing"
	}
	dir := filepath.Join(t.TempDir(), folder)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.yaml != "" {
		write(t, filepath.Join(dir, FileName), s.yaml)
	}
	return Load(Input{
		Words: s.words, Getenv: func(name string) string { return s.env[name] }, Dir: dir, Defaults: s.defaults, Extra: s.extra, Repository: s.git,
	})
}

func (s say) mustLoad(t *testing.T) Config {
	t.Helper()
	c, err := s.load(t)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func line(words ...string) say { return say{words: words} }

func names(list []ocispec.Platform) string {
	var all []string
	for _, p := range list {
		all = append(all, platforms.Format(p))
	}
	return strings.Join(all, " ")
}

func TestNothingSaid(t *testing.T) {
	c := say{folder: "My App"}.mustLoad(t)
	if !c.Embedded || c.Image != "my-app" || c.Version != "dev" || names(c.Platforms) != "linux/amd64 linux/arm64" {
		t.Errorf("%+v", c)
	}
	if c.Strategy != "auto" || c.Syntax != "auto" || c.Retry != 2*time.Minute || c.Context != c.Dir || c.Dockerfile != filepath.Join(c.Dir, "Dockerfile") {
		t.Errorf("%+v", c)
	}
	if c.Partial() || names(c.Run()) != names(c.Platforms) || !reflect.DeepEqual(c.Tags, []string{"dev"}) {
		t.Errorf("%+v", c)
	}
	want := []Value{
		{"IMG", "my-app", "folder name"}, {"VERSION", "dev", "default"}, {"ARCHES", "amd64 arm64", "default"}, {"TAGS", "{version}", "default"},
		{"CHILD", "{arch}-{version}", "default"}, {"STRATEGY", "auto", "default"}, {"DOCKERFILE", "Dockerfile", "default"},
		{"CONTEXT", ".", "default"}, {"SYNTAX", "auto", "default"}, {"RETRY", "2m", "default"},
	}
	if got := c.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("values\ngot  %v\nwant %v", got, want)
	}
}

// Each origin beats all those behind it.
func TestPrecedence(t *testing.T) {
	s := say{
		words: []string{"TARGET=0"}, env: map[string]string{"MANYMAGE_TARGET": "1", "TARGET": "2"}, yaml: "# c\ntarget: 3\n",
		defaults: Defaults{Target: "4"},
	}
	steps := []struct {
		want Value
		drop func()
	}{
		{Value{"TARGET", "0", "command line"}, func() { s.words = nil }},
		{Value{"TARGET", "1", "environment MANYMAGE_TARGET"}, func() { delete(s.env, "MANYMAGE_TARGET") }},
		{Value{"TARGET", "2", "environment TARGET"}, func() { s.env["TARGET"] = "" }},
		{Value{"TARGET", "3", "manymage.yaml:2"}, func() { s.yaml = "" }},
		{Value{"TARGET", "4", "magefile"}, func() { s.defaults = Defaults{} }},
		{Value{Knob: "TARGET"}, func() {}},
	}
	for _, step := range steps {
		c := s.mustLoad(t)
		if got := c.Value("TARGET"); got != step.want || c.Target != step.want.Text {
			t.Errorf("got %+v and %q, want %+v", got, c.Target, step.want)
		}
		step.drop()
	}
}

func TestImage(t *testing.T) {
	repo := Repository{Version: "v1.2.0+meta-3-gabc-dirty", Origin: "git tag v1.2.0", Name: "App.Go"}
	tests := []struct {
		name           string
		s              say
		image, version string
		embedded       bool
	}{
		{"full", line("IMG=ghcr.io/me/app:1.2"), "ghcr.io/me/app", "1.2", false},
		{"docker hub", line("IMG=me/app"), "docker.io/me/app", "dev", false},
		{"docker hub's own", line("IMG=docker.io/app"), "docker.io/library/app", "dev", false},
		{"port", line("IMG=localhost:5000/app"), "localhost:5000/app", "dev", false},
		{"port and tag", line("IMG=127.0.0.1:5000/x/y:1"), "127.0.0.1:5000/x/y", "1", false},
		{"IPv6", line("IMG=[::1]:5000/x"), "[::1]:5000/x", "dev", false},
		{"with REGISTRY", line("IMG=app", "REGISTRY=ghcr.io/me"), "ghcr.io/me/app", "dev", false},
		{"with REGISTRY and a slash", line("IMG=a/b:3", "REGISTRY=localhost:5000/"), "localhost:5000/a/b", "3", false},
		{"REGISTRY again in IMG", line("IMG=ghcr.io/me/app", "REGISTRY=ghcr.io/me"), "ghcr.io/me/app", "dev", false},
		{"IMG beats a weaker REGISTRY", say{words: []string{"IMG=ghcr.io/me/app"}, env: map[string]string{"REGISTRY": "quay.io"}}, "ghcr.io/me/app", "dev", false},
		{"REGISTRY alone", say{words: []string{"REGISTRY=ghcr.io/me"}, git: repo}, "ghcr.io/me/app.go", "1.2.0-meta-3-gabc-dirty", false},
		{"git", say{git: repo}, "app.go", "1.2.0-meta-3-gabc-dirty", true},
		{"git in a subfolder", say{git: Repository{Name: "mono", Prefix: "Services/the api"}}, "mono/services/the-api", "dev", true},
		{"empty word", say{words: []string{"IMG="}, yaml: "img: me/app"}, "thing", "dev", true},
		{"folder of no letters", say{folder: "___"}, "image", "dev", true},
		{"VERSION", line("IMG=me/app", "VERSION=v1"), "docker.io/me/app", "v1", false},
		{"VERSION as in IMG", line("IMG=me/app:1", "VERSION=1"), "docker.io/me/app", "1", false},
		{"IMG's tag beats a weaker VERSION", say{words: []string{"IMG=me/app:1"}, env: map[string]string{"VERSION": "2"}}, "docker.io/me/app", "1", false},
		{"VERSION beats a weaker tag", say{words: []string{"VERSION=2"}, yaml: "img: me/app:1"}, "docker.io/me/app", "2", false},
		{"version of a branch tag", say{git: Repository{Version: "release/1.0"}}, "thing", "release-1.0", true},
		{"version that is a word", say{git: Repository{Version: "vienna"}}, "thing", "vienna", true},
		{"version of nothing usable", say{git: Repository{Version: "-.+"}}, "thing", "dev", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.s.mustLoad(t)
			if c.Image != test.image || c.Version != test.version || c.Embedded != test.embedded {
				t.Errorf("got %s:%s embedded %t, want %s:%s embedded %t", c.Image, c.Version, c.Embedded, test.image, test.version, test.embedded)
			}
		})
	}
}

func TestEmbeddedGetsItsRegistry(t *testing.T) {
	c := say{git: Repository{Name: "my.app", Prefix: "x"}}.mustLoad(t)
	for _, host := range []string{"127.0.0.1:5000", "127.0.0.1:5001"} {
		c = c.WithRegistry(host)
		if want := host + "/my.app/x"; c.Image != want || !c.Embedded {
			t.Errorf("got %s, want %s", c.Image, want)
		}
	}
	if c := line("IMG=me/app").mustLoad(t).WithRegistry("127.0.0.1:5000"); c.Image != "docker.io/me/app" {
		t.Errorf("a named image was moved to %s", c.Image)
	}
}

func TestOriginsOfVersion(t *testing.T) {
	for _, test := range []struct {
		s    say
		want string
	}{
		{line("IMG=me/app:1"), "command line, the tag of IMG"},
		{line("IMG=me/app:1", "VERSION="), "command line, the tag of IMG"},
		{say{yaml: "img: me/app\nversion: 1.10\n"}, "manymage.yaml:2"},
		{say{git: Repository{Version: "v1", Origin: "git tag v1"}}, "git tag v1"},
	} {
		if got := test.s.mustLoad(t).Value("VERSION").Origin; got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got := (say{yaml: "version: 1.10\n"}).mustLoad(t).Version; got != "1.10" {
		t.Errorf("YAML's number became %q", got)
	}
}

func TestPlatforms(t *testing.T) {
	for want, s := range map[string]say{
		"linux/arm64 linux/amd64":               line("ARCHES=aarch64, linux/x86_64"),
		"linux/arm/v7 linux/riscv64":            {env: map[string]string{"PLATFORMS": "linux/arm/v7,linux/riscv64"}},
		"linux/arm/v6 linux/arm64":              {yaml: "platforms:\n  - arm/v6\n  - arm64\n"},
		"linux/arm/v7 linux/amd64":              {env: map[string]string{"ARCHES": "arm/v7, amd64", "PLATFORMS": "linux/arm/v7,linux/x86_64"}},
		"linux/386 linux/amd64":                 line("PLATFORMS=386 amd64", "ARCHES=linux/i386,linux/amd64"),
		"linux/s390x":                           {defaults: Defaults{Arches: []string{"s390x"}}},
		"linux/amd64 linux/arm64 linux/ppc64le": {yaml: "arches: amd64 arm64 ppc64le"},
	} {
		if got := names(s.mustLoad(t).Platforms); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if c := line("PLATFORMS=s390x").mustLoad(t); c.Value("PLATFORMS") != (Value{"ARCHES", "s390x", "command line"}) || c.Value("ARCHES").IsDefault() || !c.Value("STRATEGY").IsDefault() {
		t.Errorf("values %+v", c.Values())
	}
	c := line("ARCHES=amd64 arm64 arm/v7", "ONLY=arm/v7,amd64").mustLoad(t)
	if names(c.Run()) != "linux/amd64 linux/arm/v7" || !c.Partial() || names(c.Platforms) != "linux/amd64 linux/arm64 linux/arm/v7" {
		t.Errorf("ONLY: %+v", c)
	}
	if c := line("ONLY=arm64 amd64").mustLoad(t); c.Partial() {
		t.Error("ONLY that leaves nothing out is called partial")
	}
	if c := line("ALLOW_DROP=linux/arm/v7,windows/amd64").mustLoad(t); names(c.AllowDrop) != "linux/arm/v7 windows/amd64" {
		t.Errorf("ALLOW_DROP: %v", c.AllowDrop)
	}
}

func TestTags(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	c := line("IMG=me/app:1.2", "TAGS={version},latest latest v{version}").mustLoad(t)
	if want := []string{"docker.io/me/app:1.2", "docker.io/me/app:latest", "docker.io/me/app:v1.2"}; !reflect.DeepEqual(c.ListRefs(), want) {
		t.Errorf("list %v, want %v", c.ListRefs(), want)
	}
	if c.ChildRef(arm) != "docker.io/me/app:armv7-1.2" || c.LatestTag(arm) != "armv7-latest" {
		t.Errorf("child %s, latest %s", c.ChildRef(arm), c.LatestTag(arm))
	}
	if c := line("VERSION=1", "CHILD={version}_{arch}").mustLoad(t); c.ChildTag(arm) != "1_armv7" {
		t.Errorf("child %s", c.ChildTag(arm))
	}
	if c := line("VERSION=1", "ARCHES=arm64", "CHILD=single").mustLoad(t); c.ChildTag(arm) != "single" {
		t.Errorf("child %s of one platform", c.ChildTag(arm))
	}
	for version, want := range map[string][3]string{ // all tags, those of series, those that are left out
		"1.4.2":            {"1.4.2 latest 1.4 v1", "1.4 v1", ""},
		"v1.4.2":           {"v1.4.2 latest 1.4 v1", "1.4 v1", ""},
		"2":                {"2 latest 2.0 v2", "2.0 v2", ""},
		"1.4":              {"1.4 latest v1", "v1", ""}, // said by {version} itself
		"1.5.0-rc.1":       {"1.5.0-rc.1 latest", "", "{major}.{minor} v{major}"},
		"1.4.2-3-gabc1234": {"1.4.2-3-gabc1234 latest", "", "{major}.{minor} v{major}"},
		"2026.01.30":       {"2026.01.30 latest", "", "{major}.{minor} v{major}"}, // zeros before a number are no semver
		"abc1234":          {"abc1234 latest", "", "{major}.{minor} v{major}"},
		"4859123":          {"4859123 latest", "", "{major}.{minor} v{major}"}, // the hash of a commit, too
		"20241201":         {"20241201 latest", "", "{major}.{minor} v{major}"},
		"485912":           {"485912 latest 485912.0 v485912", "485912.0 v485912", ""},
		"1.4.2-dirty":      {"1.4.2-dirty latest", "", "{major}.{minor} v{major}"},
	} {
		c := line("VERSION="+version, "TAGS={major}.{minor} {version} v{major} latest").mustLoad(t)
		var series []string
		for _, s := range c.Series {
			series = append(series, s.Tag)
		}
		if got := [3]string{strings.Join(c.Tags, " "), strings.Join(series, " "), strings.Join(c.Unreleased, " ")}; got != want {
			t.Errorf("VERSION=%s: %q, want %q", version, got, want)
		}
	}
	if c := line("VERSION=1.4.2", "TAGS={version} {major} {major}").mustLoad(t); !slices.Equal(c.Tags, []string{"1.4.2", "1"}) || len(c.Series) != 1 {
		t.Errorf("a series twice: %q", c.Tags)
	}
	long := say{git: Repository{Version: strings.Repeat("x", 300)}}.mustLoad(t)
	if len(long.ChildTag(arm)) > longestTag {
		t.Errorf("child tag of %d characters", len(long.ChildTag(arm)))
	}
}

func TestBuildArgs(t *testing.T) {
	s := say{
		words: []string{`BUILD_ARGS=A=1 "MSG=x y" E= FROM_ENV R={rust} U={uname}-{arch}{variant} V={docker} 'J={"a":1}' S=${x}`},
		env:   map[string]string{"FROM_ENV": "env", "NAMED": "n"}, yaml: "build_args:\n  A: 0\n  Y: true\n  NAMED:\n", defaults: Defaults{BuildArgs: map[string]string{"Y": "no", "D": "d"}},
	}
	c := s.mustLoad(t)
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	want := []Pair{
		{"A", "1", "command line"}, {"D", "d", "magefile"}, {"E", "", "command line"}, {"FROM_ENV", "env", "environment FROM_ENV"}, {"J", `{"a":1}`, "command line"},
		{"MSG", "x y", "command line"}, {"NAMED", "n", "environment NAMED"}, {"R", "armv7-unknown-linux-gnueabihf", "command line"}, {"S", "${x}", "command line"}, {"U", "armv7l-armv7", "command line"}, {"V", "arm32v7", "command line"},
		{"Y", "true", "manymage.yaml:3"},
	}
	if got := c.BuildArgsFor(arm); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := c.PlaceholderArgs(); !reflect.DeepEqual(got, []string{"R", "U", "V"}) {
		t.Errorf("placeholders in %v", got)
	}
	if got := c.Value("BUILD_ARGS").Origin; got != "command line, magefile, environment FROM_ENV, environment NAMED, manymage.yaml:3" {
		t.Errorf("origins %q", got)
	}
	s.words = []string{"BUILD_ARGS="}
	if got := s.mustLoad(t).BuildArgs; got != nil {
		t.Errorf("an empty word left %v", got)
	}
}

// What is no word in braces is the value's own, and so is all that the environment gives.
func TestBracesOfAValue(t *testing.T) {
	for _, value := range []string{`{"a":1}`, `{"a":{arch:1}}`, "{}", "{ arch }", "{1,2}", "{a,b}", "${arch}", "${X}", "{{arch}}", "{{ .Name }}", "%{http_code}", "{0}", "{-}", "{arch"} {
		c := say{defaults: Defaults{BuildArgs: map[string]string{"A": value}}}.mustLoad(t)
		if got := c.BuildArgsFor(ocispec.Platform{OS: "linux", Architecture: "arm64"}); got[0].Value != value || c.PlaceholderArgs() != nil {
			t.Errorf("%s became %s", value, got[0].Value)
		}
	}
	c := say{words: []string{"BUILD_ARGS=A"}, env: map[string]string{"A": "{arch}{id}"}}.mustLoad(t)
	if got := c.BuildArgsFor(c.Platforms[0]); got[0].Value != "{arch}{id}" || c.PlaceholderArgs() != nil {
		t.Errorf("the environment's value became %s", got[0].Value)
	}
	if got := line("BUILD_ARGS=A={{arch}-{arch}}").mustLoad(t).BuildArgsFor(c.Platforms[1]); got[0].Value != "{arm64-arm64}" {
		t.Errorf("got %s", got[0].Value)
	}
}

func TestLabels(t *testing.T) {
	c := say{
		env:  map[string]string{"LABELS": "org.opencontainers.image.title=My app\norg.opencontainers.image.licenses=MIT\n"},
		yaml: "annotations:\n  - a=b c\n  - manifest,index:d.e=f\ncontexts:\n  base: docker-image://alpine\n  git: git@host:me/app\n  src: ../src\n  stage: target:base\n",
	}.mustLoad(t)
	if fmt.Sprint(c.Labels) != "[{org.opencontainers.image.licenses MIT environment LABELS} {org.opencontainers.image.title My app environment LABELS}]" {
		t.Errorf("labels %v", c.Labels)
	}
	if fmt.Sprint(c.Annotations) != "[{a b c manymage.yaml:2} {d.e f manymage.yaml:3}]" {
		t.Errorf("annotations %v", c.Annotations)
	}
	var contexts []string
	for _, context := range c.Contexts {
		contexts = append(contexts, context.Value)
	}
	if want := []string{"docker-image://alpine", "git@host:me/app", filepath.Join(filepath.Dir(c.Dir), "src"), "target:base"}; !slices.Equal(contexts, want) {
		t.Errorf("contexts %q, want %q", contexts, want)
	}
}

func TestSecretsAndAgents(t *testing.T) {
	c := say{
		words: []string{"SECRETS=npm=.npmrc a=env:TOKEN TOKEN id=d,src=/etc/d id=TOKEN2,env=TOKEN type=env,id=TOKEN3 id=e,type=env,src=TOKEN src=/etc/f,id=f", "SSH=default git=k1,k2"},
		env:   map[string]string{"TOKEN": "hunter2", "TOKEN3": "x", "SSH_AUTH_SOCK": "/s"},
	}.mustLoad(t)
	want := []Secret{
		{"npm", filepath.Join(c.Dir, ".npmrc"), ""}, {"a", "", "TOKEN"}, {"TOKEN", "", "TOKEN"}, {"d", "/etc/d", ""}, {"TOKEN2", "", "TOKEN"}, {"TOKEN3", "", "TOKEN3"},
		{"e", "", "TOKEN"}, {"f", "/etc/f", ""},
	}
	if !reflect.DeepEqual(c.Secrets, want) {
		t.Errorf("got  %+v\nwant %+v", c.Secrets, want)
	}
	if want := []Agent{{ID: "default"}, {"git", []string{filepath.Join(c.Dir, "k1"), filepath.Join(c.Dir, "k2")}}}; !reflect.DeepEqual(c.SSH, want) {
		t.Errorf("got  %+v\nwant %+v", c.SSH, want)
	}
	if c.Value("SECRETS").Origin != "command line" || c.Value("SSH").Text != "default git=k1,k2" {
		t.Errorf("values %+v", c.Values())
	}
	if strings.Contains(fmt.Sprint(c.Values()), "hunter2") {
		t.Error("a secret is in the values")
	}
}

func TestRegistryPassword(t *testing.T) {
	c := say{env: map[string]string{"REGISTRY_USER": "me", "MANYMAGE_REGISTRY_PASSWORD": "hunter2"}}.mustLoad(t)
	if c.Username != "me" || string(c.Password) != "hunter2" {
		t.Errorf("user %q, password %q", c.Username, string(c.Password))
	}
	text, _ := c.Password.MarshalText()
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c.Password, c.Password, c.Password, c.Values()), string(text)} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("the password is shown: %s", shown)
		}
	}
	if got := c.Value("REGISTRY_PASSWORD"); got.Text != "(hidden)" || got.Origin != "environment MANYMAGE_REGISTRY_PASSWORD" {
		t.Errorf("value %+v", got)
	}
}

// Hosts with a port are that registry alone; without one, whatever port it listens at.
func TestInsecureHosts(t *testing.T) {
	for _, s := range []say{
		line("INSECURE=reg.lan:5000, 10.0.0.5 [fd00::5] fd00::6 my_reg.lan"),
		{yaml: "insecure: [reg.lan:5000, 10.0.0.5, '[fd00::5]', 'fd00::6', my_reg.lan]\n"},
	} {
		c := s.mustLoad(t)
		if got := strings.ReplaceAll(c.Value("INSECURE").Text, ",", ""); got != "reg.lan:5000 10.0.0.5 [fd00::5] fd00::6 my_reg.lan" {
			t.Errorf("value %q", got)
		}
		for host, want := range map[string]bool{
			"reg.lan:5000": true, "REG.lan:5000": true, "10.0.0.5": true, "10.0.0.5:443": true, "[fd00::5]": true, "[fd00::5]:443": true,
			"[fd00::6]:443": true, "my_reg.lan:80": true,
			"reg.lan": false, "reg.lan:5001": false, "[fd00::55]:443": false, "10.0.0.55": false, "docker.io": false,
		} {
			if got := c.Insecure(host); got != want {
				t.Errorf("%s: %t, want %t", host, got, want)
			}
		}
	}
}

func TestSwitches(t *testing.T) {
	for text, want := range map[string]bool{"1": true, "Yes": true, "TRUE": true, "on": true, "0": false, "no": false, "False": false, "off": false, "": false} {
		if c := line("INSECURE="+text, "V="+text, "NO_CACHE="+text).mustLoad(t); c.Insecure("reg.example") != want || c.Verbose != want || c.NoCache != want {
			t.Errorf("%q: %t %t %t", text, c.Insecure("reg.example"), c.Verbose, c.NoCache)
		}
	}
	if c := (say{yaml: "insecure: yes\n"}).mustLoad(t); !c.Insecure("reg.example") {
		t.Error("YAML's yes is none")
	}
	if c := (say{defaults: Defaults{Insecure: true}, words: []string{"INSECURE=0"}}).mustLoad(t); c.Insecure("reg.example") {
		t.Error("the command line does not beat the magefile")
	}
	for text, want := range map[string]time.Duration{"30": 30 * time.Second, "1m30s": 90 * time.Second, "0": 0} {
		if c := line("RETRY=" + text).mustLoad(t); c.Retry != want {
			t.Errorf("RETRY=%s is %s", text, c.Retry)
		}
	}
}

func TestWordsOfOthers(t *testing.T) {
	s := say{words: []string{"DOCKER_HOST=ssh://pi", "OWN=1", "V=0", "V=1"}, extra: []string{"OWN"}}
	c := s.mustLoad(t)
	getenv := c.Getenv(func(name string) string { return "environment's " + name })
	if getenv("DOCKER_HOST") != "ssh://pi" || getenv("CI") != "environment's CI" || !c.Verbose {
		t.Errorf("DOCKER_HOST %q, CI %q, V %t", getenv("DOCKER_HOST"), getenv("CI"), c.Verbose)
	}
	early := Overlay(append(s.words, "IMG=x"), nil)
	if early("DOCKER_HOST") != "ssh://pi" || early("IMG") != "" || early("OWN") != "" {
		t.Error("the overlay holds something else than other tools' variables")
	}
	for arg, want := range map[string]bool{"A=1": true, "a_1=": true, "build": false, "-ref=x": false, "1=2": false, "=": false, "a-b=c": false} {
		if IsWord(arg) != want {
			t.Errorf("IsWord(%q) = %t", arg, !want)
		}
	}
}

func TestYAMLForms(t *testing.T) {
	c := say{yaml: `
x-common: &common [amd64, arm/v7]
x-latest: &latest latest
IMG: me/app
arches: *common
tags: [ "{version}", *latest ]
build_args: "A=1 B=2"
allow_foreign:
  - /opt/a b
`}.mustLoad(t)
	if names(c.Platforms) != "linux/amd64 linux/arm/v7" || len(c.Tags) != 2 || len(c.BuildArgs) != 2 || !reflect.DeepEqual(c.AllowForeign, []string{"/opt/a b"}) {
		t.Errorf("%+v", c)
	}
	for _, text := range []string{`"/opt/a b",/c`, `/opt/a\ b /c`, "'/opt/a b'\n, /c"} {
		if c := line("ALLOW_FOREIGN=" + text).mustLoad(t); !reflect.DeepEqual(c.AllowForeign, []string{"/opt/a b", "/c"}) {
			t.Errorf("ALLOW_FOREIGN=%s: %q", text, c.AllowForeign)
		}
	}
	for _, empty := range []string{"# nothing\n", "---\n", "{}\n", "null\n"} {
		if c := (say{yaml: empty}).mustLoad(t); c.Image != "thing" {
			t.Errorf("%q: %+v", empty, c)
		}
	}
}

func TestRefused(t *testing.T) {
	const leak = "hunter2hunter2hunter2hunter2"
	tests := []struct {
		name string
		s    say
		says []string
	}{
		{"bare image", line("IMG=app"), []string{"IMG=app (command line) names no registry", "IMG=docker.io/me/app", "REGISTRY", "leave IMG out"}},
		{"digest", line("IMG=me/app@sha256:" + strings.Repeat("a", 64)), []string{"has a digest"}},
		{"capital", line("IMG=ghcr.io/me/App:1"), []string{`capital 'A' at character 12`, "write ghcr.io/me/app:1"}},
		{"space", line("IMG=me/a pp"), []string{`' ' at character 5`}},
		{"umlaut", line("IMG=me/bär"), []string{`'ä' at character 5`}},
		{"two tags", line("IMG=me/app:1:2"), []string{`':' at character 7`}},
		{"address", line("IMG=https://ghcr.io/me/app"), []string{"leave https:// out"}},
		{"empty part", line("IMG=ghcr.io//app"), []string{`the part ""`}},
		{"separators", line("IMG=me/app-"), []string{`the part "app-"`}},
		{"colon", line("IMG=me/app:"), []string{"ends in a colon"}},
		{"tag of IMG", line("IMG=me/app:1+2"), []string{"VERSION=1+2 (command line, the tag of IMG)", "write 1-2"}},
		{"registry without host", line("IMG=app", "REGISTRY=me"), []string{"REGISTRY=me (command line) names no host"}},
		{"registry as address", line("REGISTRY=http://localhost:5000"), []string{"leave http:// out"}},
		{"port", line("IMG=reg.lan:65536/app"), []string{"IMG=reg.lan:65536/app (command line) has the port 65536 at character 9: ports go from 1 to 65535"}},
		{"port of a registry", line("IMG=app", "REGISTRY=[::1]:0"), []string{"REGISTRY=[::1]:0 (command line) has the port 0 at character 7"}},
		{"two registries", line("IMG=ghcr.io/me/app", "REGISTRY=quay.io"), []string{"another registry than REGISTRY=quay.io (command line)"}},
		{"two versions", line("IMG=me/app:1", "VERSION=2"), []string{"VERSION=2 (command line) is another version"}},
		{"version", line("VERSION=1.0+5"), []string{"VERSION=1.0+5 (command line) is no valid tag", "write 1.0-5"}},
		{"version too long", line("VERSION=" + strings.Repeat("1", 129)), []string{"has 129 characters"}},
		{"version of nothing", line("VERSION=+"), []string{"is no valid tag: use letters"}},
		{"unknown architecture", line("ARCHES=amd64 arm46"), []string{"ARCHES=amd64 arm46 (command line)", "arm46", "did you mean arm64"}},
		{"empty ARCHES", line("ARCHES="), []string{"ARCHES (command line) is empty"}},
		{"empty ARCHES in YAML", say{yaml: "arches: []\n"}, []string{"ARCHES (manymage.yaml:1) is empty"}},
		{"ARCHES of commas", line("ARCHES=,"), []string{"is empty"}},
		{"twice", line("ARCHES=arm64 amd64 aarch64"), []string{`(command line) names a platform twice: "arm64" and "aarch64" are the same platform`}},
		{"malformed", line("ARCHES=arm64/"), []string{`(command line) cannot be read: `}},
		{"ONLY beside ARCHES", line("ONLY=riscv64"), []string{"ONLY=riscv64 (command line) names linux/riscv64, which ARCHES has not"}},
		{"ALLOW_DROP", line("ALLOW_DROP=arm65"), []string{"ALLOW_DROP=arm65", "did you mean"}},
		{"tag", line("TAGS=latest a/b"), []string{"TAGS=a/b", "write a-b"}},
		{"tag with its repository", line("TAGS=localhost:5000/me/app:1.2"), []string{"TAGS=localhost:5000/me/app:1.2 (command line) is a whole reference and no tag: write 1.2"}},
		{"annotation of images", line("ANNOTATIONS=manifest:a.b=c"), []string{"ANNOTATIONS=manifest:a.b (command line) is for manifest, and these are the list's: write index:a.b or a.b alone"}},
		{"annotation of one image", line("ANNOTATIONS=manifest[linux/arm64]:a.b=c"), []string{"is for manifest[linux/arm64], and these"}},
		{"tag placeholder", line("TAGS=latest {versoin}"), []string{"TAGS={versoin} (command line) holds {versoin}, and only {version}, {major} and {minor} are filled in: did you mean {version}?"}},
		{"tag placeholder of elsewhere", say{yaml: "tags: ['{arch}-{version}']\n"}, []string{"TAGS={arch}-{version} (manymage.yaml:1) holds {arch}, and only {version}, {major} and {minor}"}},
		{"tag placeholder in other tools' braces", line("TAGS={{version}} latest"), []string{"TAGS={{version}} (command line) holds {{version}}: write {version}, with one brace at either end"}},
		{"tags of releases alone", line("VERSION=dev", "TAGS={major}.{minor} {major}"), []string{"TAGS={major}.{minor} {major} (command line) leaves no tag for VERSION=dev, which is no release such as 1.4.2: add {version}"}},
		{"child without arch", line("CHILD={version}-x"), []string{"put {arch} into it"}},
		{"child placeholder", line("CHILD={arch}-{os}"), []string{"CHILD={arch}-{os} (command line) holds {os}, and only {arch} and {version} are filled in: use no other"}},
		{"child misspelt", line("CHILD={arhc}-{version}"), []string{"did you mean {arch}?"}},
		{"child is the list's", line("ARCHES=arm64", "CHILD={version}"), []string{"CHILD={version} (command line) gives linux/arm64 the tag dev, which TAGS gives the list: use for example CHILD={arch}-{version}, or"}},
		{"the list's is a child's", line("VERSION=1", "TAGS=amd64-1"), []string{"CHILD={arch}-{version} (default) gives linux/amd64 the tag amd64-1, which TAGS gives the list: choose other TAGS, or for example CHILD={version}-{arch}"}},
		{"child is no tag", line("CHILD=-{arch}"), []string{"-amd64 for linux/amd64"}},
		{"strategy", line("STRATEGY=corss"), []string{"STRATEGY=corss (command line)", "did you mean cross"}},
		{"syntax", line("SYNTAX=docker"), []string{"auto and builtin"}},
		{"retry", line("RETRY=soon"), []string{"RETRY=soon", "30s"}},
		{"negative retry", line("RETRY=-1"), []string{"RETRY=-1"}},
		{"truth", line("V=maybe"), []string{"V=maybe", "neither yes nor no"}},
		{"insecure", line("INSECURE=maybe"), []string{"INSECURE=maybe (command line)", "neither yes nor no, nor a registry's host"}},
		{"insecure repository", line("INSECURE=reg.lan,10.0.0.5/app"), []string{"INSECURE=10.0.0.5/app"}},
		{"insecure bracket without end", line("INSECURE=reg.lan [::1"), []string{"INSECURE=[::1 (command line)", "nor a registry's host"}},
		{"insecure bracket without beginning", line("INSECURE=::1]"), []string{"INSECURE=::1]"}},
		{"insecure port", line("INSECURE=reg.lan:70000"), []string{"INSECURE=reg.lan:70000"}},
		{"insecure colon", line("INSECURE=reg.lan:"), []string{"INSECURE=reg.lan:"}},
		{"insecure pattern", line("INSECURE=*.lan"), []string{"INSECURE=*.lan"}},
		{"insecure address", line("INSECURE=http://reg.lan"), []string{"INSECURE=http://reg.lan"}},
		{"yes among hosts", line("INSECURE=reg.lan,yes"), []string{"INSECURE=yes"}},
		{"hosts behind yes", line("INSECURE=yes,reg.lan"), []string{"INSECURE=yes"}},
		{"context", line("CONTEXT=https://github.com/me/app.git"), []string{"is no folder"}},
		{"dockerfile placeholder", line("DOCKERFILE=D.{ARCH}"), []string{"DOCKERFILE=D.{ARCH} (command line) holds {ARCH}, and only {arch} is filled in: did you mean {arch}?"}},
		{"foreign with an open quote", line("ALLOW_FOREIGN='/a b"), []string{"ALLOW_FOREIGN (command line) has a quote that is not closed"}},
		{"foreign", line("ALLOW_FOREIGN=bin/x"), []string{"begin it with a slash"}},
		{"unknown word", line("IMGE=x"), []string{"IMGE (command line) is no knob: did you mean IMG?"}},
		{"word of elsewhere", line("IMAGE=x"), []string{"did you mean IMG?"}},
		{"word in small letters", line("arches=x"), []string{"did you mean ARCHES?"}},
		{"word with the prefix", line("MANYMAGE_TAGS=x"), []string{"did you mean TAGS?"}},
		{"word of nobody", line("SOMETHING_ELSE_ENTIRELY=x"), []string{"is no knob: the target help lists them"}},
		{"GOARCH", line("GOARCH=arm64"), []string{"GOARCH (command line) is no knob", `ARCHES="amd64 arm64"`}},
		{"no word", line("build"), []string{"is no NAME=value word"}},
		{"one knob, two orders", say{env: map[string]string{"ARCHES": "amd64 arm64", "PLATFORMS": "arm64 amd64"}}, []string{"which says amd64 arm64: unset one"}},
		{"one knob, two names", say{env: map[string]string{"ARCHES": "amd64", "PLATFORMS": "arm64"}}, []string{"PLATFORMS=arm64 (environment PLATFORMS)", "unset one"}},
		{"build-arg by name", line("BUILD_ARGS=API_TOKEN=" + leak), []string{"BUILD_ARGS=API_TOKEN (command line) looks like a secret", "SECRETS=api_token=env:API_TOKEN"}},
		{"build-arg by value", line("BUILD_ARGS=X=ghp_" + leak), []string{"looks like a secret"}},
		{"label by value", line("LABELS=X=-----BEGIN RSA PRIVATE KEY-----" + leak), []string{"LABELS (command line) holds what looks like a secret"}},
		{"label of one word", line("LABELS=X=ghp_" + leak), []string{"LABELS=X (command line) looks like a secret, which everybody could read in the image"}},
		{"build-arg that is no name", line("BUILD_ARGS=A-B=1"), []string{"BUILD_ARGS=A-B (command line) is no name of an ARG"}},
		{"open escape", line(`BUILD_ARGS=A=1\`), []string{"BUILD_ARGS (command line) has a quote"}},
		{"open quote", line(`BUILD_ARGS="A=` + leak), []string{"BUILD_ARGS (command line) has a quote"}},
		{"build-arg of the builder", line("BUILD_ARGS=TARGETARCH=arm64"), []string{"is set for each platform"}},
		{"GOARCH as build-arg", line("BUILD_ARGS=GOARCH=arm64"), []string{"is set for each platform"}},
		{"build-arg without name", line("BUILD_ARGS==x"), []string{"has"}},
		{"placeholder", line("BUILD_ARGS=A=x-{arhc}"), []string{"BUILD_ARGS=A (command line) holds {arhc}, and only {arch}, {variant}, {goarm}, {uname}, {debian}, {docker}, {rust} and {hass} are filled in: did you mean {arch}?"}},
		{"placeholder in capitals", line("BUILD_ARGS=A={RUST}"), []string{"did you mean {rust}?"}},
		{"placeholder of nobody", line("BUILD_ARGS=URL=/x/{identity}"), []string{"BUILD_ARGS=URL (command line) holds {identity}", "set it in the environment and write BUILD_ARGS=URL"}},
		{"label without value", line("LABELS=x"), []string{"LABELS=x (command line) has no value"}},
		{"context without value", line("CONTEXTS=x="), []string{"x=folder"}},
		{"secret without file", line("SECRETS=x="), []string{"SECRETS=x= (command line) has no file"}},
		{"secret without id", line("SECRETS=type=env,src=X"), []string{"has no id"}},
		{"secret twice", line("SECRETS=x=a x=b"), []string{"SECRETS=x=b (command line) is there twice"}},
		{"secret of both", line("SECRETS=id=x,src=a,env=B"), []string{"both a file and a variable"}},
		{"secret field", line("SECRETS=id=x,scr=a"), []string{"has scr"}},
		{"secret type", line("SECRETS=id=x,type=evn"), []string{"has type=evn"}},
		{"agent", line("SSH=git="), []string{"SSH=git= (command line) has no path"}},
		{"agent without id", line("SSH==x"), []string{"SSH==x (command line) has no id"}},
		{"password in the line", line("REGISTRY_USER=me", "REGISTRY_PASSWORD="+leak), []string{"REGISTRY_PASSWORD (command line) would be seen"}},
		{"password in the file", say{yaml: "registry_password: " + leak}, []string{"manymage.yaml:1", "does not belong into a file"}},
		{"user alone", line("REGISTRY_USER=me"), []string{"has no password"}},
		{"password alone", say{env: map[string]string{"REGISTRY_PASSWORD": leak}}, []string{"has no user"}},
		{"YAML key", say{yaml: "img: me/app\nachres: [arm64]\n"}, []string{"achres (manymage.yaml:2) is no knob: did you mean arches?"}},
		{"YAML key with a hyphen", say{yaml: "build-args: {A: 1}\n"}, []string{"did you mean build_args?"}},
		{"YAML twice", say{yaml: "img: me/a\nIMG: me/b\n"}, []string{"IMG (manymage.yaml:2) is there twice"}},
		{"synonym beside the name", line("ARCHES=amd64", "PLATFORMS=arm64"), []string{"PLATFORMS=arm64 (command line) is the same knob as ARCHES, which says amd64: leave one out"}},
		{"YAML synonym twice", say{yaml: "arches: arm64\nplatforms: arm64\n"}, []string{"platforms (manymage.yaml:2) is there twice, first at manymage.yaml:1: leave one"}},
		{"YAML merge of knobs", say{yaml: "x-a: &a {img: me/app}\n<<: *a\n"}, []string{"<< (manymage.yaml:2) takes in another map's lines, which is not done here"}},
		{"YAML merge of pairs", say{yaml: "x-a: &a {A: 1}\nbuild_args:\n  <<: *a\n  B: 2\n"}, []string{"build_args (manymage.yaml:2) has a << (line 3), which takes in another map's lines"}},
		{"YAML null", say{yaml: "img:\n"}, []string{"img (manymage.yaml:1) has no value"}},
		{"YAML list for one", say{yaml: "img: [a]\n"}, []string{"is one value"}},
		{"YAML list for a truth", say{yaml: "v: [1]\n"}, []string{"is one value"}},
		{"YAML map for a list", say{yaml: "arches: {a: b}\n"}, []string{"write it as [a, b]"}},
		{"YAML map for paths", say{yaml: "allow_foreign: {a: b}\n"}, []string{"write it as [a, b]"}},
		{"YAML null in a list", say{yaml: "arches: [amd64,\n  ~]\n"}, []string{"arches (manymage.yaml:1) holds something else than words (line 2)"}},
		{"YAML list for a name", say{yaml: "labels:\n  ? [a]\n  : b\n"}, []string{"labels (manymage.yaml:1) holds something else than NAME: value (line 2)"}},
		{"YAML list of lists", say{yaml: "arches:\n- [a]\n"}, []string{"manymage.yaml:1", "line 2"}},
		{"YAML map of lists", say{yaml: "labels:\n  a: [b]\n"}, []string{"line 2"}},
		{"YAML map twice", say{yaml: "labels:\n  a: b\n  a: c\n"}, []string{"names a twice (line 3)"}},
		{"YAML text", say{yaml: "hello\n"}, []string{"manymage.yaml:1: is no map"}},
		{"no YAML", say{yaml: "img: a/b\ntarget: x: y\n"}, []string{"manymage.yaml:2: is no YAML: mapping values are not allowed in this context"}},
		{"no YAML in the first line", say{yaml: "target: x: y\nimg: a/b\n"}, []string{"manymage.yaml:1: is no YAML: mapping values are not allowed in this context"}},
		{"... of one", say{yaml: "[a"}, []string{"manymage.yaml:1: is no YAML: did not find"}},
		{"... behind a tab", say{yaml: "\timg: a/b\n"}, []string{"manymage.yaml:1: is no YAML: found character"}},
		{"no YAML, somewhere", say{yaml: "a: *b\n"}, []string{"manymage.yaml: is no YAML: unknown anchor 'b' referenced"}},
		{"two YAML", say{yaml: "img: a/b\n---\nimg: c/d\n"}, []string{"manymage.yaml:2: is a second document: leave the first"}},
		{"no YAML behind YAML", say{yaml: "img: a/b\n---\nimg: [\n"}, []string{"manymage.yaml:3: is no YAML"}},
		{"YAML's own fault", say{yaml: "target: x\nstrategy: crss\n"}, []string{"STRATEGY=crss (manymage.yaml:2)", "did you mean cross"}},
		{"magefile's fault", say{defaults: Defaults{Strategy: "x"}}, []string{"STRATEGY=x (magefile)"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.s.load(t)
			var usage *UsageError
			if !errors.As(err, &usage) || !errors.Is(err, ErrUsage) {
				t.Fatalf("got %v, want a *UsageError", err)
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if strings.Contains(err.Error(), leak) {
				t.Errorf("%q shows what it must not", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one fault: %v", err)
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := line("ARCHES=x86", "STRATEGY=x", "RETRY=x", "IMG=app").load(t)
	for _, word := range []string{"STRATEGY=x", "RETRY=x", "IMG=app"} {
		if !strings.Contains(fmt.Sprint(err), word) {
			t.Errorf("%v does not say %s", err, word)
		}
	}
	if _, err := Load(Input{Dir: "relative"}); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "DIR=relative is no absolute path") {
		t.Errorf("a relative folder: %v", err)
	}
}

func TestLooksLikeASecret(t *testing.T) {
	for name, want := range map[string]bool{
		"TOKEN": true, "NPM_TOKEN": true, "db_password": true, "AWS_SECRET_ACCESS_KEY": true, "API_KEY": true, "SECRET": true, "GIT_CREDENTIALS": true,
		"VERSION": false, "TOKENIZER": false, "CACHE_KEY": false, "SECRET_NAME": false, "PASSWORD_FILE": false, "TOKEN_URL": false, "PUBLIC_KEY_TOKEN": false,
	} {
		if leaks(name, "x") != want {
			t.Errorf("name %s: %t", name, !want)
		}
		if leaks(name, "") {
			t.Errorf("an empty %s is a secret", name)
		}
	}
	for value, want := range map[string]bool{
		"AKIAIOSFODNN7EXAMPLE": true, "https://user:pass@host/x": true, "github_pat_" + strings.Repeat("a", 30): true,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc": true,
		"https://host:8080/x@y":                        false, "sha256:" + strings.Repeat("a", 64): false, "git@github.com:me/app": false, "1.2.3": false,
	} {
		if leaks("X", value) != want {
			t.Errorf("value %s: %t", value, !want)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	base := func(t *testing.T, words ...string) Config { return line(words...).mustLoad(t) }
	refuse := func(c Config, words ...string) {
		t.Helper()
		err := c.CheckFiles()
		for _, word := range words {
			if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), word) {
				t.Errorf("%v does not say %q", err, word)
			}
		}
	}
	refuse(base(t), "there is no ", "/Dockerfile", "DOCKERFILE=path")
	podmans := base(t, "CONTEXT=sub")
	if err := os.Mkdir(podmans.Context, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(podmans.Context, "Containerfile"), "FROM scratch\n")
	refuse(podmans, "/sub/Dockerfile, but a Containerfile: name it with DOCKERFILE=sub/Containerfile, and what it ignores in .dockerignore")
	refuse(base(t, "CONTEXT=nowhere"), "CONTEXT=nowhere (command line)")
	refuse(base(t, "DOCKERFILE=D.{arch}"), "D.amd64", "D.arm64")
	refuse(base(t, "SECRETS=a=nofile b=env:NOTSET", "SSH=default", "BUILD_ARGS=NOTSET", "CONTEXTS=x=nofolder"), "nofile", "SECRETS=b=env:NOTSET (command line) takes the variable NOTSET, which is not set",
		"SSH=default (command line) takes the agent of SSH_AUTH_SOCK", "BUILD_ARGS=NOTSET (command line) has no value", "nofolder")

	set := map[string]string{"SET": "x", "SSH_AUTH_SOCK": "/s"}
	c := say{words: []string{"ONLY=arm64", "DOCKERFILE=D.{arch}", "SECRETS=a=s b=env:SET", "SSH=default k=/k", "BUILD_ARGS=SET"}, env: set}.mustLoad(t)
	write(t, filepath.Join(c.Dir, "D.arm64"), "FROM scratch\n")
	write(t, filepath.Join(c.Dir, "s"), "")
	if err := c.CheckFiles(); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(c.Dir, "file"), "")
	c.Context = filepath.Join(c.Dir, "file")
	refuse(c, "is no folder")
	c = base(t)
	if err := os.Mkdir(c.Dockerfile, 0o755); err != nil {
		t.Fatal(err)
	}
	refuse(c, "is no file")
}

// Docker takes a Dockerfile in small letters where there is no other.
func TestSmallDockerfile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"dockerfile", "Dockerfile"} {
		write(t, filepath.Join(dir, name), "FROM scratch\n")
		c, err := Load(Input{Dir: dir})
		if err != nil || c.Dockerfile != filepath.Join(dir, name) || c.CheckFiles() != nil {
			t.Errorf("%s, %v", c.Dockerfile, err)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, FileName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Input{Dir: dir}); !errors.Is(err, ErrUsage) || !errors.Is(err, syscall.EISDIR) || !strings.Contains(err.Error(), FileName+": cannot be read") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := (say{yaml: "# " + strings.Repeat("x", largestFile)}).load(t); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a huge file: %v", err)
	}
}

// The table is what help and README are made of: nothing in it may be missing or wrong.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range append(Knobs(), Environment()...) {
		for _, name := range append([]string{k.Name}, k.Synonyms...) {
			if seen[name] || name != strings.ToUpper(name) {
				t.Errorf("%s is there twice, or not in capitals", name)
			}
			seen[name] = true
		}
		if k.Help == "" || strings.HasSuffix(k.Help, ".") || strings.Contains(k.Help, "\n") {
			t.Errorf("%s: help %q", k.Name, k.Help)
		}
		if k.Example != "" && !strings.HasPrefix(k.Example, k.Name+"=") {
			t.Errorf("%s: example %q", k.Name, k.Example)
		}
	}
	for _, k := range Knobs() {
		if k.Example == "" {
			continue
		}
		shell, err := splitQuoted(k.Example, "")
		if err != nil || len(shell) != 1 {
			t.Errorf("the example %s is %d words of a shell (%v)", k.Example, len(shell), err)
		}
		if _, err := line(shell...).load(t); err != nil {
			t.Errorf("the example %s: %v", k.Example, err)
		}
	}
}

func TestLaterWordsAndNoSharing(t *testing.T) {
	c := line("ARCHES=amd64", "ARCHES=arm64", "ARCHES=s390x", "PLATFORMS=s390x").mustLoad(t)
	if names(c.Platforms) != "linux/s390x" {
		t.Errorf("the last word does not count: %s", names(c.Platforms))
	}
	c.Run()[0].Architecture = "x"
	c.Values()[0].Text = "x"
	if names(c.Platforms) != "linux/s390x" || c.Values()[0].Text == "x" {
		t.Error("an accessor hands out the Config's own slice")
	}
}

// FuzzImage: whatever IMG and VERSION are, what is accepted makes valid references all over.
func FuzzImage(f *testing.F) {
	for _, seed := range [][2]string{{"me/app:1", ""}, {"localhost:5000/a", "1"}, {"[::1]:5000/x", "v"}, {"a/b/c_d__e-f.g", "x"}, {"A/b", ""}, {"a:b:c", ""}, {"a//b", ""}, {":", "+"}} {
		f.Add(seed[0], seed[1])
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, img, version string) {
		c, err := Load(Input{Words: []string{"IMG=" + img, "VERSION=" + version}, Dir: dir})
		if err != nil {
			if !errors.Is(err, ErrUsage) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		if c.Embedded {
			c = c.WithRegistry("127.0.0.1:5000")
		}
		refs := c.ListRefs()
		for _, p := range c.Platforms {
			refs = append(refs, c.ChildRef(p))
		}
		for _, ref := range refs {
			named, err := reference.ParseNamed(ref)
			if err != nil || named.String() != ref {
				t.Errorf("IMG=%q VERSION=%q made the reference %q: %v", img, version, ref, err)
			}
		}
	})
}

// FuzzFile: no manymage.yaml makes it panic, and every fault is a usage error in one line.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{"img: me/app\narches: [arm64]\nbuild_args: {A: 1}\n", "a: &a [*a]", "x-a: &a {b: c}\nlabels: *a", "? [a]\n: b", "- a", "\xff", "a: !!binary x", "labels:\n  <<: {a: b}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := &loader{in: Input{Dir: "/"}, getenv: overlay(nil, nil)}
		l.parseFile([]byte(text))
		for _, fault := range l.faults {
			if !errors.Is(fault, ErrUsage) || strings.Contains(fault.Error(), "\n") {
				t.Errorf("fault %q", fault)
			}
		}
	})
}

// Quotes and backslashes are a shell's.
func TestQuotes(t *testing.T) {
	for text, want := range map[string][]string{
		`'a\b' "a\b" "a\"b\\"`: {`a\b`, `a\b`, `a"b\`}, `a\ b`: {"a b"}, `'' a''b`: {"", "ab"}, `"it's" 'a "b"'`: {"it's", `a "b"`}, "\t": nil,
	} {
		if got, err := splitQuoted(text, ""); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}

// FuzzSplit: what is quoted and joined is split into the same words again.
func FuzzSplit(f *testing.F) {
	f.Add("a", "b c", `"d\ 'e`)
	f.Add("", `\`, `"`)
	f.Add(",", "a,b", "c")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		want := []string{a, b, c}
		if !utf8.ValidString(a) || !utf8.ValidString(b) || !utf8.ValidString(c) {
			return // bytes that are no UTF-8 do not survive, nor do they in YAML
		}
		for f, separators := range map[form]string{words: "", paths: ","} {
			got, err := splitQuoted(joinQuoted(want, f), separators)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q became %q (%v)", want, got, err)
			}
		}
	})
}

// A run that goes by some knobs only is not stopped by the others, which other tools may have set, unless its own line says them.
func TestLoadPardonsWhatIsNotUsed(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		yaml  string
		words []string
		fault string // in the error; "" for none
	}{
		"unused variables":    {env: map[string]string{"VERSION": "foo bar", "IMG": "app", "CHILD": "x", "TAGS": "{x}", "ARCHES": "bogus", "LABELS": `"`}},
		"an unused key":       {yaml: "arches: bogus\nimg: app\nunknown: 1\n"},
		"a used variable":     {env: map[string]string{"RETRY": "soon"}, fault: "RETRY"},
		"a used key":          {yaml: "retry: soon\n", fault: "retry"},
		"a used key's form":   {yaml: "retry: [1]\n", fault: "retry"},
		"no file of knobs":    {yaml: "[", fault: FileName},
		"the command line":    {words: []string{"ARCHES=bogus"}, fault: "ARCHES"},
		"whose an account is": {env: map[string]string{"IMG": "app", "REGISTRY_USER": "me", "REGISTRY_PASSWORD": "x"}, fault: "IMG"},
	} {
		dir := t.TempDir()
		if c.yaml != "" {
			write(t, filepath.Join(dir, FileName), c.yaml)
		}
		got, err := Load(Input{Words: c.words, Getenv: func(name string) string { return c.env[name] }, Dir: dir, Uses: []string{"RETRY"}})
		switch {
		case c.fault == "" && (err != nil || got.Retry == 0):
			t.Errorf("%s: %v, %v", name, got.Retry, err)
		case c.fault != "" && (err == nil || !strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(c.fault))):
			t.Errorf("%s: %v", name, err)
		}
	}
}
