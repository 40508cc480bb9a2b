package lists

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

// scene is two real registries under the names of public ones, each behind a proxy that counts
// and injects faults, and a client of both:
//
//	s := newScene(t)
//	s.push("one.example/app:amd64", imageFor("linux/amd64"))
//	s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64").attested())
type scene struct {
	*testing.T
	client *registry.Client
	one    *faults.Proxy // one.example
	two    *faults.Proxy // two.example
	local  string        // one.example under its address on loopback
	hosts  map[string]string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, one: faults.Around(registrytest.InMemory()), two: faults.Around(registrytest.InMemory())}
	s.hosts = map[string]string{}
	for name, proxy := range map[string]*faults.Proxy{"one.example": s.one, "two.example": s.two} {
		server := httptest.NewServer(proxy)
		t.Cleanup(server.Close)
		s.hosts[name+":443"] = server.Listener.Addr().String()
	}
	s.local = s.hosts["one.example:443"]
	s.client = s.clientOf(registry.Options{})
	return s
}

// clientOf is a client of both registries.
func (s *scene) clientOf(opts registry.Options) *registry.Client {
	opts.Retry, opts.Transport = 3*time.Second, elsewhere(s.hosts)
	client := registry.New(opts)
	s.Cleanup(client.Close)
	return client
}

// elsewhere connects names that do not exist to servers on loopback, without TLS where the
// client expects some.
func elsewhere(hosts map[string]string) http.RoundTripper {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if to, ok := hosts[address]; ok {
			address = to
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return behindTLS{&http.Transport{DialContext: dial, DialTLSContext: dial, MaxIdleConnsPerHost: 100}}
}

type behindTLS struct{ next *http.Transport }

func (b behindTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" && !strings.Contains(r.URL.Host, ".example") {
		return nil, io.ErrUnexpectedEOF // a registry on loopback that has no TLS
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-Proto", r.URL.Scheme)
	return b.next.RoundTrip(r)
}

func (b behindTLS) CloseIdleConnections() { b.next.CloseIdleConnections() }

// testImage is an image to be pushed.
type testImage struct {
	platform  ocispec.Platform // on its label
	program   string           // the architecture of its program
	name      string           // makes its config, and so its digest, another one
	docker    bool
	attestion bool
	labels    map[string]string
	listedAs  *ocispec.Platform
	extra     map[string]string // annotations of its entry
	script    string            // instead of the program
	elsewhere bool              // its layer is not in the registry but with its owner
	packed    string            // the media type of its layer, when it is an unusual one
}

func imageFor(platform string) testImage {
	p, err := platforms.ParseAny(platform)
	if err != nil {
		panic(err)
	}
	return testImage{platform: p, program: p.Architecture}
}

func (i testImage) named(name string) testImage      { i.name = name; return i }
func (i testImage) asDocker() testImage              { i.docker = true; return i }
func (i testImage) attested() testImage              { i.attestion = true; return i }
func (i testImage) holding(program string) testImage { i.program = program; return i }
func (i testImage) running(script string) testImage  { i.script = script; return i }

func (i testImage) foreign() testImage { i.elsewhere = true; return i }

func (i testImage) listed(platform string) testImage {
	p := imageFor(platform).platform
	i.listedAs = &p
	return i
}

func (i testImage) annotated(key, value string) testImage {
	i.extra = map[string]string{key: value}
	return i
}

func (i testImage) labelled(key, value string) testImage {
	i.labels = map[string]string{key: value}
	return i
}

func (i testImage) windows(version string, features ...string) testImage {
	i.platform = ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: version, OSFeatures: features}
	return i
}

// pushed is an image in a registry.
type pushed struct {
	entry  index.Entry
	config ocispec.Descriptor
	layer  []byte
}

// push puts an image under a tag.
func (s *scene) push(ref string, i testImage) pushed {
	s.Helper()
	p := s.upload(ref, i)
	s.tag(ref, p.entry.Descriptor, s.manifest(ref, p.entry.Digest))
	return p
}

func (s *scene) tag(ref string, desc ocispec.Descriptor, raw []byte) {
	s.Helper()
	if _, err := s.client.PutManifest(s.Context(), named(ref), desc.MediaType, raw); err != nil {
		s.Fatal(err)
	}
}

