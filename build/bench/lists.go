package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/progress"
)

// childCounts are how many children the measured lists have.
var childCounts = []int{2, 6, 10, 30}

// latency is what the proxy adds to every request: a registry across an ocean.
const latency = 50 * time.Millisecond

// maker makes a list of children with one tool.
type maker struct {
	name string
	do   func(ctx context.Context, image string, children []string, peak func(int64)) error
}

// lists measures making a list of images that are in a registry far away.
func (b *bench) lists(ctx context.Context) error {
	if !b.has("manifest:create") {
		fmt.Println("\nlists: these targets have no manifest:create, not measured")
		return nil
	}
	proxy := faults.New("http://" + b.registry.address)
	proxy.Delay = latency
	address, stop, err := serve(ctx, proxy)
	if err != nil {
		return err
	}
	defer stop()
	t := progress.Table{Header: []string{"CHILDREN", "TOKEN", "TOOL", "TIME", "RATIO", "REQUESTS", "ROUNDS", "MEMORY"}, Right: []int{0, 3, 4, 5, 6, 7}}
	for _, n := range childCounts {
		for _, token := range []string{"no", "yes"} {
			if err := b.logIn(address, token); err != nil {
				return err
			}
			if err := b.contestOfMakers(ctx, &t, far{proxy, address, token}, n); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nmaking a list, every request delayed by %s (ratio of ours to theirs)\n", progress.Duration(latency))
	return t.Write(os.Stdout)
}

// far is a registry that is far away.
type far struct {
	proxy   *faults.Proxy
	address string
	token   string // whether it wants one: "yes" or "no"
}

// reset forgets what was asked, and asks for tokens again.
func (f far) reset() {
	f.proxy.Reset()
	if f.token == "no" {
		return
	}
	f.proxy.Add(faults.Rule{Match: faults.On("", "/token"), Fault: faults.Answer(http.StatusOK, "application/json", `{"token":"t","expires_in":300}`)})
	f.proxy.Add(faults.Rule{
		Match: func(r *http.Request) bool { return !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") },
		Fault: faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="http://`+f.address+`/token",service="bench"`),
	})
}

// logIn gives the tools an account where one is wanted.
func (b *bench) logIn(address, token string) error {
	auths := map[string]any{}
	if token == "yes" {
		auths[address] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("bench:bench"))}
	}
	config, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "docker")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}

func serve(ctx context.Context, h http.Handler) (address string, stop func(), err error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { _ = s.Close() }, nil
}

// contestOfMakers lets every tool make the same list, in alternation.
func (b *bench) contestOfMakers(ctx context.Context, t *progress.Table, at far, n int) error {
	image := at.address + strings.TrimPrefix(b.name("lists"), b.registry.address)
	children, err := b.children(ctx, strings.Replace(image, at.address, b.registry.address, 1), n)
	if err != nil {
		return err
	}
	for i, child := range children {
		children[i] = image + ":" + child
	}
	makers := b.makers()
	samples, seen := make([][]sample, len(makers)), make([][]faults.Request, len(makers))
	for round := range b.rounds {
		for i, m := range makers {
			at.reset()
			s, err := b.measure(ctx, func(ctx context.Context, peak func(int64)) error {
				return m.do(ctx, fmt.Sprintf("%s:%s-%s-%d", image, m.name, at.token, round), children, peak)
			})
			if err != nil {
				return err
			}
			samples[i], seen[i] = append(samples[i], s), at.proxy.Requests()
		}
	}
	ours := median(samples[0])
	for i, m := range makers {
		s := median(samples[i])
		t.Add(fmt.Sprint(n), at.token, m.name, progress.Duration(s.took), fmt.Sprintf("%.2f", ours.took.Seconds()/s.took.Seconds()),
			fmt.Sprint(len(seen[i])), fmt.Sprint(faults.Rounds(seen[i])), progress.Size(s.peak))
	}
	return nil
}

// makers are ours, docker manifest, and those of the peers that are on PATH.
func (b *bench) makers() []maker {
	all := []maker{{"manymage", b.ourList}, {"docker", b.dockerList}}
	for _, m := range []maker{{"crane", b.craneList}, {"regctl", b.regctlList}} {
		if _, err := exec.LookPath(m.name); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// tool runs one process of a maker.
func (b *bench) tool(ctx context.Context, peak func(int64), name string, args ...string) error {
	c := b.command(ctx, name, args...)
	err := c.run()
	peak(c.peak)
	return err
}

func (b *bench) ourList(ctx context.Context, image string, children []string, peak func(int64)) error {
	return b.tool(ctx, peak, b.ours, "manifest:create", image, strings.Join(children, ","))
}

func (b *bench) dockerList(ctx context.Context, image string, children []string, peak func(int64)) error {
	if err := b.tool(ctx, peak, b.docker, append([]string{"manifest", "create", "--insecure", image}, children...)...); err != nil {
		return err
	}
	return b.tool(ctx, peak, b.docker, "manifest", "push", "--insecure", "--purge", image)
}

func (b *bench) craneList(ctx context.Context, image string, children []string, peak func(int64)) error {
	args := []string{"index", "append", "--insecure", "--tag", image}
	for _, child := range children {
		args = append(args, "--manifest", child)
	}
	return b.tool(ctx, peak, "crane", args...)
}

func (b *bench) regctlList(ctx context.Context, image string, children []string, peak func(int64)) error {
	args := []string{"index", "create", "--host", "reg=" + strings.SplitN(image, "/", 2)[0] + ",tls=disabled", image}
	for _, child := range children {
		args = append(args, "--ref", child)
	}
	return b.tool(ctx, peak, "regctl", args...)
}

// children publishes n images without layers, each for another platform, and gives their tags.
func (b *bench) children(ctx context.Context, image string, n int) ([]string, error) {
	var tags []string
	for i := range n {
		p := ocispec.Platform{OS: "linux", Architecture: []string{"amd64", "arm64", "riscv64", "s390x", "ppc64le"}[i%5]}
		if i >= 5 {
			p.Variant = fmt.Sprintf("v%d", i/5+1)
		}
		tag := fmt.Sprintf("child-%d", i)
		if err := publish(ctx, image, tag, p); err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	return tags, nil
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
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, said)
	}
	return response.Header.Get("Location"), err
}
