package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/manymage/manymage/build/record"
)

// rootless is a scanner: it reads an image by its digest and does not pass one that runs as root.
const rootless = `#!/bin/sh
echo "looking at $2"
case $1 in *@sha256:*) ;; *) exit 9 ;; esac
skopeo inspect --tls-verify=false --config "docker://$1" | grep '"User"' && exit
echo "$2 runs as root" >&2
exit 7
`

// A scanner stands between the images and their tags: all of them are scanned, and one that it does not pass keeps the tags
// where they are. What is published can be scanned at any time.
func TestAScannerKeepsTheTags(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	const user = "FROM scratch\nCOPY scanner /\nUSER 7\n"
	dir := Dir(t, Files{"Dockerfile.amd64": user, "Dockerfile.arm64": user, "Dockerfile.armv7": "FROM scratch\nCOPY scanner /\n", "scanner*": rootless})
	repo := reg.Repo(t)
	at := func(version, scan string, targets ...string) Result {
		return Run(t, dir, With(e), append(targets, "IMG="+repo, "VERSION="+version, "SCAN="+scan, "ARCHES=arm/v7 amd64 arm64", "DOCKERFILE=Dockerfile.{arch}")...)
	}
	const scan = "./scanner {image} {platform}"
	at("1", "nowhere {image}", "build", "push").Exits(t, 2).Says(t, "SCAN (command line) begins with nowhere, which cannot be started here").Hides(t, "COPY")
	at("1", "nowhere {image}", "plan").Exits(t, 0).Says(t, "will fail: SCAN (command line) begins with nowhere")
	at("1", "nowhere {image}", "doctor").Exits(t, 2).Says(t, "wrong  scan ")
	at("1", scan, "doctor").Exits(t, 0).Says(t, "ok     scan      by ./scanner")
	at("1", scan, "plan").Exits(t, 0).Says(t, "scanned by ./scanner "+repo+"@sha256:… linux/arm/v7")
	at("1", scan, "build", "push").Exits(t, 4).Says(t, "the list's tags stay as they are: the scanner ./scanner does not pass linux/arm/v7 (exit status 7): see above",
		"| linux/arm/v7 runs as root", "linux/arm64   scanned")
	if reg.Has(t, repo+":1") || !reg.Has(t, repo+":armv7-1") {
		t.Error("the tag is there, or the image is not")
	}
	if left, err := record.Read(filepath.Join(dir, record.Path)); err != nil || left.Step != record.Pushed || !left.Platforms[0].Pushed ||
		left.Platforms[0].Refused != "exit status 7" || !left.Platforms[2].Scanned {
		t.Errorf("recorded %+v, %v", left, err)
	}
	at("1", scan, "build", "push", "ONLY=arm64").Exits(t, 0).Says(t, "scanned")
	at("1", "true {image}", "build", "push").Exits(t, 0).Says(t, "already there, scanned")
	if r := at("1", scan, "scan").Exits(t, 4); !strings.Contains(r.Stdout, "linux/arm/v7  exit status 7 ") || !strings.Contains(r.Stdout, "linux/arm64   passed ") {
		t.Errorf("the table: %s", r.Stdout)
	}
	at("1", scan, "scan", "-ref="+repo+":arm64-1").Exits(t, 0).Says(t, "linux/arm64  passed")
	at("2", scan, "scan").Exits(t, 1).Says(t, repo+":2: not found; `build push` publishes it")
	at("1", "", "scan").Exits(t, 2).Says(t, "SCAN: no scanner is named")
}

// The end of a run is that of its scanner, also of one that does not want to end: after Ctrl-C Mage does not wait for long.
func TestASignalEndsTheScanner(t *testing.T) {
	for seconds, test := range map[string]struct {
		signal        syscall.Signal
		scanner, says string
	}{
		"86397": {syscall.SIGTERM, "sleep 86397", "stopped before the end: terminated"},
		"86396": {syscall.SIGINT, `trap "" INT TERM; sleep 86396`, "stopped before the end"},
	} {
		t.Run(test.signal.String(), func(t *testing.T) {
			e, reg := Engine(t, Docker20), Plain(t)
			dir, repo := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}), reg.Repo(t)
			r := Start(context.Background(), t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64", "SCAN=sh -c '"+test.scanner+"' {image}")
			if !await(func() bool { return sleeping(seconds) }) {
				t.Fatal("the scanner did not begin")
			}
			if err := r.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			if result := Finish(t, r); result.Code != 1 || !strings.Contains(result.Stderr, "linux/amd64  cancelled after") || !strings.Contains(result.Stderr, test.says) {
				t.Errorf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
			}
			if sleeping(seconds) || reg.Has(t, repo+":1") {
				t.Error("the scanner still runs, or the tag is there")
			}
		})
	}
}
