package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// child is an image that is to be in a list.
type child struct {
	ref      string
	platform ocispec.Platform
}

// Thirty platforms that every tool takes; some know few variants.
var (
	systems  = []string{"linux", "freebsd", "netbsd", "openbsd", "darwin", "plan9"}
	machines = []string{"amd64", "arm64", "riscv64", "s390x", "ppc64le"}
)

// children publishes n images without layers, each for another platform. Their references lead to the registry that is far away.
func (b *bench) children(ctx context.Context, image string, at far, n int) ([]child, error) {
	var all []child
	for i := range n {
		p := ocispec.Platform{OS: systems[i/len(machines)], Architecture: machines[i%len(machines)]}
		tag := fmt.Sprintf("child-%d", i)
		if err := publish(ctx, image, tag, p); err != nil {
			return nil, err
		}
		all = append(all, child{at.address + strings.TrimPrefix(image, b.registry.address) + ":" + tag, p})
	}
	return all, nil
}

// Docker's own types, as older docker CLIs know no others.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
)

func publish(ctx context.Context, image, tag string, p ocispec.Platform) error {
	host, repository, _ := strings.Cut(image, "/")
	base := "http://" + host + "/v2/" + repository
	config, err := json.Marshal(ocispec.Image{Platform: p, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}})
	if err != nil {
		return err
	}
	described := ocispec.Descriptor{MediaType: dockerConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: dockerManifest, Config: described, Layers: []ocispec.Descriptor{},
	})
	if err != nil {
		return err
	}
	location, err := send(ctx, http.MethodPost, base+"/blobs/uploads/", "", nil)
	if err != nil {
		return err
	}
	if _, err := send(ctx, http.MethodPut, location+"&digest="+described.Digest.String(), "application/octet-stream", config); err != nil {
		return err
	}
	_, err = send(ctx, http.MethodPut, base+"/manifests/"+tag, dockerManifest, manifest)
	return err
}

// send makes a request, and gives the Location of the answer.
func send(ctx context.Context, method, url, contentType string, body []byte) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", contentType)
	header, _, err := do(r)
	return header.Get("Location"), err
}

func do(r *http.Request) (http.Header, []byte, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", r.Method, r.URL, response.Status, body)
	}
	return response.Header, body, err
}

// wasMade makes sure that a tag is a list of the children, each with its platform.
func wasMade(ctx context.Context, image, tag string, children []child) error {
	host, repository, _ := strings.Cut(image, "/")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/v2/"+repository+"/manifests/"+tag, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.docker.distribution.manifest.list.v2+json, "+ocispec.MediaTypeImageIndex)
	_, body, err := do(r)
	if err != nil {
		return err
	}
	var list ocispec.Index
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	for _, c := range children {
		same := func(d ocispec.Descriptor) bool {
			return d.Platform != nil && d.Platform.OS == c.platform.OS && d.Platform.Architecture == c.platform.Architecture
		}
		if !slices.ContainsFunc(list.Manifests, same) {
			return fmt.Errorf("%s is not listed as %s/%s in %s", c.ref, c.platform.OS, c.platform.Architecture, body)
		}
	}
	return nil
}
