package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The same run again is the same image and uploads nothing, also where everything in the folder is copied: what the first run left
// there is no content.
func TestRerunOfAllThatIsThere(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY . /\n"})
	repo := reg.Repo(t)
	run := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64 arm64"}
	Run(t, dir, With(e), run...).Exits(t, 0)
	first, writes := reg.Raw(t, repo+":1"), reg.Writes(repo)
	Run(t, dir, With(e), run...).Exits(t, 0).Says(t, "unchanged "+repo+":1", "already there")
	if reg.Raw(t, repo+":1") != first || reg.Writes(repo) != writes {
		t.Errorf("the second run published something: %d writes before it, %d after", writes, reg.Writes(repo))
	}
}

// An image of which the registry has lost a layer, as a bad garbage collection does, is not already there: it is pushed again.
func TestRerunBringsBackWhatTheRegistryLost(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /of-a-layer-that-goes\n"})
	repo := reg.Repo(t)
	run := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64"}
	Run(t, dir, With(e), run...).Exits(t, 0)
	var image ocispec.Manifest
	if err := json.Unmarshal([]byte(reg.Raw(t, repo+":amd64-1")), &image); err != nil || len(image.Layers) == 0 {
		t.Fatal(err, image)
	}
	host, name, _ := strings.Cut(repo, "/")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+host+"/v2/"+name+"/blobs/"+image.Layers[0].Digest.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := reg.do(req); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatal(err, resp)
	}
	Run(t, dir, nil, "verify", "-ref="+repo+":1").Exits(t, 3).Says(t, "is missing")
	Run(t, dir, With(e), run...).Exits(t, 0).Says(t, "the registry has lost "+image.Layers[0].Digest.String())
	Run(t, dir, nil, "verify", "-ref="+repo+":1").Exits(t, 0)
}
