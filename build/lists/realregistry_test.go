package lists

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// debianScene is a scene in Debian's docker-registry, read by skopeo: neither has a line of
// code in common with this module.
func debianScene(t *testing.T) (*scene, string) {
	t.Helper()
	program := need(t, "docker-registry")
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yml")
	config := "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: " + filepath.Join(dir, "data") +
		"}\n  delete: {enabled: true}\nhttp: {addr: '127.0.0.1:0'}\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", file)
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none", "PATH=" + os.Getenv("PATH")}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := registry.New(registry.Options{})
	t.Cleanup(client.Close)
	return &scene{T: t, client: client}, listening(t, stderr)
}

func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("this test needs %s: apt-get install docker-registry skopeo", program)
	}
	return path
}

var listeningOn = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	var seen strings.Builder
	for lines.Scan() {
		seen.WriteString(lines.Text() + "\n")
		if m := listeningOn.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return m[1]
		}
	}
	t.Fatalf("docker-registry does not start: %s", seen.String())
	return ""
}

// skopeo runs skopeo and gives what it prints.
func skopeo(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(need(t, "skopeo"), args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("skopeo %q: %v: %s", args, err, exit.Stderr)
		}
		t.Fatal(err)
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
	listing, err := Ls(t.Context(), s.client, host+"/team/app")
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
