package git

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository is a real one in a folder of its own, untouched by the machine's git configuration.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	r := repository{t, t.TempDir()}
	r.git("init", "-q")
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_AUTHOR_DATE=1700000000 +0200", "GIT_COMMITTER_DATE=1700000000 +0200")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

func (r repository) commit(name, content string) {
	r.t.Helper()
	r.write(name, content)
	r.git("add", ".")
	r.git("commit", "-q", "-m", name)
}

func (r repository) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) describe(env map[string]string) Info {
	r.t.Helper()
	info, err := Describe(r.t.Context(), r.dir, func(name string) string { return env[name] })
	if err != nil {
		r.t.Fatal(err)
	}
	return info
}

func TestTaggedCommit(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	r.git("tag", "v1.2.0")
	r.git("remote", "add", "origin", "https://user:token@example.org/me/app.git")
	info := r.describe(nil)
	if info.Version != "v1.2.0" || info.Tag != "v1.2.0" || info.Origin != "git tag v1.2.0" || info.Dirty {
		t.Errorf("version: %+v", info)
	}
	if info.Source != "https://example.org/me/app" || info.Name != "app" {
		t.Errorf("source: %+v", info)
	}
	if len(info.Revision) != 40 || !info.Created.Equal(time.Unix(1700000000, 0)) || info.Created.Location() != time.UTC {
		t.Errorf("commit: %+v", info)
	}
}

// Of a commit's tags the release is the version, and not the tag of its series that moves along with releases.
func TestTagsThatMoveAlong(t *testing.T) {
	for _, tags := range [][]string{{"v1.4.2", "v1.4", "v1"}, {"v1", "v1.4.2-rc.1", "v1.4", "v1.4.2"}, {"v1.4.2", "v1.4.1", "v1"}, {"latest", "v1.4.2", "v1.4.2-rc.1"}, {"v1.4.1", "v1.4.2"}, {"v1.4.2", "v1.0.0-rc.1"}} {
		r := newRepository(t)
		r.commit("a", "1")
		for _, tag := range tags {
			r.git("tag", tag)
		}
		const want = "v1.4.2"
		if info := r.describe(nil); info.Version != want || info.Tag != want || info.Origin != "git tag "+want || info.Dirty {
			t.Errorf("%v: %+v, want %s", tags, info, want)
		}
		r.write("a", "2")
		if info := r.describe(nil); info.Version != want+"-dirty" || info.Tag != want || !info.Dirty {
			t.Errorf("%v, changed: %+v, want %s", tags, info, want)
		}
	}
}

// git describe takes a tag with a message before any without one.
func TestTagsWithMessages(t *testing.T) {
	for message, test := range map[string]struct{ plain, want string }{
		"v1.4.2-rc.1": {"v1.4.2", "v1.4.2"},
		"v1.5.0-rc.1": {"v1.4.2", "v1.5.0-rc.1"}, // what comes next
		"app/v2.0.0":  {"v1.4.2", "app/v2.0.0"},
		"20241201":    {"1.4.2", "20241201"},
	} {
		r := newRepository(t)
		r.commit("a", "1")
		r.git("tag", test.plain)
		r.git("tag", "-a", "-m", "x", message)
		if info := r.describe(nil); info.Version != test.want {
			t.Errorf("%s beside %s: %s", message, test.plain, info.Version)
		}
	}
}

func TestAfterTagAndDirty(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	r.git("tag", "-a", "-m", "x", "v1.2.0-rc.1")
	r.commit("a", "2")
	if info := r.describe(nil); !strings.HasPrefix(info.Version, "v1.2.0-rc.1-1-g") || info.Tag != "v1.2.0-rc.1" || info.Dirty {
		t.Errorf("after the tag: %+v", info)
	}
	r.write("a", "3")
	if info := r.describe(nil); !strings.HasSuffix(info.Version, "-dirty") || !info.Dirty || info.Tag != "v1.2.0-rc.1" {
		t.Errorf("dirty: %+v", info)
	}
}

// A folder's version is its own repository's, and not that of one around it.
func TestVersion(t *testing.T) {
	r := newRepository(t)
	r.commit("sub/a", "1")
	r.git("tag", "v1.2.0")
	r.write("sub/a", "2")
	for dir, want := range map[string]string{r.dir: "v1.2.0-dirty", filepath.Join(r.dir, "sub"): "", "": ""} {
		if got := Version(t.Context(), dir); got != want {
			t.Errorf("%q: %q, want %q", dir, got, want)
		}
	}
}

