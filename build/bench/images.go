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

// layer is one that is in the repository already.
type layer struct {
	desc ocispec.Descriptor
	diff digest.Digest
}

// publish puts an image under a tag.
func publish(ctx context.Context, image, tag string, p ocispec.Platform, layers ...layer) error {
	spec := ocispec.Image{Platform: p, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: dockerManifest, Layers: []ocispec.Descriptor{}}
	for _, l := range layers {
		spec.RootFS.DiffIDs, manifest.Layers = append(spec.RootFS.DiffIDs, l.diff), append(manifest.Layers, l.desc)
	}
	config, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	manifest.Config = ocispec.Descriptor{MediaType: dockerConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}
	if err := upload(ctx, image, manifest.Config, bytes.NewReader(config)); err != nil {
		return err
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	_, err = send(ctx, http.MethodPut, api(image)+"/manifests/"+tag, dockerManifest, bytes.NewReader(raw), int64(len(raw)))
	return err
}

// api is a repository's address.
func api(image string) string {
	host, repository, _ := strings.Cut(image, "/")
	return "http://" + host + "/v2/" + repository
}

// upload puts a blob into a repository.
func upload(ctx context.Context, image string, desc ocispec.Descriptor, content io.Reader) error {
	location, err := send(ctx, http.MethodPost, api(image)+"/blobs/uploads/", "", nil, 0)
	if err != nil {
		return err
	}
	_, err = send(ctx, http.MethodPut, location+"&digest="+desc.Digest.String(), "application/octet-stream", content, desc.Size)
	return err
}

// send makes a request, and gives the Location of the answer.
func send(ctx context.Context, method, url, contentType string, body io.Reader, size int64) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", contentType)
	r.ContentLength = size
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
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api(image)+"/manifests/"+tag, nil)
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
