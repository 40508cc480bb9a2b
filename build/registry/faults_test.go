package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// scene is a registry with an image in it, and one that is yet to be published.
type scene struct {
	*faulty
	at, byDigest reference.Named // the image that is there
	there        image
	to, moved    reference.Named // where the new one and another tag go
	fresh        image
	desc         ocispec.Descriptor // of the image that is there
}

func newScene(t testing.TB, opts Options) *scene {
	t.Helper()
	s := &scene{faulty: newFaulty(t, opts)}
	s.at, s.to = ref(t, s.host+"/team/app:1"), ref(t, s.host+"/team/new:2")
	s.moved = ref(t, s.host+"/team/app:moved")
	s.there = imageOf(t, "there", bytes.Repeat([]byte("old layer "), 30_000))
	s.fresh = imageOf(t, "fresh", bytes.Repeat([]byte("new layer "), 30_000))
	s.desc = publish(t, s.client, s.at, s.there)
	s.byDigest, _ = reference.WithDigest(reference.TrimNamed(s.at), s.desc.Digest)
	s.Reset()
	s.waits.reset()
	return s
}

// operation is one method with a check of what came of it.
type operation struct {
	name   string
	verify bool // what is read is checked against a digest, so that a changed body is noticed
	run    func(ctx context.Context, s *scene) error
}

var operations = []operation{
	{"Head", true, func(ctx context.Context, s *scene) error {
		got, err := s.client.Head(ctx, s.at)
		return expect(err, reflect.DeepEqual(got, s.desc), true)
	}},
	{"Manifest by tag", true, func(ctx context.Context, s *scene) error {
		got, err := s.client.Manifest(ctx, s.at)
		return expect(err, reflect.DeepEqual(got, Manifest{s.desc, s.there.manifest}), true)
	}},
	{"Manifest by digest", true, func(ctx context.Context, s *scene) error {
		got, err := s.client.Manifest(ctx, s.byDigest)
		return expect(err, reflect.DeepEqual(got, Manifest{s.desc, s.there.manifest}), true)
	}},
	{"Config", true, func(ctx context.Context, s *scene) error {
		got, err := s.client.Config(ctx, s.at, descOf("", s.there.config))
		return expect(err, string(got), string(s.there.config))
	}},
	{"Blob", true, func(ctx context.Context, s *scene) error {
		got, err := readBlob(ctx, s.client, s.at, descOf("", s.there.layer))
		return expect(err, string(got), string(s.there.layer))
	}},
	{"HasBlob", true, func(ctx context.Context, s *scene) error {
		got, err := s.client.HasBlob(ctx, s.at, descOf("", s.there.layer))
		return expect(err, got, true)
	}},
	{"PutBlob", true, func(ctx context.Context, s *scene) error {
		desc := descOf("", s.fresh.layer)
		err := s.client.PutBlob(ctx, s.to, desc, Bytes(s.fresh.layer))
		return s.expectBlob(ctx, err, s.to, s.fresh.layer)
	}},
	{"Mount", true, func(ctx context.Context, s *scene) error {
		_, err := s.client.Mount(ctx, s.to, s.at, descOf("", s.there.layer))
		return s.expectBlob(ctx, err, s.to, s.there.layer)
	}},
	{"CopyBlob", true, func(ctx context.Context, s *scene) error {
		_, err := s.client.CopyBlob(ctx, s.to, s.at, descOf("", s.there.layer), nil)
		return s.expectBlob(ctx, err, s.to, s.there.layer)
	}},
	{"PutManifest", true, func(ctx context.Context, s *scene) error {
		moved := s.moved
		_, err := s.client.PutManifest(ctx, moved, ocispec.MediaTypeImageManifest, s.there.manifest)
		if err != nil {
			return err
		}
		got, err := s.client.Manifest(ctx, moved)
		return expect(err, string(got.Bytes), string(s.there.manifest))
	}},
	{"Tags", false, func(ctx context.Context, s *scene) error {
		got, err := s.client.Tags(ctx, s.at)
		return expect(err, slices.Equal(got, []string{"1"}), true)
	}},
	{"Referrers", false, func(ctx context.Context, s *scene) error {
		got, err := s.client.Referrers(ctx, s.at, s.desc.Digest, "")
		return expect(err, len(got), 0)
	}},
	{"DeleteManifest", true, func(ctx context.Context, s *scene) error {
		if err := s.client.DeleteManifest(ctx, s.at, s.desc.Digest); err != nil {
			return err
		}
		_, err := s.client.Head(ctx, s.byDigest)
		return expect(nil, errors.Is(err, ErrNotFound), true)
	}},
	{"Ping", false, func(ctx context.Context, s *scene) error {
		got, err := s.client.Ping(ctx, s.host)
		return expect(err, got.Auth, "none")
	}},
}