func TestUntaggedSubfolder(t *testing.T) {
	r := newRepository(t)
	r.commit("services/api/Dockerfile", "FROM scratch\n")
	info, err := Describe(t.Context(), filepath.Join(r.dir, "services", "api"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if info.Prefix != "services/api" || info.Tag != "" || info.Origin != "git commit "+info.Version || !strings.HasPrefix(info.Revision, info.Version) {
		t.Errorf("%+v", info)
	}
}

func TestNothingToSay(t *testing.T) {
	t.Run("no commit", func(t *testing.T) {
		if info := newRepository(t).describe(nil); info != (Info{}) {
			t.Errorf("%+v", info)
		}
	})
	t.Run("no repository", func(t *testing.T) {
		t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(t.TempDir()))
		if info := (repository{t, t.TempDir()}).describe(nil); info != (Info{}) {
			t.Errorf("%+v", info)
		}
	})
	t.Run("no git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if info := (repository{t, t.TempDir()}).describe(nil); info != (Info{}) {
			t.Errorf("%+v", info)
		}
	})
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Describe(ctx, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// A repository about which nothing is heard must not silently become version dev.
func TestSilenceIsTold(t *testing.T) {
	repository, folder := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(repository, ".git", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	missing := &exec.Error{Name: "git", Err: exec.ErrNotFound}
	for _, test := range []struct {
		name, dir string
		answer    answer
		want      string
	}{
		{"another owner", "/src", answer{complaint: "fatal: detected dubious ownership in repository at '/src'"}, "git config --global --add safe.directory /src"},
		{"another owner of the folder's repository", "/src/api", answer{complaint: "fatal: detected dubious ownership in repository at '/s rc'\nTo add an exception for this directory, call:\n\n\tgit config --global --add safe.directory '/s rc'\n"},
			"about /src/api because another user owns it: run git config --global --add safe.directory '/s rc'"},
		{"no repository", "/src", answer{complaint: "fatal: not a git repository"}, ""},
		{"too slow", "/src", answer{err: context.DeadlineExceeded}, "git has not answered about /src in 10s: without VERSION the image is version dev"},
		{"no git", filepath.Join(repository, ".git", "deep"), answer{err: missing}, "without VERSION the image is version dev"},
		{"no git and no repository", folder, answer{err: missing}, ""},
	} {
		if got := test.answer.note(test.dir); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: note %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWhatGitHasAgainstARepositoryIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a worktree without its repository": {map[string]string{".git": "gitdir: /nowhere/worktrees/a\n"}, "not a git repository: /nowhere/worktrees/a; without VERSION"},
		"a configuration that is torn":      {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/objects/a": "", ".git/refs/a": "", ".git/config": "[core\n"}, "bad config"},
		"no repository":                     {map[string]string{"a": ""}, ""},
		"an empty folder of the name":       {map[string]string{".git/a": ""}, ""},
	} {
		dir := t.TempDir()
		for file, text := range test.files {
			if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755), os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		info, err := Describe(t.Context(), dir, nil)
		if err != nil || info.Version != "" || !strings.Contains(info.Note, test.want) || (info.Note == "") != (test.want == "") {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// A submodule without its repository keeps git from describing the commit that it knows.
func TestABrokenSubmoduleIsTold(t *testing.T) {
	sub, r := newRepository(t), newRepository(t)
	sub.commit("a", "1")
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.dir, "sub")
	r.commit("b", "1")
	r.git("tag", "v1.2.0")
	r.write("sub/.git", "gitdir: /nowhere\n")
	info := r.describe(nil)
	if info.Version != "" || info.Revision == "" || !strings.Contains(info.Note, "not a git repository: /nowhere; without VERSION") {
		t.Errorf("%+v", info)
	}
}

// A tag that is a date looks like a hash.
func TestATagOfDigits(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	r.git("tag", "20241201")
	if info := r.describe(nil); info.Tag != "20241201" || info.Origin != "git tag 20241201" {
		t.Errorf("%+v", info)
	}
}

func TestNoGitIsTold(t *testing.T) {
	r := newRepository(t)
	t.Setenv("PATH", t.TempDir())
	if info := r.describe(nil); info.Version != "" || !strings.Contains(info.Note, "no git to ask") {
		t.Errorf("got %+v", info)
	}
	ci := map[string]string{"GITHUB_SHA": strings.Repeat("f", 40), "GITHUB_WORKSPACE": r.dir}
	if info := r.describe(ci); info.Version == "" || info.Note != "" {
		t.Errorf("where the CI knows: %+v", info)
	}
}

func TestEpoch(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	if got := r.describe(map[string]string{"SOURCE_DATE_EPOCH": "1000"}).Created.Unix(); got != 1000 {
		t.Errorf("created %d, want the epoch", got)
	}
	if got, err := Epoch(func(string) string { return "" }); got != nil || err != nil {
		t.Errorf("no epoch is %v, %v", got, err)
	}
	for _, bad := range []string{"yesterday", "-1", "1.5", "253402300800", "99999999999999999999"} {
		_, err := Describe(t.Context(), r.dir, func(name string) string {
			return map[string]string{"SOURCE_DATE_EPOCH": bad}[name]
		})
		if !errors.Is(err, ErrEpoch) || !strings.Contains(err.Error(), bad) {
			t.Errorf("SOURCE_DATE_EPOCH=%s: %v", bad, err)
		}
	}
}

func TestCIFillsWhatGitLacks(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	github := map[string]string{
		"GITHUB_SHA": sha, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "me/app",
		"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v2.0.0",
	}
	gitlab := map[string]string{"CI_COMMIT_SHA": sha, "CI_PROJECT_URL": "https://gitlab.com/group/sub/app", "CI_COMMIT_TAG": ""}
	tests := []struct {
		name string
		env  map[string]string
		want Info
	}{
		{"github tag", github, Info{Version: "v2.0.0", Tag: "v2.0.0", Origin: "GITHUB_REF_NAME", Revision: sha, Source: "https://github.com/me/app", Name: "app"}},
		{"github branch", with(github, "GITHUB_REF_TYPE", "branch"), Info{Version: "0123456", Origin: "git commit 0123456", Revision: sha, Source: "https://github.com/me/app", Name: "app"}},
		{"github without a repository", with(github, "GITHUB_REPOSITORY", ""), Info{Version: "v2.0.0", Tag: "v2.0.0", Origin: "GITHUB_REF_NAME", Revision: sha}},
		{"gitlab tag", with(gitlab, "CI_COMMIT_TAG", "v3"), Info{Version: "v3", Tag: "v3", Origin: "CI_COMMIT_TAG", Revision: sha, Source: "https://gitlab.com/group/sub/app", Name: "app"}},
		{"gitlab branch", gitlab, Info{Version: "0123456", Origin: "git commit 0123456", Revision: sha, Source: "https://gitlab.com/group/sub/app", Name: "app"}},
		{"a folder that is not the job's", with(github, "GITHUB_WORKSPACE", "/elsewhere"), Info{}},
		{"nor gitlab's", with(gitlab, "CI_PROJECT_DIR", "/elsewhere"), Info{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir()) // no git
			if got := (repository{t, t.TempDir()}).describe(test.env); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestGitBeatsCI(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	r.git("remote", "add", "origin", "git@example.org:me/own.git")
	info := r.describe(map[string]string{"GITHUB_SHA": strings.Repeat("f", 40), "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v9", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "me/other"})
	if info.Source != "https://example.org/me/own" || info.Tag != "" || info.Revision == strings.Repeat("f", 40) {
		t.Errorf("the CI's word about another commit was believed: %+v", info)
	}
}

// Of several tags on a commit, such as v1 that moves along with releases, the CI knows for which it works.
func TestTheCIsTagIsTheOne(t *testing.T) {
	r := newRepository(t)
	r.commit("a", "1")
	r.git("tag", "v1.4.2")
	r.git("tag", "v1")
	ci := map[string]string{"GITHUB_SHA": r.describe(nil).Revision, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.4.2"}
	if info := r.describe(ci); info.Version != "v1.4.2" || info.Tag != "v1.4.2" || info.Origin != "GITHUB_REF_NAME" {
		t.Errorf("got %+v", info)
	}
	if info := r.describe(with(ci, "GITHUB_REF_TYPE", "branch")); info.Version != "v1.4.2" || info.Origin != "git tag v1.4.2" {
		t.Errorf("without a tag of the CI: %+v", info)
	}
	r.write("a", "2") // by the job itself
	if info := r.describe(ci); info.Version != "v1.4.2-dirty" || !info.Dirty {
		t.Errorf("of changed files: %+v", info)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		dir, workspace string
		want           bool
	}{
		{"/a", "/a", true}, {"/a/b", "/a", true}, {"/a/..b", "/a", true}, {"/a", "", true},
		{"/", "/a", false}, {"/b", "/a", false}, {"/ab", "/a", false}, {"a", "/a", false},
	} {
		if within(c.dir, c.workspace) != c.want {
			t.Errorf("%s in %s: %v", c.dir, c.workspace, !c.want)
		}
	}
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if !within(real, link) || !within(link, real) {
		t.Error("a folder is not in the workspace that is a link to it")
	}
}

func with(env map[string]string, name, value string) map[string]string {
	out := maps.Clone(env)
	out[name] = value
	return out
}

func TestWeb(t *testing.T) {
	for remote, want := range map[string]string{
		"git@github.com:me/app.git":                  "https://github.com/me/app",
		"github.com:me/app":                          "https://github.com/me/app",
		"ssh://git@host.example:2222/me/app.git":     "https://host.example/me/app",
		"ssh://git@ssh.github.com:443/me/app.git":    "https://github.com/me/app",
		"ssh://git@altssh.gitlab.com:443/me/app.git": "https://gitlab.com/me/app",
		"https://ssh.example/me/app":                 "https://ssh.example/me/app",
		"https://user:tok%40en@gitlab.com/g/app.git": "https://gitlab.com/g/app",
		"ssh://git@[2001:db8::1]:2222/me/app.git":    "https://[2001:db8::1]/me/app",
		"https://me@[2001:db8::1]:8443/me/app.git":   "https://[2001:db8::1]:8443/me/app",
		"https://token@github.com/me/app/":           "https://github.com/me/app",
		"https://github.com/me/app?token=x#y":        "https://github.com/me/app",
		"http://host:3000/me/app":                    "http://host:3000/me/app",
		"git://host/app.git":                         "https://host/app",
		"/srv/git/app.git":                           "",
		"file:///srv/git/app.git":                    "",
		"../app":                                     "",
		"ext::sh -c evil":                            "",
		"":                                           "",
	} {
		if got := web(remote); got != want {
			t.Errorf("web(%q) = %q, want %q", remote, got, want)
		}
	}
}

func TestRemote(t *testing.T) {
	for lines, want := range map[string]string{
		"": "",
		"remote.upstream.url u\nremote.fork.url f":   "f",
		"remote.upstream.url u\nremote.origin.url o": "o",
		"remote.a.b.url x y":                         "x y",
	} {
		if got := remote(lines); got != want {
			t.Errorf("remote(%q) = %q, want %q", lines, got, want)
		}
	}
}

func TestTagOf(t *testing.T) {
	for described, want := range map[string]string{
		"v1.2.0": "v1.2.0", "v1.2.0-3-gabc1234": "v1.2.0", "abc1234": "", "abcd": "abcd", "1.0-g-3": "1.0-g-3", "release/1-2-gffff": "release/1",
	} {
		if got := tagOf(described, "abc12345"); got != want {
			t.Errorf("tagOf(%q) = %q, want %q", described, got, want)
		}
	}
}

func TestLabels(t *testing.T) {
	info := Info{Revision: "abc", Source: "https://x/y", Created: time.Unix(1700000000, 0)}
	want := map[string]string{
		"org.opencontainers.image.revision": "abc", "org.opencontainers.image.source": "https://x/y",
		"org.opencontainers.image.version": "1.0", "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
	}
	if got := info.Labels("1.0"); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (Info{}).Labels(""); len(got) != 0 {
		t.Errorf("labels out of nothing: %v", got)
	}
}

// FuzzWeb: whatever a remote is, its credentials are not in the address, and the address is a web address.
func FuzzWeb(f *testing.F) {
	for _, seed := range []string{"https://u:hunter2@h/p.git", "git@h:p", "ssh://u:hunter2@h:22/p", "u:hunter2@h:p", "http://[::1]:80/a", "::", "a:b:c@d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, remote string) {
		got := web(remote)
		if got == "" {
			return
		}
		if !strings.HasPrefix(got, "https://") && !strings.HasPrefix(got, "http://") {
			t.Errorf("web(%q) = %q is no web address", remote, got)
		}
		host, _, _ := strings.Cut(strings.SplitN(got, "://", 2)[1], "/")
		if strings.Contains(host, "@") {
			t.Errorf("web(%q) = %q keeps user information", remote, got)
		}
	})
}
