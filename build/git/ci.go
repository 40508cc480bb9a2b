package git

import (
	"cmp"
	"path/filepath"
	"strings"
)

// ci is what a CI system says in its variables.
type ci struct {
	workspace, revision, tag, tagOrigin, source string
}

// fill takes from the CI what git did not say: a job may have its files without .git, without remotes or without tags.
func fill(info *Info, dir string, getenv func(string) string) {
	for _, c := range []ci{github(getenv), gitlab(getenv)} {
		if c.revision == "" || !within(dir, c.workspace) {
			continue
		}
		if info.Revision == "" {
			info.Revision = c.revision
		}
		if info.Source == "" {
			info.Source = web(c.source)
		}
		fillVersion(info, c)
		return
	}
}

// fillVersion believes the CI's tag if it is about the commit that is checked out, on which git finds any of its tags: v1 where v1.4.2
// is released.
func fillVersion(info *Info, c ci) {
	switch {
	case info.Revision != c.revision:
	case c.tag != "" && !info.Dirty:
		info.Version, info.Tag, info.Origin = c.tag, c.tag, c.tagOrigin
	case info.Version == "":
		info.Version = c.revision[:min(len(c.revision), abbreviated)]
		info.Origin = "git commit " + info.Version
	}
}

// abbreviated is git's own default for small repositories.
const abbreviated = 7

// github reads https://docs.github.com/actions/reference/variables-reference.
func github(getenv func(string) string) ci {
	c := ci{workspace: getenv("GITHUB_WORKSPACE"), revision: getenv("GITHUB_SHA"), tagOrigin: "GITHUB_REF_NAME"}
	if server, repository := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"); server != "" && repository != "" {
		c.source = server + "/" + repository
	}
	if getenv("GITHUB_REF_TYPE") == "tag" {
		c.tag = getenv("GITHUB_REF_NAME")
	}
	return c
}

// gitlab reads https://docs.gitlab.com/ci/variables/predefined_variables/.
func gitlab(getenv func(string) string) ci {
	return ci{
		workspace: getenv("CI_PROJECT_DIR"), revision: getenv("CI_COMMIT_SHA"),
		tag: getenv("CI_COMMIT_TAG"), tagOrigin: "CI_COMMIT_TAG", source: getenv("CI_PROJECT_URL"),
	}
}

// within tells whether dir is the CI's checkout or in it; a job may well build something that is elsewhere and not its own.
// An unknown workspace holds everything.
func within(dir, workspace string) bool {
	if workspace == "" {
		return true
	}
	rel, err := filepath.Rel(resolved(workspace), resolved(dir))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolved is a path without symbolic links, where it is there: a runner's workspace may be one, and a shell in it says where that leads.
func resolved(path string) string {
	found, _ := filepath.EvalSymlinks(path)
	return cmp.Or(found, path)
}