// upload puts an image into a repository, without a tag.
func (s *scene) upload(ref string, i testImage) pushed {
	s.Helper()
	repo := reference.TrimNamed(named(ref))
	layer, diffID := layerOf(i)
	config := mustJSON(s, map[string]any{
		"architecture": i.platform.Architecture, "os": i.platform.OS, "variant": i.platform.Variant,
		"os.version": i.platform.OSVersion, "os.features": i.platform.OSFeatures,
		"created": "2026-01-02T03:04:05Z", "author": i.name,
		"config": map[string]any{"Entrypoint": []string{"/app"}, "Labels": i.labels},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []digest.Digest{diffID}},
	})
	kinds := []string{index.OCIManifest, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip}
	if i.docker {
		kinds = []string{index.DockerManifest, index.DockerConfig, "application/vnd.docker.image.rootfs.diff.tar.gzip"}
	}
	out := pushed{config: s.blob(repo, kinds[1], config), layer: layer}
	layers := []ocispec.Descriptor{s.blob(repo, kinds[2], layer)}
	if i.packed != "" {
		layers[0].MediaType = i.packed
	}
	if i.elsewhere {
		layers[0].MediaType, layers[0].URLs = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []string{"https://owner.example/base"}
	}
	out.entry.Descriptor = s.put(repo, kinds[0], mustJSON(s, map[string]any{
		"schemaVersion": 2, "mediaType": kinds[0], "config": out.config, "layers": layers,
	}))
	p := i.platform
	if i.listedAs != nil {
		p = *i.listedAs
	}
	out.entry.Platform = &p
	out.entry.Annotations = i.extra
	if i.attestion {
		out.entry.Attestations = []index.Entry{s.attestation(repo, out.entry.Digest)}
	}
	return out
}

// attestation puts what BuildKit writes beside an image.
func (s *scene) attestation(repo reference.Named, of digest.Digest) index.Entry {
	s.Helper()
	statement := s.blob(repo, "application/vnd.in-toto+json", []byte(`{"of":"`+of.String()+`"}`))
	statement.Annotations = map[string]string{predicateKey: "https://slsa.dev/provenance/v1"}
	desc := s.put(repo, index.OCIManifest, mustJSON(s, map[string]any{
		"schemaVersion": 2, "mediaType": index.OCIManifest,
		"config": s.blob(repo, ocispec.MediaTypeImageConfig, []byte(`{"architecture":"unknown","os":"unknown"}`)),
		"layers": []ocispec.Descriptor{statement},
	}))
	desc.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	desc.Annotations = map[string]string{index.RefType: "attestation-manifest", index.RefDigest: of.String()}
	return index.Entry{Descriptor: desc}
}

// pushList puts images and a list of them under a tag. The list is taken as it comes, broken
// ones too.
func (s *scene) pushList(ref string, images ...testImage) index.Index {
	s.Helper()
	ix := index.Index{MediaType: index.OCIIndex}
	for _, i := range images {
		ix.Entries = append(ix.Entries, s.upload(ref, i).entry)
	}
	s.pushIndex(ref, ix)
	return ix
}

func (s *scene) pushIndex(ref string, ix index.Index) ocispec.Descriptor {
	s.Helper()
	raw, desc, err := ix.Marshal()
	if err != nil {
		s.Fatal(err)
	}
	s.tag(ref, desc, raw)
	return desc
}

// pushNested puts a list of lists under a tag: of each platform a list with its image, as builders do that keep an image's
// attestations beside it. The inner lists have no platform of their own when undeclared.
func (s *scene) pushNested(ref string, undeclared bool, images ...testImage) {
	s.Helper()
	var outer index.Index
	for _, i := range images {
		inner := s.listOf(ref, i)
		raw, desc, err := inner.Marshal()
		if err != nil {
			s.Fatal(err)
		}
		e := index.Entry{Descriptor: s.put(named(ref), desc.MediaType, raw)}
		if !undeclared {
			e.Platform = inner.Entries[0].Platform
		}
		outer.Entries = append(outer.Entries, e)
	}
	s.pushIndex(ref, outer)
}

