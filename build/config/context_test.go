package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// Who is used to docker build's other contexts is told what to do with each of them.
func TestContextsThatAreNoFolders(t *testing.T) {
	for context, says := range map[string]string{
		"-":                                  "is no folder but standard input: unpack what comes there (mkdir app && tar -x -C app) and set CONTEXT=app",
		"https://github.com/me/app.git":      "is no folder but a git repository: clone it (git clone https://github.com/me/app.git app) and set CONTEXT=app",
		"https://host/app#main":              "clone it (git clone https://host/app app && git -C app checkout main) and set CONTEXT=app",
		"git@github.com:me/app.git#v1:/sub/": "clone it (git clone git@github.com:me/app.git app && git -C app checkout v1) and set CONTEXT=app/sub",
		"git@host:app":                       "clone it (git clone git@host:app app) and set CONTEXT=app",
		"ssh://git@host/app#:sub":            "clone it (git clone ssh://git@host/app app) and set CONTEXT=app/sub",
		"https://host/app.tar.gz":            "is no folder but an address: fetch and unpack what is there (mkdir app && curl -L https://host/app.tar.gz | tar -xz -C app) and set CONTEXT=app",
		"http://host/app":                    "| tar -xz -C app) and set CONTEXT=app",
	} {
		_, err := line("CONTEXT=" + context).load(t)
		if !errors.Is(err, ErrUsage) || !strings.HasPrefix(err.Error(), "CONTEXT="+context+" (command line) ") || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("CONTEXT=%s: %v", context, err)
		}
	}
	for _, folder := range []string{"app.git", "git", "a#b", "./-"} {
		if _, err := line("CONTEXT=" + folder).load(t); err != nil {
			t.Errorf("CONTEXT=%s: %v", folder, err)
		}
	}
}

// A token in an address is the user's own.
func TestContextsHideLogins(t *testing.T) {
	for _, context := range []string{"https://x-access-token:s3cret@github.com/me/app.git#main", "https://me:s3cret@host/app.tgz", "https://ghp_s3cret@host/me/app.git", "ssh://git:s3cret@host/app"} {
		if _, err := line("CONTEXT=" + context).load(t); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("CONTEXT=%s: %v", context, err)
		}
	}
}

// An archive is told from another file.
func TestContextsThatAreArchives(t *testing.T) {
	for _, name := range []string{"a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.tar.bz2", "a.tar.zst"} {
		c := line("CONTEXT=" + name).mustLoad(t)
		write(t, filepath.Join(c.Dir, name), "")
		if err := c.CheckFiles(); err == nil || !strings.HasSuffix(err.Error(), "(mkdir app && tar -xf "+c.Context+" -C app) and name the folder app") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
