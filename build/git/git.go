// Package git says what a folder's repository knows of an image: its version, its revision, where its source is and
// when it was made.
//
//	git describe --tags --always --dirty   -> Version, Tag, Dirty
//	git tag --points-at=HEAD               -> Version, of several tags the newest release: v1.4.2 beside v1, v1.4.2-rc.1 or latest
//	git log -1 (hash and commit time)      -> Revision, Created
//	remote.*.url, its credentials removed  -> Source, Name
//	GITHUB_*, CI_* of GitHub and GitLab    -> whatever of these git does not know (a checkout without .git, say)
//	SOURCE_DATE_EPOCH                      -> Created, before all
//
// A folder that is no repository, a repository without a commit, and a machine without git are no errors: fields are empty.
package git

import "time"

// Info is what is known of a folder's repository. Its zero value is a folder that is in none.
type Info struct {
	// Version is the text of `git describe --tags --always --dirty` as it is: "v1.2.0", "v1.2.0-3-gabc1234-dirty",
	// "abc1234". Whoever makes a tag of it sanitises it. Empty without a commit.
	Version string
	// Tag is the git tag that Version begins with, empty when there is none.
	Tag string
	// Origin says where Version comes from, for people: "git tag v1.2.0", "git commit abc1234", "GITHUB_REF_NAME".
	Origin string
	// Revision is the full hash of the commit.
	Revision string
	// Source is the https address of the repository, without credentials and without ".git".
	Source string
	// Name is the last part of Source ("app" of https://github.com/me/app), empty without a remote.
	Name string
	// Prefix is the folder's path inside the repository with slashes, empty at its top.
	Prefix string
	// Created is the commit's time in UTC, or SOURCE_DATE_EPOCH: the same for every run of one commit. Zero when unknown.
	Created time.Time
	// Dirty tells that tracked files differ from the commit.
	Dirty bool
	// Note is a sentence for people when there is a repository, and no answer about it (a folder of another owner, a worktree
	// without its repository, a git that is not there or takes too long); else empty.
	Note string
}
