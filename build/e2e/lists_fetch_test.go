package e2e

import (
	"path/filepath"
	"testing"
)

// What fetch writes is loaded by every engine, under the image's own name and with the platform that was asked for.
func TestFetchedImagesAreLoaded(t *testing.T) {
	EachEngine(t, Engines(), func(t *testing.T, e *EngineUnderTest) {
		reg := Plain(t)
		repo, dir := reg.Repo(t), t.TempDir()
		ref := repo + ":1"
		Run(t, dir, nil, "manifest:copy", Busybox(t, reg), ref).Exits(t, 0)
		for _, p := range []target{Targets()[1], Targets()[0]} {
			file := filepath.Join(dir, p.Arch+".tar")
			Run(t, dir, nil, "fetch", ref, p.Platform, file).Exits(t, 0)
			e.CLI(t, "load", "-q", "-i", file)
			if got := e.CLI(t, "image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", ref); got != p.Platform {
				t.Errorf("%s was loaded as %q", p.Platform, got)
			}
		}
		Emulation(t)
		if got := e.CLI(t, "run", "--rm", "--network=host", ref, "uname", "-m"); got != "x86_64" {
			t.Errorf("it says %q", got)
		}
		e.CLI(t, "rmi", "-f", ref)
	})
}
