package progress

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/manymage/manymage/build/lines"
)

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 512: "512 B", 999: "999 B", 1000: "1.0 kB", 3_400: "3.4 kB", 9_960: "10 kB", 107_000_000: "107 MB",
		999_499: "999 kB", 999_600: "1.0 MB", 1_200_000_000: "1.2 GB", 1 << 62: "4.6 EB",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 40 * time.Millisecond: "40 ms", 999 * time.Millisecond: "999 ms", 999800 * time.Microsecond: "1.0 s",
		3100 * time.Millisecond: "3.1 s", 59940 * time.Millisecond: "59.9 s", 59960 * time.Millisecond: "1 m 00 s",
		125 * time.Second: "2 m 05 s", 62 * time.Minute: "1 h 02 m", 30 * time.Hour: "30 h 00 m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext":          "plain\ttext",
		"naïve 漢字 🙂":           "naïve 漢字 🙂",
		"a\x1b[31mb":           `a\x1b[31mb`,
		"a\r\nb\x00\x7f\u009b": `a\r\nb\x00\x7f\x9b`,
		"a\xffb":               "a\uFFFDb",
		"a\u202eb\u2066\u2028": "a\uFFFDb\uFFFD\uFFFD",
		"\u2029\tb\u00a0c":     "\uFFFD\tb\u00a0c",
		"::set-output::x":      `\::set-output::x`,
		"  ::x":                `  \::x`,
		"a::b":                 "a::b",
		"x ##[command]y":       `x #\#[command]y`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// The lines of a whole text stay lines, and one without end does not fill the screen.
func TestCleanLines(t *testing.T) {
	if got := CleanLines("a\n  b\x1b\n::x\n"); got != "a\n  b\\x1b\n\\::x\n" {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("é", 4<<20)
	if got := CleanLines(long + "\nb"); len(got) > lines.Longest+10 || !strings.HasSuffix(got, "é...\nb") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-10:])
	}
}

// FuzzPrinted: whatever a step prints, a line of it neither commands a terminal nor the runner, and is one line.
func FuzzPrinted(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred\x1b[0m", "\x1b\x1b[m[m", "10%\r20%\r", "::x", "\u2003::x", "#\x1b[m#[x]", "\x9b2J", "\xff\xfe", "\x1b]0;t\x1b\\x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{printed([]byte(s)), Clean(s)} {
			for _, r := range got {
				if r != '\t' && r < ' ' || r >= 0x7f && r < 0xa0 || reorders(r) {
					t.Errorf("%q leaves %q", s, got)
				}
			}
			if !utf8.ValidString(got) || strings.Contains(got, "##[") || strings.HasPrefix(strings.TrimSpace(got), "::") {
				t.Errorf("%q leaves %q", s, got)
			}
		}
	})
}

// FuzzCut: a cut text is never wider than asked, and a prefix of the whole.
func FuzzCut(f *testing.F) {
	f.Add("linux/amd64", 5)
	f.Add("漢字漢字", 4)
	f.Add("ab\xff\xe4", 5)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := cut(s, n)
		if columns(got) > max(n, 0) || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("cut(%q, %d) = %q", s, n, got)
		}
	})
}

