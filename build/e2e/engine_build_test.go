package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tidwall/sjson"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/platforms"
)

// noise is content that is not in any cache.
func noise(size int) string {
	out := make([]byte, size)
	_, _ = rand.Read(out) // never fails
	return string(out)
}

func TestEngineIsSentTheContextOnce(t *testing.T) {
	const big, small = 3 << 20, 64 << 10
	dockerfile := []byte("FROM scratch\nARG TARGETARCH\nCOPY only-$TARGETARCH /only\nCOPY shared /\nCOPY . /all/\n")
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		files := Files{
			"shared":               noise(big),
			"only-amd64":           noise(small),
			"only-arm64":           noise(small),
			"only-arm":             noise(small),
			"secrets/key.pem":      "planted",
			"secrets/public/a.txt": "ships",
			".dockerignore":        "secrets\n!secrets/public\nDockerfile\n",
			"Dockerfile":           "excluded, and not what is built",
		}
		dir := Dir(t, files)
		run := func(want int64) {
			t.Helper()
			b := starts(t, e, engine.Context{Dir: dir})
			_, err := solveAll(t.Context(), b, func(p ocispec.Platform) (engine.Solve, engine.Hook) {
				return engine.Solve{SetPlatform: true, Dockerfile: dockerfile}, looks(func(root fs.FS) error { return checkContext(root, files, p.Architecture) })
			})
			if err != nil {
				t.Fatal(err)
			}
			if slack := want + want/50; b.Sent() < want || b.Sent() > slack {
				t.Errorf("sent %d bytes, want %d to %d", b.Sent(), want, slack)
			}
		}
		run(big + 3*small + int64(len(files["secrets/public/a.txt"])+len(files[".dockerignore"])))
		run(0)
		files["only-arm64"] = noise(small)
		if err := os.WriteFile(filepath.Join(dir, "only-arm64"), []byte(files["only-arm64"]), 0o644); err != nil {
			t.Fatal(err)
		}
		run(small)
	})
}

// checkContext reads what of the context is in an image.
func checkContext(root fs.FS, files Files, arch string) error {
	only, err := fs.ReadFile(root, "only")
	if err != nil || string(only) != files["only-"+arch] {
		return errors.Join(errors.New("/only is not this platform's"), err)
	}
	shared, err := fs.ReadFile(root, "shared")
	if err != nil || string(shared) != files["shared"] {
		return errors.Join(errors.New("/shared differs"), err)
	}
	for name, want := range map[string]bool{"all/secrets/key.pem": false, "all/secrets/public/a.txt": true, "all/Dockerfile": false, "all/.dockerignore": true} {
		if _, err := fs.Stat(root, name); (err == nil) != want || (err != nil && !errors.Is(err, fs.ErrNotExist)) {
			return errors.Join(errors.New(name+" is there, or is not, against the ignore file"), err)
		}
	}
	return nil
}

func TestEngineEditsTheConfigInFlight(t *testing.T) {
	reg := Plain(t)
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		repo := reg.Repo(t)
		b := starts(t, e, engine.Context{Dir: Dir(t, Files{"hello": "hello\n"})})
		tag := func(p ocispec.Platform) string { return repo + ":" + platforms.Short(p) }
		built, err := solveAll(t.Context(), b, func(p ocispec.Platform) (engine.Solve, engine.Hook) {
			s := engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL a=b\nCOPY hello /\n"), Tags: []string{tag(p), tag(p) + "-latest"}, Labels: map[string]string{"from": "outside"}}
			return s, relabels(p)
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, target := range Targets() {
			p, _ := platforms.Parse(target.Platform)
			ref := tag(p)
			image, err := e.Inspect(t.Context(), ref+"-latest")
			if err != nil {
				t.Fatal(err)
			}
			if !platforms.Equal(image.Platform, p) || image.ID != built[i].ID || image.Labels["a"] != "b" || image.Labels["from"] != "outside" {
				t.Errorf("%s: engine has %+v, built %+v", ref, image, built[i])
			}
			checkPushed(t, e, reg, ref, built[i], target)
		}
	})
}

// relabels is a hook that sets the platform as the pipeline does.
func relabels(p ocispec.Platform) engine.Hook {
	return func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
		out, err := sjson.SetBytes(config, "architecture", p.Architecture)
		if err == nil && p.Variant != "" {
			out, err = sjson.SetBytes(out, "variant", p.Variant)
		}
		return out, err
	}
}