func expect[T comparable](err error, got, want T) error {
	if err == nil && got != want {
		return fmt.Errorf("wrong result: got %.80v, want %.80v", got, want)
	}
	return err
}

func (s *scene) expectBlob(ctx context.Context, err error, repo reference.Named, want []byte) error {
	if err != nil {
		return err
	}
	got, err := readBlob(ctx, s.client, repo, descOf("", want))
	return expect(err, string(got), string(want))
}

// readBlob reads a blob as users do: again from the start when it proves corrupt at its end.
func readBlob(ctx context.Context, c *Client, repo reference.Named, desc ocispec.Descriptor) ([]byte, error) {
	got, err := readBlobOnce(ctx, c, repo, desc)
	if errors.Is(err, ErrCorrupt) {
		got, err = readBlobOnce(ctx, c, repo, desc)
	}
	return got, err
}

func readBlobOnce(ctx context.Context, c *Client, repo reference.Named, desc ocispec.Descriptor) ([]byte, error) {
	blob, err := c.Blob(ctx, repo, desc)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	got, err := io.ReadAll(blob)
	if len(got) > 0 && int64(len(got)) == desc.Size && desc.Digest != desc.Digest.Algorithm().FromBytes(got) {
		return nil, errors.New("a whole blob that is another was handed on")
	}
	return got, err
}

// passing are the faults that go away: every request suffers once, and the operation succeeds all the same.
var passing = []struct {
	name    string
	changes bool // the body, which only a digest can tell
	fault   faults.Fault
}{
	{"408", false, faults.Status(408)},
	{"429", false, faults.Status(429)},
	{"429 with Retry-After in seconds", false, faults.Status(429, "Retry-After", "7")},
	{"429 with Retry-After as a date", false, faults.Status(429, "Retry-After", epoch.Add(9*time.Second).Format(http.TimeFormat))},
	{"500", false, faults.Status(500)},
	{"502", false, faults.Answer(502, "text/html", "<h1>Bad Gateway</h1>")},
	{"503 with Retry-After", false, faults.Status(503, "Retry-After", "3")},
	{"504", false, faults.Status(504)},
	{"reset before an answer", false, faults.Reset()},
	{"reset in the body", false, faults.ResetInBody()},
	{"early close", false, faults.CloseInBody()},
	{"answer lost", false, faults.LoseAnswer()},
	{"silence", false, faults.Stall()},
	{"silence in the body", false, faults.StallInBody()},
	{"flipped bit", true, faults.FlipBit()},
	{"truncated", true, faults.Truncate()},
	{"empty", true, faults.Empty()},
	{"substituted", true, faults.Substitute(`{"schemaVersion":2,"layers":[]}`)},
}

func TestEveryOperationOutlivesEveryPassingFault(t *testing.T) {
	for _, fault := range passing {
		for _, op := range operations {
			if fault.changes && !op.verify {
				continue
			}
			t.Run(fault.name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, Options{})
				if strings.HasPrefix(fault.name, "silence") {
					s.client.idle, s.client.verdict = patience, 2*patience
				}
				s.Add(faults.Rule{Match: faults.OncePerRequest(), Fault: fault.fault})
				if err := op.run(t.Context(), s); err != nil {
					t.Errorf("%v\n%s", err, s.trace())
				}
			})
		}
	}
}

func (s *scene) trace() string {
	var out bytes.Buffer
	for _, r := range s.Requests() {
		fmt.Fprintf(&out, "  %s %s?%s -> %d\n", r.Method, r.Path, r.Query, r.Status)
	}
	return out.String()
}

