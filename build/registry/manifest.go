package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

// accepted are the media types that are manifests here.
var accepted = strings.Join([]string{index.OCIIndex, index.OCIManifest, index.DockerList, index.DockerManifest}, ", ")

// maxManifest bounds images and indexes alike.
const maxManifest = index.MaxBytes

// Manifest is a manifest's exact bytes and what they were verified to be.
type Manifest struct {
	Descriptor ocispec.Descriptor // media type, digest, size
	Bytes      []byte
}

// Head describes what a tag or digest names, without its bytes. ErrNotFound: there is nothing.
func (c *Client) Head(ctx context.Context, ref reference.Named) (desc ocispec.Descriptor, err error) {
	err = c.run(ctx, "look at", ref.String(), func(ctx context.Context) error {
		desc, err = c.head(ctx, ref)
		return err
	})
	return desc, err
}

func (c *Client) head(ctx context.Context, ref reference.Named) (ocispec.Descriptor, error) {
	if err := validReference(ref); err != nil {
		return ocispec.Descriptor{}, err
	}
	resp, err := c.send(ctx, manifestCall(ctx, http.MethodHead, ref))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer drain(resp)
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusMethodNotAllowed, http.StatusBadRequest: // of no use for an error, having no body
		return c.headByGet(ctx, ref)
	default:
		return ocispec.Descriptor{}, refused(reference.Domain(ref), resp)
	}
	desc := ocispec.Descriptor{MediaType: mediaTypeOf(resp), Size: resp.ContentLength}
	desc.Digest, err = digestHeader(resp)
	switch {
	case err != nil:
		return ocispec.Descriptor{}, err
	case desc.Digest == "" || desc.Size <= 0 || !isManifestType(desc.MediaType): // proxies say 0, as a HEAD has no body
		return c.headByGet(ctx, ref)
	case mismatch(ref, desc.Digest):
		return ocispec.Descriptor{}, corrupt("the registry says that it is %s", desc.Digest)
	}
	return desc, nil
}

// headByGet is for registries whose HEAD says too little.
func (c *Client) headByGet(ctx context.Context, ref reference.Named) (ocispec.Descriptor, error) {
	m, err := c.getManifest(ctx, ref)
	return m.Descriptor, err
}

// mismatch says whether a reference names another digest. Digests of different algorithms cannot be compared by their text,
// and are by what they are of, elsewhere.
func mismatch(ref reference.Named, dgst digest.Digest) bool {
	want, ok := ref.(reference.Digested)
	return ok && want.Digest().Algorithm() == dgst.Algorithm() && want.Digest() != dgst
}

// Manifest fetches the manifest or index that a tag or digest names. Over 4 MiB, empty ones and Docker schema 1
// are refused. ErrNotFound: there is nothing.
func (c *Client) Manifest(ctx context.Context, ref reference.Named) (m Manifest, err error) {
	err = c.run(ctx, "get manifest", ref.String(), func(ctx context.Context) error {
		m, err = c.getManifest(ctx, ref)
		return err
	})
	return m, err
}

// validReference refuses a digest of an algorithm that nothing here can compute: reference.WithDigest takes any.
func validReference(ref reference.Named) error {
	if want, ok := ref.(reference.Digested); ok && want.Digest().Validate() != nil {
		return refusal(ErrUnsupported, "%q is no digest that can be verified", want.Digest())
	}
	return nil
}

