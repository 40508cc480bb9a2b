package build_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
)

var update = flag.Bool("update", false, "write README's table of knobs anew")

const readme = "../README.md"

// README's table of knobs is the one that help prints.
func TestReadmeKnobs(t *testing.T) {
	var want strings.Builder
	want.WriteString("\n| knob | | default | example |\n|---|---|---|---|\n")
	for _, k := range config.Knobs() {
		example := k.Example
		if example != "" {
			example = "`" + example + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", k.Name, k.Help, k.Default, example)
	}
	text := read(t, readme)
	start, rest, ok := strings.Cut(text, "<!-- knobs -->")
	have, end, closed := strings.Cut(rest, "<!-- /knobs -->")
	if !ok || !closed {
		t.Fatal("README has no place between <!-- knobs --> and <!-- /knobs -->")
	}
	if have == want.String() {
		return
	}
	if !*update {
		t.Fatal("README's knobs are not those of config.Knobs: run `go test ./build -run TestReadmeKnobs -update`")
	}
	if err := os.WriteFile(readme, []byte(start+"<!-- knobs -->"+want.String()+"<!-- /knobs -->"+end), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every direct dependency has its reason in README's table.
func TestReadmeDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(read(t, readme), "## Dependencies")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, path := range strings.Fields(string(out)) {
		if !strings.Contains(section, short(path)) {
			t.Errorf("README's table of dependencies does not say why %s is one", path)
		}
	}
}

// short is how README names a module: owner/name, or x/name of Go's own.
func short(path string) string {
	for from, to := range map[string]string{
		"golang.org/x/crypto/x509roots/fallback": "x/crypto/x509roots",
		"honnef.co/go/tools":                     "staticcheck", "go.yaml.in/yaml/v3": "go.yaml.in/yaml", "google.golang.org/grpc": "google.golang.org/grpc",
	} {
		if path == from {
			return to
		}
	}
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return path
	}
	return parts[1] + "/" + parts[2]
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