// artifact puts something that is no image under a tag.
func (s *scene) artifact(ref string, annotations map[string]string) ocispec.Descriptor {
	s.Helper()
	raw := mustJSON(s, map[string]any{"schemaVersion": 2, "mediaType": index.OCIManifest, "layers": []any{}, "annotations": annotations,
		"config": s.blob(named(ref), ocispec.MediaTypeEmptyJSON, []byte("{}"))})
	s.tag(ref, indexEntry(raw), raw)
	return indexEntry(raw)
}

// broken puts an index under a tag that no reader accepts: its entry has no size.
func (s *scene) broken(ref string) {
	s.Helper()
	of := s.upload(ref, imageFor("linux/amd64")).entry.Digest
	s.tag(ref, ocispec.Descriptor{MediaType: index.OCIIndex}, []byte(`{"schemaVersion":2,"mediaType":"`+index.OCIIndex+
		`","manifests":[{"mediaType":"`+index.OCIManifest+`","digest":"`+of.String()+`","size":0}]}`))
}

// lose makes the registry one.example answer that it does not have something.
func (s *scene) lose(d digest.Digest) {
	s.one.Add(faults.Rule{Match: faults.On("", d.String()), Fault: faults.Status(http.StatusNotFound)})
}

func (s *scene) blob(repo reference.Named, mediaType string, body []byte) ocispec.Descriptor {
	s.Helper()
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(body), Size: int64(len(body))}
	if err := s.client.PutBlob(s.Context(), repo, desc, registry.Bytes(body)); err != nil {
		s.Fatal(err)
	}
	return desc
}

func (s *scene) put(repo reference.Named, mediaType string, body []byte) ocispec.Descriptor {
	s.Helper()
	desc, err := s.client.PutManifest(s.Context(), withDigest(repo, digest.FromBytes(body)), mediaType, body)
	if err != nil {
		s.Fatal(err)
	}
	return ocispec.Descriptor{MediaType: mediaType, Digest: desc.Digest, Size: int64(len(body))}
}

// manifest reads what a digest in the reference's repository names.
func (s *scene) manifest(ref string, d digest.Digest) []byte {
	s.Helper()
	m, err := s.client.Manifest(s.Context(), withDigest(named(ref), d))
	if err != nil {
		s.Fatal(err)
	}
	return m.Bytes
}

// index reads the list under a tag.
func (s *scene) index(ref string) index.Index {
	s.Helper()
	m, err := s.client.Manifest(s.Context(), named(ref))
	if err != nil {
		s.Fatal(err)
	}
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		s.Fatal(err)
	}
	return ix
}

// digest is what a tag names, "" for nothing.
func (s *scene) digest(ref string) digest.Digest {
	s.Helper()
	tag := named(ref).(reference.Tagged).Tag()
	current, err := Look(s.Context(), s.client, named(ref), []string{tag})
	if err != nil {
		s.Fatal(err)
	}
	return current.tags[tag].desc.Digest
}

// platforms is what a tag has, in order.
func (s *scene) platforms(ref string) string {
	s.Helper()
	return strings.Join(formatAll(s.index(ref).Platforms()), " ")
}

// written lists the requests of a registry that changed something.
func written(p *faults.Proxy) []string {
	var out []string
	for _, r := range p.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			out = append(out, r.Method+" "+r.Path)
		}
	}
	return out
}

func named(ref string) reference.Named {
	n, err := ParseReference(ref)
	if err != nil {
		panic(err)
	}
	return n
}

func sources(text string) []Source {
	out, err := ParseSources(text)
	if err != nil {
		panic(err)
	}
	return out
}

// layerOf is a compressed layer with the image's program at /app, and the digest of its tar.
func layerOf(i testImage) ([]byte, digest.Digest) {
	program := []byte(i.script)
	if i.script == "" {
		program = elftest.Of(i.program)
	}
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}); err != nil {
		panic(err)
	}
	if _, err := w.Write(program); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(plain.Bytes()) // into memory
	_ = z.Close()
	return packed.Bytes(), digest.FromBytes(plain.Bytes())
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}

// indexEntry describes a manifest.
func indexEntry(raw []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: index.OCIManifest, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
}