// lasting are the faults that stay: the operation gives up within its time, says what it was, and has published nothing.
func TestEveryOperationGivesUpOnALastingFault(t *testing.T) {
	for _, fault := range []struct {
		name  string
		want  error // where the operation begins with a question
		write error // where it begins with a change
		fault faults.Fault
	}{
		{"503", ErrUnreachable, ErrUnreachable, faults.Status(503)},
		{"429 for longer than we wait", ErrUnreachable, ErrUnreachable, faults.Status(429, "Retry-After", "86400")},
		{"reset", ErrUnreachable, ErrUnreachable, faults.Reset()},
		{"401 without a challenge", ErrUnauthorized, ErrUnauthorized, faults.Status(401)},
		{"403", ErrUnauthorized, ErrUnauthorized, faults.Status(403)},
		{"405", ErrUnexpected, ErrDenied, faults.Status(405)},
		{"418", ErrUnexpected, ErrDenied, faults.Status(418)},
		{"501", ErrUnexpected, ErrDenied, faults.Status(501)},
	} {
		for _, op := range operations {
			if op.name == "Mount" || op.name == "Referrers" { // a refusal is their answer "not here"
				continue
			}
			t.Run(fault.name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, Options{})
				s.Add(faults.Rule{Fault: fault.fault})
				want := fault.want
				if op.name == "PutManifest" || op.name == "DeleteManifest" {
					want = fault.write
				}
				err := op.run(t.Context(), s)
				var failed *Error
				if !errors.Is(err, want) || !errors.As(err, &failed) || failed.Op == "" || !strings.HasPrefix(failed.Ref, s.host) {
					t.Errorf("got %v, want %v", err, want)
				}
				if s.waits.passed > defaultRetry {
					t.Errorf("waited %s, more than %s", s.waits.passed, defaultRetry)
				}
			})
		}
	}
}

// called finds operations by their names.
func called(t *testing.T, names ...string) []operation {
	t.Helper()
	var out []operation
	for _, name := range names {
		i := slices.IndexFunc(operations, func(o operation) bool { return o.name == name })
		if i < 0 {
			t.Fatalf("there is no operation %s", name)
		}
		out = append(out, operations[i])
	}
	return out
}

func TestChangedContentIsNeverHandedOn(t *testing.T) {
	for _, op := range called(t, "Manifest by tag", "Manifest by digest", "Config", "Blob") {
		for name, fault := range map[string]faults.Fault{
			"flipped": faults.FlipBit(), "truncated": faults.Truncate(), "empty": faults.Empty(), "substituted": faults.Substitute("{}"),
		} {
			t.Run(name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, Options{})
				s.Add(faults.Rule{Match: faults.On("GET", "/"), Fault: fault})
				if err := op.run(t.Context(), s); !errors.Is(err, ErrCorrupt) || name == "empty" && op.name != "Blob" && !strings.Contains(err.Error(), "is empty") {
					t.Errorf("got %v, want %v", err, ErrCorrupt)
				}
			})
		}
	}
}

// TestABitFlippedOnTheWayUp holds that the registry's own digest is believed and not our intention.
func TestABitFlippedOnTheWayUp(t *testing.T) {
	s := newScene(t, Options{})
	flip := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		body[len(body)/2] ^= 1
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
	s.Add(faults.Rule{Match: faults.On("PUT", "/blobs/"), Times: 1, Fault: flip})
	s.Add(faults.Rule{Match: faults.On("PUT", "/manifests/"), Times: 1, Fault: flip})
	for _, op := range called(t, "PutBlob", "PutManifest") {
		if err := op.run(t.Context(), s); err != nil {
			t.Errorf("%s: %v\n%s", op.name, err, s.trace())
		}
	}
}

func TestALostAnswerIsNoSecondPut(t *testing.T) {
	s := newScene(t, Options{})
	s.Add(faults.Rule{Match: faults.On("PUT", "/manifests/"), Fault: faults.LoseAnswer()})
	if _, err := s.client.PutManifest(t.Context(), s.at, ocispec.MediaTypeImageManifest, s.there.manifest); err != nil {
		t.Fatal(err)
	}
	puts := 0
	for _, r := range s.Requests() {
		if r.Method == "PUT" {
			puts++
		}
	}
	if puts != 1 || len(s.waits.waits) != 0 {
		t.Errorf("%d PUTs and %d waits, want one and none\n%s", puts, len(s.waits.waits), s.trace())
	}
}

