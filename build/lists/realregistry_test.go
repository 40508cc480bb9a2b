package lists

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// debianScene is a scene in Debian's docker-registry, read by skopeo: neither has a line of
// code in common with this module.
func debianScene(t *testing.T) (*scene, string) {
	t.Helper()
	client := registry.New(registry.Options{})
	t.Cleanup(client.Close)
	return &scene{T: t, client: client}, registrytest.Start(t, "")
}

// skopeo runs skopeo and gives what it prints.
func skopeo(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("skopeo", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("skopeo %q: %v: %s", args, err, exit.Stderr)
		}
		t.Fatalf("this test needs skopeo: apt-get install skopeo: %v", err)
	}
	return string(out)
}

func TestSkopeoReadsWhatWasPublished(t *testing.T) {
	s, host := debianScene(t)
	ref := host + "/team/app:1"
	for _, docker := range []bool{true, false} {
		for _, arch := range []string{"amd64", "arm64", "arm/v7"} {
			i := imageFor("linux/" + arch)
			i.docker = docker
			s.push(host+"/team/app:"+strings.ReplaceAll(arch, "/", ""), i)
		}
		_, err := FromArgs(t.Context(), s.client, "linux/arm64,linux/amd64,linux/arm/v7", host+"/team/app:ARCHVARIANT", ref, CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Manifests []struct {
				Digest   string
				Platform struct{ Architecture, Variant string }
			}
		}
		if err := json.Unmarshal([]byte(skopeo(t, "inspect", "--raw", "--tls-verify=false", "docker://"+ref)), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range list.Manifests {
			got = append(got, m.Platform.Architecture+m.Platform.Variant)
		}
		if strings.Join(got, " ") != "arm64 amd64 armv7" {
			t.Errorf("skopeo reads %q", got)
		}
		for _, of := range [][]string{{"amd64"}, {"arm64"}, {"arm", "--override-variant=v7"}} {
			args := append([]string{"--override-arch=" + of[0]}, of[1:]...)
			if text := skopeo(t, append(args, "inspect", "--tls-verify=false", "docker://"+ref)...); !strings.Contains(text, `"Architecture": "`+of[0]+`"`) {
				t.Errorf("for %s skopeo finds %s", of, text)
			}
		}
	}
}

func TestSkopeoReadsWhatWasFetched(t *testing.T) {
	s, host := debianScene(t)
	for _, i := range []testImage{imageFor("linux/arm64"), imageFor("linux/arm64").asDocker()} {
		s.pushList(host+"/team/app:1", i.named("a"))
		p := platformsOf("linux/arm64")[0]
		dir := t.TempDir()
		file, layout := filepath.Join(dir, "app.tar"), filepath.Join(dir, "layout")
		for _, to := range []string{file, layout + "/"} {
			if _, err := FetchFile(t.Context(), s.client, host+"/team/app:1", to, FetchOptions{Platform: &p}); err != nil {
				t.Fatal(err)
			}
		}
		for _, source := range []string{"docker-archive:" + file, "oci-archive:" + file + ":1", "oci:" + layout + ":1"} {
			if text := skopeo(t, "inspect", source); !strings.Contains(text, `"Architecture": "arm64"`) {
				t.Errorf("%s: %s", source, text)
			}
			skopeo(t, "copy", source, "dir:"+filepath.Join(t.TempDir(), "copy")) // reads every layer and compares digests
		}
	}
}

// A real registry mounts, deletes, and refuses a list whose images it does not have.
func TestOperationsOnARealRegistry(t *testing.T) {
	s, host := debianScene(t)
	s.pushList(host+"/team/app:1", imageFor("linux/amd64").attested(), imageFor("linux/arm64"))
	s.refer(host+"/team/app", s.digest(host+"/team/app:1"), "signature")
	got, err := Copy(t.Context(), s.client, host+"/team/app:1", []string{host + "/copy/app:1"}, CopyOptions{})
	if err != nil || got.Referrers != 1 || complaints(s, host+"/copy/app:1") != "" {
		t.Fatalf("%v %+v", err, got)
	}
	if _, err := Apply(t.Context(), s.client, host+"/copy/app:1", Edit{Remove: []index.Target{target("linux/amd64")}}, CreateOptions{}); err != nil {
		t.Error(err)
	}
	if s.platforms(host+"/copy/app:1") != "linux/arm64" {
		t.Error("amd64 is still there")
	}
	listing, err := Ls(t.Context(), s.client, host+"/team/app", LsOptions{})
	if err != nil || len(listing.Tags) != 2 { // the list, and the tag that holds its referrers
		t.Errorf("%v %+v", err, listing)
	}
	plan, err := PlanRemove(t.Context(), s.client, host+"/copy/app:1", RemoveOptions{Children: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Remove(t.Context(), s.client, plan); err != nil || s.digest(host+"/copy/app:1") != "" {
		t.Errorf("%v", err)
	}
}
