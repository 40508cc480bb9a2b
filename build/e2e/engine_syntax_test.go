package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

// ownFrontend is an image of testdata/frontend on the registry, with the capabilities that it claims.
func ownFrontend(t *testing.T, r *Registry, name, caps string) string {
	t.Helper()
	program := lazily(t, "testdata/frontend", func() (string, error) {
		dir := filepath.Join(suite.temp, "frontend")
		_, err := output([]string{"CGO_ENABLED=0"}, "go", "build", "-C", filepath.Join(suite.clone, "build/e2e/testdata/frontend"), "-o", filepath.Join(dir, "frontend"), ".")
		return dir, err
	})
	return lazily(t, "frontend "+name+" on "+r.Host, func() (string, error) {
		ref := r.Host + "/e2e/" + name + ":1"
		e := Engine(t, Docker26Graph).Open(t, engine.Options{})
		s := engine.Solve{
			Dockerfile: []byte("FROM scratch\nCOPY frontend /frontend\nENTRYPOINT [\"/frontend\"]\n"), Tags: []string{ref},
			Labels: map[string]string{"moby.buildkit.frontend.caps": caps},
		}
		if _, _, err := (job{Context: engine.Context{Dir: program}, Solve: s}).build(t, e); err != nil {
			return "", err
		}
		_, err := e.Push(t.Context(), ref, nil)
		return ref, err
	})
}

func TestEngineObeysASyntaxLine(t *testing.T) {
	frontend := ownFrontend(t, Plain(t), "frontend", "moby.buildkit.frontend.inputs")
	dockerfile := []byte("# syntax=" + frontend + " some words\nTHIS is for that frontend\n")
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		built, _, err := job{Solve: engine.Solve{Dockerfile: dockerfile, BuildArgs: map[string]string{"WORD": "given"}}}.build(t, e)
		if err != nil {
			t.Fatal(err)
		}
		image, err := e.Inspect(t.Context(), built.ID)
		if err != nil {
			t.Fatal(err)
		}
		for label, want := range map[string]string{"inputs": "context dockerfile", "cmdline": frontend + " some words", "arg": "given"} {
			if image.Labels[label] != want {
				t.Errorf("%s: %q, want %q", label, image.Labels[label], want)
			}
		}
		_, _, err = job{Solve: engine.Solve{Dockerfile: dockerfile, Builtin: true}}.build(t, e)
		if err == nil || !strings.Contains(err.Error(), "THIS") {
			t.Errorf("builtin: got %v", err)
		}
	})
}

func TestEngineDoesWithoutAFrontendThatIsTooOld(t *testing.T) {
	frontend := ownFrontend(t, Plain(t), "old-frontend", "none")
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		_, told, err := job{Solve: engine.Solve{Dockerfile: []byte("# syntax=" + frontend + "\nFROM scratch\nLABEL a=b\n")}}.build(t, e)
		if err != nil || !strings.Contains(notices(told), frontend+" of the syntax line is too old") {
			t.Errorf("got %v, told %q", err, notices(told))
		}
	})
}