func (c *Client) getManifest(ctx context.Context, ref reference.Named) (Manifest, error) {
	if err := validReference(ref); err != nil {
		return Manifest{}, err
	}
	resp, err := c.send(ctx, manifestCall(ctx, http.MethodGet, ref))
	if err != nil {
		return Manifest{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return Manifest{}, refused(reference.Domain(ref), resp)
	}
	defer drain(resp)
	body, err := readBounded(resp, maxManifest, "manifest")
	if err != nil {
		return Manifest{}, err
	}
	if err := refuseSchema1(mediaTypeOf(resp), body); err != nil {
		return Manifest{}, err
	}
	dgst, err := c.verifyManifest(ctx, ref, resp, body)
	if err != nil {
		return Manifest{}, err
	}
	mediaType, err := manifestType(mediaTypeOf(resp), body)
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{
		Descriptor: ocispec.Descriptor{MediaType: mediaType, Digest: dgst, Size: int64(len(body))},
		Bytes:      body,
	}, nil
}

// verifyManifest makes the reference, the header and the body agree. A tag on a registry that sends no digest
// proves nothing of the body; there, the registry must know the body by the digest that it has.
func (c *Client) verifyManifest(ctx context.Context, ref reference.Named, resp *http.Response, body []byte) (digest.Digest, error) {
	header, err := digestHeader(resp)
	if err != nil {
		return "", err
	}
	if header != "" && header.Algorithm().FromBytes(body) != header {
		return "", corrupt("the body is not the %s that the answer's header says", header)
	}
	if want, ok := ref.(reference.Digested); ok {
		if want.Digest().Algorithm().FromBytes(body) != want.Digest() {
			return "", corrupt("the body is not what its digest says, but %s", digest.FromBytes(body))
		}
		return want.Digest(), nil
	}
	if header != "" {
		return header, nil
	}
	return c.confirm(ctx, ref, digest.FromBytes(body))
}

func (c *Client) confirm(ctx context.Context, ref reference.Named, dgst digest.Digest) (digest.Digest, error) {
	byDigest, _ := reference.WithDigest(reference.TrimNamed(ref), dgst) // it is one, being ours
	resp, err := c.send(ctx, manifestCall(ctx, http.MethodHead, byDigest))
	if err != nil {
		return "", err
	}
	defer drain(resp)
	switch resp.StatusCode {
	case http.StatusOK:
		return dgst, nil
	case http.StatusNotFound:
		return "", corrupt("the registry does not know the body that it sent, %s", dgst)
	}
	return "", refused(reference.Domain(ref), resp)
}

func manifestCall(ctx context.Context, method string, ref reference.Named) *call {
	return &call{
		method: method,
		host:   reference.Domain(ref),
		path:   manifestPath(ref),
		header: http.Header{"Accept": {accepted}},
		scopes: pulling(ctx, ref),
	}
}

// manifestPath is a reference's path in the API: its digest wins over its tag, as with docker; with neither it is latest.
func manifestPath(ref reference.Named) string {
	name := "latest"
	if tagged, ok := ref.(reference.Tagged); ok {
		name = tagged.Tag()
	}
	if digested, ok := ref.(reference.Digested); ok {
		name = digested.Digest().String()
	}
	return "v2/" + reference.Path(ref) + "/manifests/" + name
}

// readBounded reads a body of at most limit bytes.
func readBounded(resp *http.Response, limit int64, what string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, tooLarge(what, limit)
	case len(body) == 0:
		return nil, corrupt("the %s is empty", what)
	}
	return body, nil
}

func tooLarge(what string, limit int64) error {
	return refusal(ErrUnsupported, "the %s is larger than %d MiB", what, limit>>20)
}

// digestHeader is the Docker-Content-Digest of an answer, "" when it has none.
func digestHeader(resp *http.Response) (digest.Digest, error) {
	value := resp.Header.Get("Docker-Content-Digest")
	if value == "" {
		return "", nil
	}
	dgst, err := digest.Parse(value)
	if err != nil {
		return "", corrupt("the answer's digest header is none: %w", err)
	}
	return dgst, nil
}

// mediaTypeOf is the answer's type without its parameters.
func mediaTypeOf(resp *http.Response) string {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return mediaType
}

func isManifestType(mediaType string) bool {
	return index.IsIndex(mediaType) || index.IsImage(mediaType)
}

// refuseSchema1 knows the manifests of before 2016 by their type or their fields. It comes before the digest, which is of another
// part of them.
func refuseSchema1(header string, body []byte) error {
	var said struct {
		FSLayers json.RawMessage `json:"fsLayers"`
	}
	if json.Unmarshal(body, &said) == nil && said.FSLayers != nil || index.IsSchema1(header) {
		return refusal(ErrUnsupported, "it is a Docker schema 1 manifest, which nothing has written since 2017; push the image again")
	}
	return nil
}

// manifestType finds a manifest's type from the header, the body's own word, and its fields. Where two of them speak
// they must agree, because a body that is an index to one reader and an image to another is an attack (CVE-2021-41190).
func manifestType(header string, body []byte) (string, error) {
	var said struct {
		MediaType string          `json:"mediaType"`
		Manifests json.RawMessage `json:"manifests"`
		Config    json.RawMessage `json:"config"`
		Layers    json.RawMessage `json:"layers"`
	}
	if first := bytes.TrimSpace(body); len(first) > 0 && first[0] != '{' {
		return "", corrupt("the manifest is no JSON object")
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return "", corrupt("the manifest is no JSON object: %w", err)
	}
	switch problem, err := index.Ambiguity(body, index.ManifestKeys()); {
	case err != nil:
		return "", corrupt("the manifest is no JSON object: %w", err)
	case problem != "":
		return "", refusal(ErrUnsupported, "in its manifest %s; push the image again", problem)
	}
	isList := said.Manifests != nil
	isImage := said.Config != nil || said.Layers != nil
	if isList == isImage {
		return "", refusal(ErrUnsupported, "it is neither an image manifest nor an index")
	}
	mediaType := said.MediaType
	if mediaType == "" {
		mediaType = header
	} else if isManifestType(header) && header != mediaType {
		return "", corrupt("the answer's header says %s and its body %s", clip(header), clip(mediaType))
	}
	return settleType(mediaType, isList)
}