// checkPushed pushes and compares the registry with what was said to be built.
func checkPushed(t *testing.T, e *engine.Engine, reg *Registry, ref string, built engine.Built, target target) {
	t.Helper()
	done, err := e.Push(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	repo, _, _ := strings.Cut(strings.TrimPrefix(ref, reg.Host), ":")
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	raw := reg.Raw(t, reg.Host+repo+"@"+done.Digest.String())
	decode(t, raw, &manifest)
	if manifest.Config.Digest != built.Config.String() {
		t.Errorf("%s: the registry's config is %s, built was %s", ref, manifest.Config.Digest, built.Config)
	}
	if int64(len(raw)) != done.Size || done.Uploaded+done.Present != len(manifest.Layers) {
		t.Errorf("%s: pushed %+v, the registry has %s", ref, done, raw)
	}
	if config := reg.Config(t, ref); config.Architecture != target.Arch || config.Variant != target.Variant {
		t.Errorf("%s: the registry's config says %s/%s", ref, config.Architecture, config.Variant)
	}
	again, err := e.Push(t.Context(), ref, nil)
	if err != nil || again.Digest != done.Digest || again.Uploaded != 0 {
		t.Errorf("%s: pushed again %+v %v", ref, again, err)
	}
}

type verdict struct{ path string }

func (v *verdict) Error() string { return v.path + " lies" }

func TestEngineReturnsTheHooksOwnError(t *testing.T) {
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		want, tag := &verdict{"/bin/sh"}, "e2e/refused:"+strings.ToLower(strings.ReplaceAll(e.Info().Store+e.Info().Version, "+", "-"))
		refuse := func(context.Context, []byte, fs.FS) ([]byte, error) { return nil, want }
		j := job{Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL a=b\n"), Tags: []string{tag}}, hook: refuse}
		_, _, err := j.build(t, e)
		var got *verdict
		if !errors.As(err, &got) || got != want {
			t.Errorf("got %v", err)
		}
		if _, err := e.Inspect(t.Context(), tag); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the refused image is in the engine: %v", err)
		}
	})
}

func TestEngineBuildsFromPrivateBases(t *testing.T) {
	reg := Private(t)
	base := Busybox(t, reg)
	dockerfile := []byte("FROM " + base + "\nRUN echo private > /seen\n")
	EachEngine(t, Dockers(), func(t *testing.T, under *EngineUnderTest) {
		right := engine.Credential{Username: User, Password: Password}
		for _, one := range []struct {
			name  string
			found engine.Credential
			want  string
		}{{"none", engine.Credential{}, "Dockerfile:1: .* wants credentials, .*log in with"}, {"right", right, ""}} {
			find := func(_ context.Context, host string) (engine.Credential, error) {
				if host != reg.Host {
					t.Errorf("asked for the credentials of %s", host)
				}
				return one.found, nil
			}
			e := under.Open(t, engine.Options{Credentials: find})
			if err := e.Remove(t.Context(), base); err != nil { // what another test has pulled needs no credentials any more
				t.Fatal(err)
			}
			_, _, err := job{Solve: engine.Solve{Dockerfile: dockerfile, SetPlatform: true}}.build(t, e)
			if (err == nil) != (one.want == "") || (err != nil && !matches(one.want, err.Error())) {
				t.Errorf("%s: got %v, want %q", one.name, err, one.want)
			}
		}
	})
}

func TestEngineSharesSecretsWithStepsAlone(t *testing.T) {
	reg := Plain(t)
	dockerfile := "FROM " + Busybox(t, reg) + "\n" +
		"RUN --mount=type=secret,id=file --mount=type=secret,id=env cat /run/secrets/file /run/secrets/env > /copied && rm /copied && cat /run/secrets/file\n"
	EachEngine(t, Dockers(), func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, engine.Options{Getenv: func(name string) string { return map[string]string{"TOKEN": "from-env"}[name] }})
		secrets := []engine.Secret{{ID: "file", File: filepath.Join(Dir(t, Files{"s": "from-file"}), "s")}, {ID: "env", Env: "TOKEN"}}
		j := job{Context: engine.Context{Secrets: secrets}, Solve: engine.Solve{Dockerfile: []byte(dockerfile), NoCache: true}}
		_, told, err := j.build(t, e)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		for _, event := range told {
			if out, ok := event.(engine.Output); ok {
				log.WriteString(out.Text)
			}
		}
		if !strings.Contains(log.String(), "from-file") {
			t.Errorf("the step did not read its secret: %q", log.String())
		}
	})
}

func TestEngineTakesNamedContexts(t *testing.T) {
	reg := Plain(t)
	base := Busybox(t, reg)
	dockerfile := []byte("FROM base\nCOPY --from=lib a.txt /\n")
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		lib := Dir(t, Files{"a.txt": "named", "b.txt": "ignored", ".dockerignore": "b.txt"})
		j := job{
			Context: engine.Context{Named: []engine.Named{{Name: "Lib", Source: lib}, {Name: "base", Source: "docker-image://" + base}}},
			Solve:   engine.Solve{Dockerfile: dockerfile},
			hook: looks(func(root fs.FS) error {
				text, err := fs.ReadFile(root, "a.txt")
				if err == nil && string(text) != "named" {
					err = errors.New("/a.txt is another")
				}
				return err
			}),
		}
		if _, _, err := j.build(t, e); err != nil {
			t.Error(err)
		}
	})
}

func TestEngineSetsTheEpochWhereItCan(t *testing.T) {
	epoch := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		built, told, err := job{Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL a=" + t.Name() + "\n"), Epoch: &epoch}}.build(t, e)
		if err != nil {
			t.Fatal(err)
		}
		image, err := e.Inspect(t.Context(), built.ID)
		if err != nil {
			t.Fatal(err)
		}
		old := strings.HasPrefix(e.Info().Version, "20.")
		if image.Created.Equal(epoch) == old || strings.Contains(notices(told), "SOURCE_DATE_EPOCH") != old {
			t.Errorf("created %s, told %q", image.Created, notices(told))
		}
	})
}
