package e2e

import "testing"

// The same run again is the same image and uploads nothing, also where everything in the folder is copied: what the first run left
// there is no content.
func TestRerunOfAllThatIsThere(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY . /\n"})
	repo := reg.Repo(t)
	run := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64 arm64"}
	Run(t, dir, With(e), run...).Exits(t, 0)
	first, writes := reg.Raw(t, repo+":1"), reg.Writes(repo)
	Run(t, dir, With(e), run...).Exits(t, 0).Says(t, "unchanged "+repo+":1", "already there")
	if reg.Raw(t, repo+":1") != first || reg.Writes(repo) != writes {
		t.Errorf("the second run published something: %d writes before it, %d after", writes, reg.Writes(repo))
	}
}