// settleType checks a type against what the fields show. A manifest of a type that is not known, or of none, goes by its fields.
func settleType(mediaType string, isList bool) (string, error) {
	byFields := index.OCIManifest
	if isList {
		byFields = index.OCIIndex
	}
	if !isManifestType(mediaType) {
		return byFields, nil
	}
	if index.IsIndex(mediaType) != isList {
		return "", corrupt("its type is %s and its fields are another's", mediaType)
	}
	return mediaType, nil
}

// PutManifest publishes bytes under a tag or under their own digest. An answer that was lost, and a refusal by a registry whose tags
// are immutable, count as success when the registry turns out to have these bytes there. ErrDenied: it refuses.
func (c *Client) PutManifest(ctx context.Context, ref reference.Named, mediaType string, body []byte) (ocispec.Descriptor, error) {
	desc := ocispec.Descriptor{MediaType: mediaType, Size: int64(len(body))}
	err := c.run(ctx, "put manifest", ref.String(), func(ctx context.Context) (err error) {
		if desc.Digest, err = digestFor(ref, body); err != nil {
			return err
		}
		err = c.putManifest(ctx, ref, desc, body)
		if err != nil && c.lookOnce(ctx, ref, desc.Digest) == nil {
			return nil
		}
		return err
	})
	return desc, err
}

// digestFor is the digest of what is to be put under a reference, which must be the reference's own where it has one.
func digestFor(ref reference.Named, body []byte) (digest.Digest, error) {
	want, ok := ref.(reference.Digested)
	if !ok {
		return digest.FromBytes(body), nil
	}
	if err := validReference(ref); err != nil {
		return "", err
	}
	if got := want.Digest().Algorithm().FromBytes(body); got != want.Digest() {
		return "", refusal(ErrCorrupt, "the bytes to put are %s", got)
	}
	return want.Digest(), nil
}

func (c *Client) putManifest(ctx context.Context, ref reference.Named, desc ocispec.Descriptor, body []byte) error {
	r := manifestCall(ctx, http.MethodPut, ref)
	r.header = http.Header{"Content-Type": {desc.MediaType}}
	r.body, r.size, r.scopes = Bytes(body), desc.Size, pushing(ref)
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated {
		f := refused(reference.Domain(ref), resp)
		if resp.StatusCode < http.StatusBadRequest { // neither done nor refused: a proxy's word, not a registry's
			f.again = few
		}
		return f
	}
	defer drain(resp)
	return c.verifyPut(ctx, ref, resp, desc.Digest)
}

// verifyPut makes sure that what the registry took is what we gave. A registry that does not say is looked at.
func (c *Client) verifyPut(ctx context.Context, ref reference.Named, resp *http.Response, want digest.Digest) error {
	got, err := digestHeader(resp)
	switch {
	case err != nil:
		return err
	case got == "":
		return c.lookFor(ctx, ref, want)
	case got != want:
		return corrupt("the registry has taken it as %s", got)
	}
	return nil
}

// lagLimit is how long a registry may go on showing what was there before, where its answer did not say what it took.
const lagLimit = 30 * time.Second

// lookFor waits until the registry shows what it was given, for as long as an operation may be tried again.
func (c *Client) lookFor(ctx context.Context, ref reference.Named, want digest.Digest) error {
	limit := min(lagLimit, c.retry)
	waited := time.Duration(0)
	for count := 1; ; count++ {
		err := c.lookOnce(ctx, ref, want)
		pause := backoff(count, c.jitter())
		if !errors.Is(err, ErrCorrupt) || waited+pause > limit {
			return err
		}
		if err := c.sleep(ctx, pause); err != nil {
			return err
		}
		waited += pause
	}
}

// lookOnce says why a reference does not name what it should.
func (c *Client) lookOnce(ctx context.Context, ref reference.Named, want digest.Digest) error {
	got, err := c.head(ctx, ref)
	if err == nil && got.Digest != want {
		return corrupt("the registry has %s there afterwards", got.Digest)
	}
	if f := asFailure(err); err != nil && f.again == never {
		return corrupt("the registry has taken it and does not have it: %w", err)
	}
	return err
}

// at names a digest of a repository for messages.
func at(repo reference.Named, dgst digest.Digest) string {
	return fmt.Sprintf("%s@%s", repo.Name(), dgst)
}
