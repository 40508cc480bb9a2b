package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// Published is what skopeo, which knows nothing of us, reads under a reference.
type Published struct {
	MediaType   string            `json:"mediaType"`
	Annotations map[string]string `json:"annotations"`
	Manifests   []Child           `json:"manifests"`
}

// Child is one entry of an index.
type Child struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations"`
	Platform    struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	} `json:"platform"`
}

// Name is the platform in one word: "linux/arm/v7".
func (c Child) Name() string {
	name := c.Platform.OS + "/" + c.Platform.Architecture
	if c.Platform.Variant != "" {
		name += "/" + c.Platform.Variant
	}
	return name
}

// Platforms are the index's platforms, in its order.
func (p Published) Platforms() []string {
	var names []string
	for _, c := range p.Manifests {
		names = append(names, c.Name())
	}
	return names
}

// Config is an image's config as the registry has it.
type Config struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
	Config       struct {
		Entrypoint, Cmd, Env []string
		Labels               map[string]string
	} `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// Raw is the exact manifest or index under the reference.
func (r *Registry) Raw(t *testing.T, ref string) string {
	t.Helper()
	return r.skopeo(t, "inspect", "--raw", "docker://"+ref)
}

// Index reads the reference, which must be an index.
func (r *Registry) Index(t *testing.T, ref string) Published {
	t.Helper()
	var index Published
	decode(t, r.Raw(t, ref), &index)
	if len(index.Manifests) == 0 {
		t.Fatalf("%s is not an index: %s", ref, r.Raw(t, ref))
	}
	return index
}

// Config reads an image's config; a child is "REPO@DIGEST".
func (r *Registry) Config(t *testing.T, ref string) Config {
	t.Helper()
	var config Config
	decode(t, r.skopeo(t, "inspect", "--config", "--raw", "docker://"+ref), &config)
	return config
}

// Has says whether anything is published under the reference "HOST/NAME:TAG" or "HOST/NAME@DIGEST".
func (r *Registry) Has(t *testing.T, ref string) bool {
	t.Helper()
	name := strings.TrimPrefix(ref, r.Host+"/")
	name, tag, digest := strings.Cut(name, "@")
	if !digest {
		name, tag, _ = strings.Cut(name, ":")
	}
	resp, err := r.send("HEAD", "/v2/"+name+"/manifests/"+tag, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode == 200
}

func (r *Registry) skopeo(t *testing.T, args ...string) string {
	t.Helper()
	args = append(args, "--tls-verify=false")
	if r.User != "" {
		args = append(args, "--creds="+r.User+":"+r.Password)
	}
	out, err := output([]string{"HOME=" + suite.home}, "skopeo", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// Says pulls the reference for the platform, runs it (under QEMU where it is foreign) and returns what it says of itself.
// The image's own command is used when there are no args.
func (e *EngineUnderTest) Says(t *testing.T, ref, platform string, args ...string) string {
	t.Helper()
	Emulation(t)
	e.CLI(t, "pull", "-q", "--platform", platform, ref)
	return e.CLI(t, append([]string{"run", "--rm", "--network=host", "--platform", platform, ref}, args...)...)
}