func TestATableWithinATerminal(t *testing.T) {
	table := Table{Header: []string{"A", "EMPTY", "MEANS", "EXAMPLE"}, Rows: [][]string{{"one", "", "first", "ONE=1"}, {"2", "", "second"}}}
	const whole, two = "A    MEANS   EXAMPLE\none  first   ONE=1\n2    second\n", "A    MEANS\none  first\n2    second\n"
	for columns, want := range map[int]string{-2: whole, 0: whole, 20: whole, 19: two, 11: two, 5: two} {
		var b strings.Builder
		if err := table.Within(columns).Write(&b); err != nil || b.String() != want {
			t.Errorf("%d columns: %v\n%s\nwant\n%s", columns, err, b.String(), want)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table{Header: []string{"NAME", "EMPTY", "SIZE", "字"}, Right: []int{2}}
	table.Add("a", "", "1 B", "x")
	table.Add("longer\n", "", "100 MB")
	table.Add("漢字", "", "", "<|>")
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	equal(t, b.String(), `
NAME        SIZE  字
a            1 B  x
longer\n  100 MB
漢字              <|>
`)
	equal(t, table.Markdown(), `
| NAME | SIZE | 字 |
|---|---:|---|
| a | 1 B | x |
| longer\\n | 100 MB |  |
| 漢字 |  | &lt;\|> |
`)
	if got := (Table{}).Markdown(); got != "" {
		t.Error(got)
	}
}

func TestTree(t *testing.T) {
	root := &Tree{Text: "127.0.0.1:5000/a:1"}
	child := root.Add("linux/amd64")
	child.Add("config\x1b")
	child.Add("layer").Add("deep")
	root.Add("linux/arm64").Add("layer")
	var b strings.Builder
	if err := root.Write(&b); err != nil {
		t.Fatal(err)
	}
	equal(t, b.String(), `
127.0.0.1:5000/a:1
├── linux/amd64
│   ├── config\x1b
│   └── layer
│       └── deep
└── linux/arm64
    └── layer
`)
}

func TestSummaryOfNothingPublished(t *testing.T) {
	var b strings.Builder
	s := Summary{Rows: []Row{{Platform: "linux/amd64", Verdict: "verified"}}}
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	equal(t, b.String(), "PLATFORM     VERDICT\nlinux/amd64  verified\n")
}

func TestSummaryMarkdown(t *testing.T) {
	equal(t, aSummary.Markdown(), "### `127.0.0.1:5000/me/app:1.2`\n\n"+
		"| PLATFORM | VERDICT | STRATEGY | SIZE | DIGEST | TIME | NOTE |\n|---|---|---|---:|---|---:|---|\n"+
		"| linux/amd64 | verified | target | 3.1 MB | "+aSummary.Rows[0].Digest+" | 40 ms |  |\n"+
		"| linux/arm/v7 | unverified | cross | 512 B | "+aSummary.Rows[1].Digest+" | 2 m 05 s | already there |\n"+
		"\nIndex `sha256:1111`\n\n```sh\ndocker pull 127.0.0.1:5000/me/app:1.2\n```\n")
}

func TestTailIsBoundedAndSaysSo(t *testing.T) {
	var kept tail
	for range 10_000 {
		kept.write([]byte("0123456789012345678\n"))
	}
	kept.write([]byte("the end\n"))
	if len(kept.data) > 2*tailSize {
		t.Error(len(kept.data))
	}
	lines := kept.lines()
	if lines[0] != "(167 kB before this left out)" || lines[len(lines)-1] != "the end" || lines[1] != "0123456789012345678" {
		t.Error(lines[:2], lines[len(lines)-1])
	}
	kept = tail{}
	kept.write(make([]byte, 5*tailSize))
	if len(kept.data) > tailSize || kept.lines()[0] != "(131 kB before this left out)" {
		t.Error(len(kept.data), kept.lines()[0])
	}
}

func TestAppendToGitHubsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte("earlier=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := AppendOutput(path, Value{"digest", "sha256:1"}, Value{"image", "a:1"}); err != nil {
		t.Fatal(err)
	}
	if err := AppendOutput(path, Value{"list", "a\nevil=1"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, list, _ := strings.Cut(string(got), "list<<")
	end, body, _ := strings.Cut(list, "\n")
	if head != "earlier=1\ndigest=sha256:1\nimage=a:1\n" || body != "a\nevil=1\n"+end+"\n" || len(end) < 20 {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"", "a=b", "a\nb", "a<<b"} {
		if err := AppendOutput(path, Value{name, "x"}); err == nil {
			t.Errorf("name %q was written", name)
		}
	}
	if err := AppendOutput("", Value{"a", "b"}); err != nil {
		t.Error(err)
	}
	summary := filepath.Join(t.TempDir(), "summary")
	if err := AppendSummary(summary, aSummary); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(summary); err != nil || !strings.Contains(string(got), "| linux/amd64 |") {
		t.Error(err, string(got))
	}
	for variable, err := range map[string]error{
		"GITHUB_OUTPUT": AppendOutput(t.TempDir(), Value{"a", "b"}), "GITHUB_STEP_SUMMARY": AppendSummary(t.TempDir(), aSummary),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "all is done but to tell GitHub: "+variable+": open ") {
			t.Errorf("a file that cannot be written: %v", err)
		}
	}
	if err := AppendSummary("", aSummary); err != nil {
		t.Error(err)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 files", 1: "1 file", 2: "2 files"} {
		if got := Count(n, "file", "files"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
