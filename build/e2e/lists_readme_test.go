package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is one line of a README table: what is typed, and what must be true afterwards. The table's lines and these are
// compared, so that neither can be there without the other.
type row struct {
	command string // the target and its flags, in README's words without the references
	check   func(t *testing.T, at listScene, got Result)
}

// listScene is a repository that holds README's images, and the registry that it is in.
type listScene struct {
	*Registry
	repo string
	dir  string
}

func TestReadmeComingFromDockerManifest(t *testing.T) {
	followReadme(t, "docker manifest", []row{
		{"manifest:create", publishes("1", "linux/amd64", "linux/arm64")},
		{"manifest:annotate -variant=v8", publishes("1", "linux/amd64", "linux/arm64/v8")},
		{"manifest:add", publishes("1", "linux/amd64", "linux/arm64/v8", "linux/arm/v7")},
		{"manifest:inspect -raw", func(t *testing.T, at listScene, got Result) {
			if want := at.Raw(t, at.repo+":1"); got.Stdout != want {
				t.Errorf("not the exact bytes: %q, want %q", got.Stdout, want)
			}
		}},
		{"manifest:inspect", showsTree},
		{"manifest:rm -manifest -yes", func(t *testing.T, at listScene, _ Result) {
			if at.Has(t, at.repo+":1") || !at.Has(t, at.repo+":amd64-1") {
				t.Error("the list is still there, or an image is gone")
			}
		}},
	})
}

func TestReadmeComingFromManifestTool(t *testing.T) {
	followReadme(t, "manifest-tool", []row{
		{"manifest:fromargs", publishes("1", "linux/amd64", "linux/arm64", "linux/arm/v7")},
		{"manifest:fromargs -ignore-missing", publishes("2", "linux/amd64")},
		{"manifest:fromspec", func(t *testing.T, at listScene, got Result) {
			publishes("spec", "linux/arm/v7", "linux/amd64")(t, at, got)
			publishes("latest", "linux/arm/v7", "linux/amd64")(t, at, got)
		}},
		{"manifest:inspect", showsTree},
		{"manifest:inspect -json", func(t *testing.T, at listScene, got Result) {
			var tree struct{ Digest string }
			decode(t, got.Stdout, &tree)
			if want := at.digest(t, "1"); tree.Digest != want {
				t.Errorf("the record names %s, want %s", tree.Digest, want)
			}
		}},
	})
}

// followReadme types a table's second column, line after line.
func followReadme(t *testing.T, table string, rows []row) {
	at := newListScene(t, Plain(t))
	commands := readmeTable(t, table)
	if len(commands) != len(rows) {
		t.Fatalf("README has %d lines on coming from %s, and %d are known here: %q", len(commands), table, len(rows), commands)
	}
	for i, command := range commands {
		words := strings.Fields(command)
		if words[0] != "scripts/mage" || inShort(words[1:]) != rows[i].command {
			t.Fatalf("line %d is %q, want %s", i+1, command, rows[i].command)
		}
		for w := range words {
			words[w] = regexp.MustCompile(`(^|,)R:`).ReplaceAllString(words[w], "${1}"+at.repo+":")
		}
		rows[i].check(t, at, Run(t, at.dir, nil, words[1:]...).Exits(t, 0))
	}
}

// inShort is a command's target and flags.
func inShort(words []string) string {
	flags := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool { return !strings.HasPrefix(w, "-") })
	return strings.Join(append(words[:1:1], flags...), " ")
}

var secondColumn = regexp.MustCompile("(?m)^\\| [^|\n]* \\| `([^`]+)`[^|\n]* \\|$")

// readmeTable is the second column of the table below the marker.
func readmeTable(t *testing.T, marker string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suite.clone, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "<!-- test: "+marker+" -->\n")
	if !ok {
		t.Fatalf("README has no table for %s", marker)
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var commands []string
	for _, m := range secondColumn.FindAllStringSubmatch(table, -1) {
		commands = append(commands, m[1])
	}
	if lines := strings.Count(table, "\n") - 1; lines != len(commands) { // its head and rule are no commands
		t.Fatalf("%d of %d lines have a command:\n%s", len(commands), lines, table)
	}
	return commands
}

// newListScene has the images that README's commands name, and the spec file.
func newListScene(t *testing.T, reg *Registry) listScene {
	t.Helper()
	at := listScene{Registry: reg, repo: reg.Repo(t)}
	for _, p := range Targets() {
		at.tag(t, p.Arch+p.Variant+"-1", image{os: "linux", arch: p.Arch, variant: p.Variant})
	}
	at.dir = Dir(t, Files{"spec.yaml": fmt.Sprintf(`image: %[1]s:spec
tags: [latest]
manifests:
  - image: %[1]s:armv7-1
    platform: {os: linux, architecture: arm, variant: v7}
  - image: %[1]s:amd64-1
    platform: {os: linux, architecture: amd64}
`, at.repo)})
	return at
}

// tag publishes an image under a tag of its own.
func (at listScene) tag(t *testing.T, tag string, img image) {
	t.Helper()
	name := strings.TrimPrefix(at.repo, at.Host+"/")
	d, err := at.publishImage(name, img)
	if err != nil {
		t.Fatal(err)
	}
	raw := at.Raw(t, at.repo+"@"+d.Digest)
	if err := created(at.send(http.MethodPut, "/v2/"+name+"/manifests/"+tag, d.MediaType, []byte(raw))); err != nil {
		t.Fatal(err)
	}
}

func (at listScene) digest(t *testing.T, tag string) string {
	t.Helper()
	return describe(ociIndex, []byte(at.Raw(t, at.repo+":"+tag))).Digest
}

// publishes checks what a tag holds, and that the output is what scripts read: the digest and the size.
func publishes(tag string, want ...string) func(*testing.T, listScene, Result) {
	return func(t *testing.T, at listScene, got Result) {
		t.Helper()
		have := at.Index(t, at.repo+":"+tag).Platforms()
		if !slices.Equal(have, want) {
			t.Errorf("%v: %s has %q, want %q", got.Args, tag, have, want)
		}
		if line := fmt.Sprintf("Digest: %s %d\n", at.digest(t, tag), len(at.Raw(t, at.repo+":"+tag))); got.Stdout != line {
			t.Errorf("%v prints %q, want %q", got.Args, got.Stdout, line)
		}
	}
}

// showsTree checks that all platforms and digests are told.
func showsTree(t *testing.T, at listScene, got Result) {
	t.Helper()
	for _, child := range at.Index(t, at.repo+":1").Manifests {
		got.Says(t, child.Digest, strings.TrimSuffix(child.Name(), "/v8"))
	}
	if json.Valid([]byte(got.Stdout)) {
		t.Errorf("it is no tree: %s", got.Stdout)
	}
}