// TestAnImmutableTag holds that what is there already is success, and what is not is refused and not asked again.
func TestAnImmutableTag(t *testing.T) {
	refuse := faults.Answer(400, "application/json",
		`{"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists and cannot be overwritten because the tag is immutable."}]}`)
	s := newScene(t, Options{})
	s.Add(faults.Rule{Match: faults.On("PUT", "/manifests/"), Fault: refuse})
	if _, err := s.client.PutManifest(t.Context(), s.at, ocispec.MediaTypeImageManifest, s.there.manifest); err != nil {
		t.Errorf("the same content again: %v", err)
	}
	_, err := s.client.PutManifest(t.Context(), s.at, ocispec.MediaTypeImageManifest, s.fresh.manifest)
	if !errors.Is(err, ErrDenied) || len(s.waits.waits) != 0 {
		t.Errorf("other content: %v after %d waits, want a refusal at once", err, len(s.waits.waits))
	}
}

func TestBlobsResumeWhereTheyBroke(t *testing.T) {
	s := newScene(t, Options{})
	whole := 0
	s.Add(faults.Rule{Match: func(r *http.Request) bool {
		if r.Header.Get("Range") == "" {
			whole++
		}
		return r.Method == http.MethodGet
	}, Times: 3, Fault: faults.CloseInBody()})
	got, err := readBlob(t.Context(), s.client, s.at, descOf("", s.there.layer))
	if err != nil || !bytes.Equal(got, s.there.layer) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if len(s.Requests()) != 4 || whole != 1 {
		t.Errorf("%d requests, %d of them for the whole; want 4 and 1", len(s.Requests()), whole)
	}
}

// What has come a good way is worth the patience that a blob had at its beginning.
func TestBlobsThatGetOnAreWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		size, breaks int
		want         error
	}{"by a lot": {8 * progressStep, 2, nil}, "by less and less": {4 * progressStep, 3, ErrUnreachable}, "by little": {progressStep, 2, ErrUnreachable}} {
		s := newScene(t, Options{Retry: firstWait})
		layer := bytes.Repeat([]byte("01234567"), test.size/8)
		if err := s.client.PutBlob(t.Context(), s.to, descOf("", layer), Bytes(layer)); err != nil {
			t.Fatal(err)
		}
		s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: test.breaks, Fault: faults.CloseInBody()}) // what was sent has come, as behind a reset it need not have
		if got, err := readBlobOnce(t.Context(), s.client, s.to, descOf("", layer)); !errors.Is(err, test.want) || err == nil && !bytes.Equal(got, layer) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// A proxy's answer, an upload that a restart ended and a manifest ahead of its blobs are asked about once more.
func TestAnswersThatDecideNothing(t *testing.T) {
	said := func(code string) faults.Fault {
		return faults.Answer(400, "application/json", `{"errors":[{"code":"`+code+`","message":"no"}]}`)
	}
	for _, test := range []struct {
		op    string
		path  string
		fault faults.Fault
	}{
		{"PutManifest", "/manifests/", faults.Status(202)},
		{"PutManifest", "/manifests/", faults.Redirect(307, "/elsewhere")},
		{"PutManifest", "/manifests/", said("MANIFEST_INVALID")},
		{"PutManifest", "/manifests/", said("MANIFEST_BLOB_UNKNOWN")},
		{"PutManifest", "/manifests/", said("SIZE_INVALID")},
		{"PutBlob", "/blobs/", faults.Status(202)},
		{"PutBlob", "/blobs/", faults.Status(404)},
		{"PutBlob", "/blobs/", said("DIGEST_INVALID")},
		{"PutBlob", "/blobs/", faults.WithHeader("Docker-Content-Digest", digest.FromString("another").String())},
		{"PutBlob", "/blobs/", faults.WithHeader("Docker-Content-Digest", "none")},
	} {
		s := newScene(t, Options{})
		s.Add(faults.Rule{Match: faults.On("PUT", test.path), Times: 1, Fault: test.fault})
		if err := called(t, test.op)[0].run(t.Context(), s); err != nil {
			t.Errorf("%s: %v\n%s", test.op, err, s.trace())
		}
		seen := s.Requests()
		put := slices.IndexFunc(seen, func(r faults.Request) bool { return r.Method == http.MethodPut })
		if seen[put+1].Method != http.MethodHead {
			t.Errorf("%s: nobody looks what came of it\n%s", test.op, s.trace())
		}
	}
	for _, op := range called(t, "PutManifest", "PutBlob") { // this one has decided
		s := newScene(t, Options{})
		s.Add(faults.Rule{Match: faults.On("PUT", ""), Fault: faults.Status(403)})
		if err := op.run(t.Context(), s); !errors.Is(err, ErrUnauthorized) || len(s.waits.waits) > 0 {
			t.Errorf("%s: %v after %v", op.name, err, s.waits.waits)
		}
	}
}

