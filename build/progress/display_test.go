package progress

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// play sends events with a second between them, and between two ticks of the display, closes it, and gives what was written.
func play(t *testing.T, o Options, events ...Event) string {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		d := New(&b, o)
		time.Sleep(redrawEvery / 2)
		for _, e := range events {
			d.Send(e)
			time.Sleep(time.Second)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.String()
}

func equal(t *testing.T, got, want string) {
	t.Helper()
	want = strings.TrimPrefix(want, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s\n(%q)", got, want, got)
	}
}

// aRun is a run on two platforms: one cached, one built, both pushed.
var aRun = []Event{
	Started{"linux/amd64", "target"},
	Started{"linux/arm/v7", "cross"},
	Bytes{Name: "context", Current: 53_000_000},
	Bytes{Name: "context", Current: 107_000_000, Done: true},
	Step{Platform: "linux/amd64", ID: "0", Name: "[internal] load build definition"},
	Step{Platform: "linux/amd64", ID: "0", Name: "[internal] load build definition", State: Done},
	Step{Platform: "linux/arm/v7", ID: "1", Name: "[build 2/2] RUN go build"},
	Step{Platform: "linux/arm/v7", ID: "1", Name: "[build 2/2] RUN go build"},
	Step{Platform: "linux/amd64", ID: "1", Name: "[build 2/2] RUN go build", State: Cached},
	Output{"linux/arm/v7", "1", []byte("go: downloading x\ngo: ")},
	Output{"linux/arm/v7", "1", []byte("done")},
	Step{Platform: "linux/arm/v7", ID: "1", Name: "[build 2/2] RUN go build", State: Done},
	Verdict{"linux/amd64", "verified", ""},
	Verdict{"linux/arm/v7", "unverified", "a script with no interpreter to judge by"},
	Warning{Platform: "linux/arm/v7", Text: "no git repository", File: "", Line: 0},
	Notice{"", "the tag had linux/386 before"},
	Finished{Platform: "linux/amd64"},
	Finished{Platform: "linux/arm/v7"},
	Published{"127.0.0.1:5000/me/app:1.2", "sha256:1111", false},
	Published{"127.0.0.1:5000/me/app:latest", "sha256:1111", true},
	aSummary,
}

var aSummary = Summary{
	Rows: []Row{
		{"linux/amd64", "verified", "target", 3_100_000, "sha256:" + strings.Repeat("a1", 32), 40 * time.Millisecond, ""},
		{"linux/arm/v7", "unverified", "cross", 512, "sha256:" + strings.Repeat("b2", 32), 125 * time.Second, "already there"},
	},
	Reference: "127.0.0.1:5000/me/app:1.2",
	Digest:    "sha256:1111",
	Took:      126 * time.Second,
}

// aFailure is a run that a step ends.
var aFailure = []Event{
	Started{"linux/amd64", ""},
	Started{"linux/arm64", ""},
	Step{Platform: "linux/amd64", ID: "1", Name: "RUN make"},
	Step{Platform: "linux/arm64", ID: "1", Name: "RUN make"},
	Output{"linux/arm64", "1", []byte("\x1b[31mmain.c:3: \x1b]0;title\x07oops\x1b[0m\r\n::error::mine\n10 %\r20 %\rend")},
	Step{Platform: "linux/arm64", ID: "1", Name: "RUN make", State: Failed, Error: "exit code: 2", File: "sub/Dockerfile", Line: 7},
	Step{Platform: "linux/amd64", ID: "1", Name: "RUN make", State: Canceled},
	Finished{Platform: "linux/amd64", Error: "canceled"},
	Finished{Platform: "linux/arm64", Error: "RUN make: exit code: 2"},
}

// A warning says where it is; on GitHub the annotation has the place beside the text.
func TestWarningWithAPlace(t *testing.T) {
	events := []Event{Warning{Text: "Rule: words", File: "a/Dockerfile", Line: 3}, Warning{Text: "Rule: all of it", File: "a/Dockerfile"}}
	const plain = "warning: a/Dockerfile:3: Rule: words\n"
	equal(t, play(t, Options{}, events...), plain+"warning: a/Dockerfile: Rule: all of it\n")
	equal(t, play(t, Options{GitHub: true}, events[0]), plain+"::warning file=a/Dockerfile,line=3::Rule: words\n")
	// GitHub goes by the checkout, whatever folder of it the run is in.
	equal(t, play(t, Options{GitHub: true, Folder: "services/api"}, events[0]), plain+"::warning file=services/api/a/Dockerfile,line=3::Rule: words\n")
	up := Warning{Text: "Rule: words", File: "../Dockerfile", Line: 3}
	equal(t, play(t, Options{GitHub: true, Folder: "services/api"}, up), "warning: ../Dockerfile:3: Rule: words\n::warning file=services/Dockerfile,line=3::Rule: words\n")
}

func TestFolderIn(t *testing.T) {
	top := t.TempDir()
	link := filepath.Join(top, "link")
	if err := errors.Join(os.MkdirAll(filepath.Join(top, "work", "api"), 0o755), os.Symlink("work", link)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ workspace, dir, want string }{
		{link, filepath.Join(top, "work", "api"), "api"}, {filepath.Join(top, "work"), filepath.Join(link, "api"), "api"},
		{"/w/app", "/w/app/services/api", "services/api"}, {"/w/app/", "/w/app", ""}, {"", "/w/app", ""}, {"/w/app", "/tmp", ""}, {"/w/app", "", ""},
	} {
		if got := FolderIn(test.workspace, test.dir); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestPlainRun(t *testing.T) {
	equal(t, play(t, Options{}, aRun...), `
linux/amd64  build (target)
linux/arm/v7  build (cross)
context: 107 MB in 1.0 s
linux/arm/v7  [build 2/2] RUN go build
linux/amd64   [build 2/2] RUN go build: cached
linux/arm/v7  [build 2/2] RUN go build: 5.0 s
linux/amd64   verified
linux/arm/v7  unverified: a script with no interpreter to judge by
linux/arm/v7  warning: no git repository
the tag had linux/386 before
linux/amd64   done in 16.0 s
linux/arm/v7  done in 16.0 s
published 127.0.0.1:5000/me/app:1.2 sha256:1111
unchanged 127.0.0.1:5000/me/app:latest sha256:1111
PLATFORM      VERDICT     STRATEGY    SIZE  DIGEST                   TIME  NOTE
linux/amd64   verified    target    3.1 MB  sha256:a1a1a1a1a1a1     40 ms
linux/arm/v7  unverified  cross      512 B  sha256:b2b2b2b2b2b2  2 m 05 s  already there

index sha256:1111, 2 m 06 s
127.0.0.1:5000/me/app:1.2
`)
}

func TestPlainFailureComesLast(t *testing.T) {
	equal(t, play(t, Options{}, aFailure...), `
linux/amd64  RUN make
linux/arm64  RUN make
linux/arm64  RUN make: failed after 2.0 s
linux/amd64  failed after 7.0 s
linux/arm64  failed after 7.0 s

linux/arm64  RUN make (sub/Dockerfile:7)
  | main.c:3: oops
  | \::error::mine
  | end
  exit code: 2
`)
}

func TestVerboseShowsOutputAsItComes(t *testing.T) {
	equal(t, play(t, Options{Verbose: true}, aRun[4:12]...), `
linux/amd64  [internal] load build definition: 1.0 s
linux/arm/v7  [build 2/2] RUN go build
linux/amd64   [build 2/2] RUN go build: cached
linux/arm/v7  | go: downloading x
linux/arm/v7  | go: done
linux/arm/v7  [build 2/2] RUN go build: 5.0 s
`)
}

func TestGitHubRun(t *testing.T) {
	equal(t, play(t, Options{GitHub: true}, append(aRun[:2:2], aRun[6:18]...)...), `
linux/amd64  build (target)
linux/arm/v7  build (cross)
linux/arm/v7  [build 2/2] RUN go build
linux/amd64   [build 2/2] RUN go build: cached
linux/arm/v7  [build 2/2] RUN go build: 5.0 s
linux/amd64   verified
linux/arm/v7  unverified: a script with no interpreter to judge by
linux/arm/v7  warning: no git repository
::warning title=linux/arm/v7::no git repository
the tag had linux/386 before
linux/amd64   done in 12.0 s
::group::linux/arm/v7 output of the steps
| go: downloading x
| go: done
::endgroup::
linux/arm/v7  done in 12.0 s
`)
}

func TestGitHubFailure(t *testing.T) {
	problem := Problem{Platform: "linux/arm64", Text: "100% wrong:\nboth", File: "a,b:c", Line: 3}
	equal(t, play(t, Options{GitHub: true}, append(aFailure[3:6:6], problem, problem)...), `
linux/arm64  RUN make
linux/arm64  RUN make: failed after 2.0 s
::error file=a%2Cb%3Ac,line=3,title=linux/arm64::100%25 wrong:%0Aboth
::group::linux/arm64 output of the steps
| main.c:3: oops
| \::error::mine
| end
::endgroup::

linux/arm64  RUN make (sub/Dockerfile:7)
  | main.c:3: oops
  | \::error::mine
  | end
  exit code: 2
`)
}

func TestProblemIsForGitHubAlone(t *testing.T) {
	for _, o := range []Options{{}, {TTY: true}} {
		if out := play(t, o, Problem{Text: "the error that the caller returns"}); out != "" {
			t.Errorf("%+v: %q", o, out)
		}
	}
}

func TestForeignTextIsHarmlessInEveryField(t *testing.T) {
	evil := "\x1b[2J\r\n::set-env name=A::b\u009b##[group]\u202e"
	events := []Event{
		Started{evil, evil}, Step{Platform: evil, ID: "1", Name: evil}, Output{evil, "1", []byte(evil + "\n")}, Notice{"", evil},
		Step{Platform: evil, ID: "1", Name: evil, State: Failed, Error: evil, File: evil, Line: 1},
		Verdict{evil, evil, evil}, Published{evil, evil, true}, Warning{Platform: evil, Text: evil},
		Summary{Rows: []Row{{evil, evil, evil, 1, evil, 1, evil}}, Reference: evil, Digest: evil}, Finished{Platform: evil, Error: evil},
	}
	for _, o := range []Options{{}, {Verbose: true}, {TTY: true, NoColor: true}} {
		out := play(t, o, events...)
		out = strings.NewReplacer("\x1b[J", "", "\x1b[1A", "", "\x1b[2A", "", "\r", "").Replace(out)
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.ContainsAny(line, "\x1b\u009b\r\u202e") || strings.Contains(line, "##[") {
				t.Errorf("%+v: %q", o, line)
			}
		}
	}
}

func TestNilAndClosedDisplaysShowNothing(t *testing.T) {
	var none *Display
	none.Send(Notice{Text: "x"})
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	d := New(&b, Options{})
	_ = d.Close()
	d.Send(Notice{Text: "x"})
	if err := d.Close(); err != nil || b.Len() > 0 {
		t.Error(err, b.String())
	}
}

type fullDisk struct{ writes int }

var errFull = errors.New("no space left")

func (f *fullDisk) Write([]byte) (int, error) { f.writes++; return 0, errFull }

func TestTheFirstWriteErrorIsReported(t *testing.T) {
	disk := &fullDisk{}
	d := New(disk, Options{})
	d.Send(Notice{Text: "a"})
	d.Send(Notice{Text: "b"})
	if err := d.Close(); !errors.Is(err, errFull) || disk.writes != 1 {
		t.Error(err, disk.writes)
	}
}

func TestManySendersAtOnce(t *testing.T) {
	for _, o := range []Options{{}, {TTY: true}, {GitHub: true, Verbose: true}} {
		var b bytes.Buffer
		d := New(&b, o)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for _, e := range aRun {
					d.Send(e)
				}
			})
		}
		all.Wait()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestForReadsTheEnvironment(t *testing.T) {
	env := map[string]string{"NO_COLOR": "1", "GITHUB_ACTIONS": "true"}
	o := For(&bytes.Buffer{}, func(name string) string { return env[name] })
	if o.TTY || !o.NoColor || !o.GitHub {
		t.Errorf("%+v", o)
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if o := For(file, func(string) string { return "" }); o.TTY {
		t.Error("a file is no terminal")
	}
}
