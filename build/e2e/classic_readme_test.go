package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

// README's section for Podman, old engines and images that are there already: its lines are typed as they are, but for the
// addresses.
func TestReadmeWithoutBuildKit(t *testing.T) {
	reg := Plain(t)
	podman := Engine(t, Podman)
	dir := programsDir(t, Files{"Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY hello-${TARGETARCH} /hello\nENTRYPOINT [\"/hello\"]\n"})
	app := reg.Repo(t)
	typed := strings.NewReplacer("127.0.0.1:5000/me/app", app, "unix:///run/podman/podman.sock", podman.Host, "scripts/mage ", Manymage(t)+" ")
	docker := Engine(t, Docker20)

	for _, line := range readmeLines(t, "podman") {
		said := typeLine(t, dir, docker, typed.Replace(line))
		if !strings.Contains(said, app+":1") {
			t.Errorf("%s\ndoes not name the image:\n%s", line, said)
		}
		if got := reg.Index(t, app+":1").Platforms(); strings.Join(got, " ") != "linux/amd64 linux/arm64" {
			t.Errorf("%s\npublished %v", line, got)
		}
	}

	tag := app + ":arm64-1"
	mislabelled(t, docker.Open(t, engine.Options{Classic: true}), tag)
	docker.Docker(t, "push", "-q", tag)
	for _, line := range readmeLines(t, "setarch") {
		typeLine(t, dir, docker, typed.Replace(line))
	}
	if got := docker.Docker(t, "image", "inspect", "-f", "{{.Architecture}}", tag); got != "arm64" {
		t.Errorf("the engine's label is %s", got)
	}
	if got := reg.Config(t, tag).Architecture; got != "arm64" {
		t.Errorf("the registry's label is %s", got)
	}
}

// readmeLines are the lines of the shell block behind a marker in README.
func readmeLines(t *testing.T, marker string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(suite.clone, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, below, ok := strings.Cut(string(text), "<!-- test: "+marker+" -->\n```sh\n")
	block, _, closed := strings.Cut(below, "```")
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if !ok || !closed || len(lines) < 2 {
		t.Fatalf("README has no shell block behind <!-- test: %s -->", marker)
	}
	return lines
}

// typeLine runs a line in a shell where DOCKER_HOST is the engine, and requires that it succeeds.
func typeLine(t *testing.T, dir string, e *EngineUnderTest, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(environment(), With(e)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", line, err, out)
	}
	return string(out)
}