func TestBlobsRestartWithoutRanges(t *testing.T) {
	s := newScene(t, Options{})
	noRange := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	}
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: faults.CloseInBody()})
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: sends(200, "", s.there.layer[:99], false)}) // not even what there was
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: noRange})
	got, err := readBlobOnce(t.Context(), s.client, s.at, descOf("", s.there.layer))
	if err != nil || !bytes.Equal(got, s.there.layer) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAClosedBlob(t *testing.T) {
	s := newScene(t, Options{})
	blob, err := s.client.Blob(t.Context(), s.at, descOf("", s.there.layer))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := blob.Close(); err != nil {
			t.Error(err)
		}
	}
	if n, err := blob.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestARegistryThatSendsNoDigests(t *testing.T) {
	s := newScene(t, Options{})
	s.Add(faults.Rule{Fault: faults.WithHeader("Docker-Content-Digest", "")})
	for _, op := range operations {
		if op.name == "DeleteManifest" || op.name == "Tags" { // the others have changed what these find
			continue
		}
		if err := op.run(t.Context(), s); err != nil {
			t.Errorf("%s: %v", op.name, err)
		}
	}
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("GET", "/manifests/"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		faults.FlipBit()(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			faults.WithHeader("Docker-Content-Digest", "")(w, r, next)
		}))
	}})
	if _, err := s.client.Manifest(t.Context(), s.at); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "does not know the body that it sent") {
		t.Errorf("a flipped bit under a tag without a digest: %v", err)
	}
	s.Add(faults.Rule{Match: faults.On("HEAD", "/manifests/"), Fault: faults.Status(403)})
	if _, err := s.client.Manifest(t.Context(), s.at); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a tag without a digest where nobody may look: %v", err)
	}
}

// A registry that does not say what it took, and shows it late: it is waited for, and the manifest is not sent again. One that never
// shows what it was given is not waited for longer than people wait.
func TestALaggingRegistryWithoutDigests(t *testing.T) {
	for name, test := range map[string]struct {
		fault faults.Fault
		times int // 0 is for ever
		want  error
		says  string
	}{
		"nothing yet":        {faults.Status(404), 6, nil, ""},
		"what was before":    {faults.WithHeader("Docker-Content-Digest", digest.FromString("old").String()), 6, nil, ""},
		"nothing ever":       {faults.Status(404), 0, ErrCorrupt, "has taken it and does not have it"},
		"always the old":     {faults.WithHeader("Docker-Content-Digest", digest.FromString("old").String()), 0, ErrCorrupt, "has " + digest.FromString("old").String() + " there afterwards"},
		"failing ever after": {faults.Status(503), 0, ErrUnreachable, "answers 503"},
	} {
		s := newScene(t, Options{})
		publish(t, s.client, s.moved, s.there)
		s.Reset()
		s.waits.reset()
		s.Add(faults.Rule{Match: faults.On("HEAD", "/manifests/"), Times: test.times, Fault: test.fault})
		s.Add(faults.Rule{Match: faults.On("PUT", "/manifests/"), Fault: faults.WithHeader("Docker-Content-Digest", "")})
		_, err := s.client.PutManifest(t.Context(), s.moved, ocispec.MediaTypeImageManifest, s.there.manifest)
		if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) || s.waits.passed > defaultRetry {
			t.Errorf("%s: %v after %s", name, err, s.waits.passed)
		}
		puts := slices.DeleteFunc(s.Requests(), func(r faults.Request) bool { return r.Method != http.MethodPut })
		if test.want == nil && len(puts) != 1 {
			t.Errorf("%s: %d PUTs", name, len(puts))
		}
	}
}

// Where a HEAD says too little, GET is asked.
func TestHeadsThatSayTooLittle(t *testing.T) {
	s := newScene(t, Options{})
	for name, fault := range map[string]faults.Fault{
		"not allowed": faults.Status(405),
		"bad":         faults.Status(400),
		"no digest":   faults.WithHeader("Docker-Content-Digest", ""),
		"no type":     faults.WithHeader("Content-Type", "text/html"),
		"nothing":     faults.WithHeader("Content-Length", "0"),
		"no length":   sends(200, ocispec.MediaTypeImageManifest, nil, false, "Docker-Content-Digest", s.desc.Digest.String()),
	} {
		s.Reset()
		s.Add(faults.Rule{Match: faults.On("HEAD", "/manifests/"), Fault: fault})
		if err := called(t, "Head")[0].run(t.Context(), s); err != nil || len(s.Requests()) != 2 {
			t.Errorf("%s: %v\n%s", name, err, s.trace())
		}
	}
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("HEAD", "/manifests/"), Fault: faults.WithHeader("Docker-Content-Digest", "none")})
	if _, err := s.client.Head(t.Context(), s.at); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a digest that is none: %v", err)
	}
}

