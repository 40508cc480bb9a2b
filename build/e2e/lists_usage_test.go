package e2e

import (
	"testing"

	"github.com/manymage/manymage/platforms/elftest"
)

// Who is at fault decides the exit code: the command line or a file (2), an image that is not what it says (3), what the tag has
// today (4), and nothing of these (1).
func TestListsExitCodes(t *testing.T) {
	at := newListScene(t, Plain(t))
	r := at.repo
	Run(t, at.dir, nil, "manifest:create", r+":1", r+":amd64-1,"+r+":arm64-1").Exits(t, 0)
	Run(t, at.dir, nil, "manifest:create", r+":twin", r+":amd64-1,"+r+":arm64-1").Exits(t, 0)
	at.tag(t, "again-1", image{os: "linux", arch: "amd64", config: map[string]any{"User": "1"}})
	at.tag(t, "lie-1", image{os: "linux", arch: "arm64", root: Dir(t, Files{"app*": string(elftest.Of("amd64"))}), config: map[string]any{"Entrypoint": []string{"/app"}}})
	for _, test := range []struct {
		code int
		says string
		args []string
	}{
		{2, "cannot go on with", []string{"manifest:inspect", r + ":1:2"}},
		{2, "has a digest", []string{"manifest:create", r + "@" + at.digest(t, "1"), r + ":amd64-1"}},
		{2, "two images for linux/amd64: " + r + ":amd64-1 and " + r + ":again-1", []string{"manifest:create", r + ":2", r + ":amd64-1," + r + ":again-1"}},
		{2, "two images for linux/amd64", []string{"manifest:add", r + ":1", r + ":again-1"}},
		{2, "PLATFORM (command line) is empty: name one", []string{"fetch", r + ":1", "", "image.tar"}},
		{2, "no images are named", []string{"manifest:remove", r + ":1", ""}},
		{2, "say what", []string{"manifest:annotate", r + ":1", "linux/arm64"}},
		{2, "cannot carry annotations", []string{"manifest:create", r + ":2", r + ":amd64-1", "-media-type=docker", "-annotations=a=b"}},
		{2, "write oci or docker", []string{"manifest:create", r + ":2", r + ":amd64-1", "-media-type=zip"}},
		{2, "none.yaml", []string{"manifest:fromspec", "none.yaml"}},
		{2, "gives " + r + ":x", []string{"manifest:fromargs", "linux/amd64,linux/arm64", r + ":x", r + ":2"}},
		{2, "add -yes", []string{"manifest:rm", r + ":1", "-manifest"}},
		{3, "its config says linux/amd64", []string{"manifest:create", r + ":2", "linux/arm64=" + r + ":amd64-1"}},
		{3, "/app is", []string{"manifest:create", r + ":2", r + ":lie-1", "-deep"}},
		{3, "/app is", []string{"manifest:add", r + ":twin", r + ":lie-1", "-replace", "-deep"}},
		{3, "linux/s390x", []string{"why", r + ":1", "-platform=linux/s390x"}},
		{4, "what it names is used by 1, too", []string{"manifest:rm", r + ":twin", "-manifest", "-yes"}},
		{4, "use -manifest", []string{"manifest:rm", r + ":twin", "-yes"}},
		{1, "not found", []string{"manifest:create", r + ":2", r + ":none"}},
		{1, "it has linux/amd64, linux/arm64", []string{"manifest:remove", r + ":1", "linux/s390x"}},
		{5, "cannot be reached", []string{"manifest:inspect", "127.0.0.1:1/app:1", "RETRY=1s"}},
	} {
		Run(t, at.dir, nil, test.args...).Exits(t, test.code).Says(t, test.says)
	}
	if at.Has(t, r+":2") {
		t.Error("something was published all the same")
	}
}

// What a CI job has in its environment, or the project in its manymage.yaml, is no matter to what does not use it.
func TestListsGoByTheirOwnKnobs(t *testing.T) {
	at := newListScene(t, Plain(t))
	env := []string{"VERSION=foo bar", "IMG=app", "CHILD=x", "TAGS={x}", "ARCHES=bogus"}
	Run(t, at.dir, env, "inspect", at.repo+":amd64-1").Exits(t, 0)
	Run(t, at.dir, env, "setarch", at.repo+":amd64-1", "amd64", "-registry", "-dry-run").Exits(t, 0)
	create := []string{"manifest:create", at.repo + ":1", at.repo + ":amd64-1," + at.repo + ":arm64-1"}
	Run(t, at.dir, env, create...).Exits(t, 0)
	Run(t, at.dir, nil, append(create, "ANNOTATIONS=a=b")...).Exits(t, 2).Says(t, "write -annotations=a=b")
}
