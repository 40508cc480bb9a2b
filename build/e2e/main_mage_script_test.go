package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// smallClone is a folder that scripts/mage takes for its clone, with targets that compile in a second.
func smallClone(t *testing.T) string {
	t.Helper()
	sum, err := os.ReadFile(filepath.Join(suite.clone, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(suite.clone, "scripts/mage"))
	if err != nil {
		t.Fatal(err)
	}
	return Dir(t, Files{
		"go.mod":         "module small\n\ngo 1.26.0\n\ntool github.com/magefile/mage\n\nrequire github.com/magefile/mage v1.17.2\n",
		"go.sum":         string(sum),
		"scripts/mage*":  string(script),
		"build/x":        "",
		"platforms/x":    "",
		"magefiles/m.go": "//go:build mage\n\npackage main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n\t\"github.com/magefile/mage/mg\"\n)\n\n" + smallTargets,
	})
}

const smallTargets = `
// Where prints the folder of the run and its words.
func Where() { wd, _ := os.Getwd(); fmt.Println(wd, os.Args[1:]) }

// Seven fails.
func Seven() error { return mg.Fatal(7, "seven") }
`

// notice is what a run says on stderr when it is the first for its sources, and while that lasts.
var notice = regexp.MustCompile(`(?m)^scripts/mage: (compiling the targets, once for these sources; the very first time takes a minute or two|still compiling, \d+ s so far)\n`)

// in runs a program in a folder, with a cache of its own, through sh: so that a test can close or redirect what it likes.
func in(t *testing.T, dir, cache, command string) (string, int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAGEFILE_CACHE="+cache, "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return strings.TrimSpace(notice.ReplaceAllString(string(out), "")), cmd.ProcessState.ExitCode()
}

func TestScriptsMage(t *testing.T) {
	clone, cache, elsewhere := smallClone(t), t.TempDir(), t.TempDir()
	if err := os.Symlink(filepath.Join(clone, "scripts/mage"), filepath.Join(elsewhere, "link")); err != nil {
		t.Fatal(err)
	}
	mage := clone + "/scripts/mage"
	for _, test := range []struct {
		name, command, says string
		code                int
	}{
		{"runs on the caller's folder", mage + " where", elsewhere + " [where]", 0},
		{"runs through a symbolic link", "./link where", elsewhere + " [where]", 0},
		{"keeps the exit code", mage + " seven", "Error: seven", 7},
		{"works with stdin closed", mage + " where <&-", elsewhere + " [where]", 0},
		{"works with stdout closed", mage + " where >&-", "", 0},
		{"works with all closed", mage + " where <&- >&- 2>&-", "", 0},
		{"compiles for this machine whatever GOARCH says", "GOARCH=s390x GOOS=plan9 " + mage + " where", elsewhere + " [where]", 0},
		{"compiles in modules of its own whatever is around it", "export GOWORK=$PWD/go.work GO111MODULE=off GOFLAGS=-mod=vendor MAGEFILE_CACHE=$PWD/fresh; echo go 1.26 >go.work; " + mage + " where", elsewhere + " [where]", 0},
		{"keeps a cache that is named from here", "MAGEFILE_CACHE=near " + mage + " where && MAGEFILE_CACHE=near " + mage + " where && ls near | grep -c targets-", elsewhere + " [where]\n" + elsewhere + " [where]\n1", 0},
		{"runs what another user has compiled", "printf '#!/bin/sh\\nexit 1\\n' >touch; chmod +x touch; PATH=$PWD:$PATH " + mage + " where", elsewhere + " [where]", 0},
		{"is silent but for the targets", mage + " -l", "Targets:\n  seven    fails.\n  where    prints the folder of the run and its words.", 0},
		{"hands Mage its own options", mage + " -compile " + elsewhere + "/out && ./out where", elsewhere + " [where]", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, code := in(t, elsewhere, cache, test.command)
			if out != test.says || code != test.code {
				t.Errorf("%s:\n%s\nexit code %d, want %d and\n%s", test.command, out, code, test.code, test.says)
			}
		})
	}
	if left, _ := filepath.Glob(clone + "/magefiles/*"); len(left) != 1 {
		t.Errorf("left beside the magefile: %v", left)
	}
}

// Several first runs at once compile once: the others wait, and all work.
func TestScriptsMageAtOnce(t *testing.T) {
	clone, cache := smallClone(t), t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if out, code := in(t, clone, cache, "scripts/mage where"); code != 0 || out != clone+" [where]" {
				t.Errorf("exit code %d: %s", code, out)
			}
		})
	}
	wg.Wait()
	if compiled, _ := filepath.Glob(cache + "/targets-*"); len(compiled) != 1 {
		t.Errorf("compiled %v", compiled)
	}
}

// A changed source is a new binary; a changed test is not.
func TestScriptsMageSeesChanges(t *testing.T) {
	clone, cache := smallClone(t), t.TempDir()
	in(t, clone, cache, "scripts/mage where")
	if err := write(filepath.Join(clone, "magefiles/n_test.go"), "package main\n"); err != nil {
		t.Fatal(err)
	}
	in(t, clone, cache, "scripts/mage where")
	if compiled, _ := filepath.Glob(cache + "/targets-*"); len(compiled) != 1 {
		t.Errorf("a test compiled the targets anew: %v", compiled)
	}
	if err := write(filepath.Join(clone, "magefiles/n.go"), "//go:build mage\n\npackage main\n\n// New is new.\nfunc New() {}\n"); err != nil {
		t.Fatal(err)
	}
	if out, _ := in(t, clone, cache, "scripts/mage -l"); !strings.Contains(out, "new") {
		t.Errorf("does not see a new target: %s", out)
	}
}

func TestScriptsMageWithoutGoodGo(t *testing.T) {
	clone := smallClone(t)
	mod := strings.Replace("module small\n\ngo 1.26.0\n", "1.26", "9.99", 1)
	if err := write(filepath.Join(clone, "go.mod"), mod); err != nil {
		t.Fatal(err)
	}
	out, code := in(t, clone, t.TempDir(), "GOTOOLCHAIN=local scripts/mage where")
	if code != 1 || !strings.Contains(out, "Go 9.99.0 or newer is needed") || !strings.Contains(out, "https://go.dev/dl/") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