// Of a blob, too; what is not there, or has been lost, stays so.
func TestHeadsOfBlobsThatSayNothing(t *testing.T) {
	s := newScene(t, Options{})
	layer := descOf("", s.there.layer)
	for name, test := range map[string]struct {
		get  faults.Fault
		has  bool
		want error
	}{
		"there":      {nil, true, nil},
		"not there":  {faults.Status(404), false, nil},
		"lost":       {faults.Answer(200, "application/octet-stream", ""), false, ErrCorrupt},
		"not for us": {faults.Status(403), false, ErrUnauthorized},
		"of no length": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(s.there.layer)
		}, true, nil},
	} {
		s.Reset()
		s.Add(faults.Rule{Match: faults.On("HEAD", "/blobs/"), Fault: faults.WithHeader("Content-Length", "0")})
		if test.get != nil {
			s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: test.get})
		}
		if has, err := s.client.HasBlob(t.Context(), s.at, layer); has != test.has || !errors.Is(err, test.want) {
			t.Errorf("%s: %v, %v", name, has, err)
		}
	}
}

// Digests of two algorithms say nothing of one another: the content tells whether it is what was asked for.
func TestDigestsOfAnotherAlgorithm(t *testing.T) {
	body := []byte(`{"schemaVersion":2,"layers":[]}`)
	c := (&clock{}).run(New(Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {ocispec.MediaTypeImageManifest}, "Docker-Content-Digest": {digest.FromBytes(body).String()}}
		status := http.StatusOK
		switch r.Method {
		case http.MethodPut:
			status = http.StatusCreated
		case http.MethodHead: // as distribution has it
			h.Set("Docker-Content-Digest", path.Base(r.URL.Path))
		}
		return &http.Response{StatusCode: status, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
	})}))
	for content, want := range map[string]error{string(body): nil, "other": ErrCorrupt} {
		named, err := reference.WithDigest(ref(t, "registry.test/a"), digest.SHA512.FromString(content))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Manifest(t.Context(), named); !errors.Is(err, want) || err == nil && got.Descriptor.Digest != named.Digest() {
			t.Errorf("reading %q: %v, %v", content, got.Descriptor, err)
		}
		if got, err := c.PutManifest(t.Context(), named, ocispec.MediaTypeImageManifest, body); !errors.Is(err, want) || err == nil && got.Digest != named.Digest() {
			t.Errorf("putting under that of %q: %v, %v", content, got, err)
		}
	}
}

func TestADigestHeaderThatLies(t *testing.T) {
	other := digest.FromString("other").String()
	for _, op := range called(t, "Manifest by tag", "Manifest by digest") { // Head of a tag believes: it may be at any digest
		s := newScene(t, Options{})
		s.Add(faults.Rule{Fault: faults.WithHeader("Docker-Content-Digest", other)})
		if err := op.run(t.Context(), s); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", op.name, err)
		}
		if _, err := s.client.Head(t.Context(), s.byDigest); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Head by digest: %v", err)
		}
	}
	s := newScene(t, Options{})
	lies := faults.WithHeader("Docker-Content-Digest", other)
	s.Add(faults.Rule{Match: faults.On("PUT", ""), Fault: lies})
	s.Add(faults.Rule{Match: faults.On("POST", ""), Fault: lies})
	if _, err := s.client.PutManifest(t.Context(), s.at, ocispec.MediaTypeImageManifest, s.there.manifest); err != nil {
		t.Errorf("PutManifest does not look for itself: %v", err)
	}
	if _, err := s.client.Mount(t.Context(), s.to, s.at, descOf("", s.there.layer)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Mount: %v", err)
	}
	s.Add(faults.Rule{Match: faults.On("HEAD", ""), Fault: lies})
	if _, err := s.client.PutManifest(t.Context(), s.at, ocispec.MediaTypeImageManifest, s.there.manifest); !errors.Is(err, ErrCorrupt) {
		t.Errorf("PutManifest of what became another: %v", err)
	}
}
