package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry/registrytest"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestTagsOfManyPages(t *testing.T) {
	s := newScene(t, Options{})
	for i := range 5 {
		publish(t, s.client, ref(t, fmt.Sprintf("%s/team/app:t%d", s.host, i)), s.there)
	}
	s.Reset()
	s.Add(faults.Rule{Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
		Fault: faults.Status(401, "WWW-Authenticate", `Basic realm="r"`)})
	s.Add(faults.Rule{Match: faults.On("GET", "/tags/"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		query := r.URL.Query()
		query.Set("n", "2")
		r.URL.RawQuery = query.Encode()
		next.ServeHTTP(w, r)
	}})
	s.client = s.waits.run(New(Options{Credentials: static(Credential{Username: testUser, Password: testPassword})}))
	defer s.client.Close()
	got, err := s.client.Tags(t.Context(), s.at)
	if err != nil || !slices.Equal(got, []string{"1", "t0", "t1", "t2", "t3", "t4"}) || len(s.Requests()) < 3 {
		t.Errorf("%q, %v in %d requests", got, err, len(s.Requests()))
	}
	if _, err := s.client.Tags(t.Context(), ref(t, s.host+"/team/none")); !errors.Is(err, ErrNotFound) {
		t.Errorf("of no repository: %v", err)
	}
	if asked := s.Requests()[0].Query; asked != "n=1000" {
		t.Errorf("asked for %s", asked)
	}
}

// A list that is none is asked for again and refused; one in no order is put into one, and what is no tag is left out.
func TestListsThatAreNone(t *testing.T) {
	s := newScene(t, Options{})
	s.Add(faults.Rule{Match: faults.On("GET", "/tags/"), Times: 1, Fault: faults.Answer(200, "application/json",
		`{"tags":["b","a","-ot-beta-jmx","b","sha256:`+s.desc.Digest.Encoded()+`",""]}`)})
	s.Add(faults.Rule{Match: faults.On("GET", "/tags/"), Fault: faults.Answer(200, "text/html", "<h1>hello</h1>")})
	s.Add(faults.Rule{Match: faults.On("GET", "/referrers/"), Fault: faults.Answer(200, ocispec.MediaTypeImageIndex, "<h1>hello</h1>")})
	if got, err := s.client.Tags(t.Context(), s.at); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("tags without order: %q, %v", got, err)
	}
	if got, err := s.client.Tags(t.Context(), s.at); !errors.Is(err, ErrCorrupt) {
		t.Errorf("tags: %q, %v", got, err)
	}
	if got, err := s.client.Referrers(t.Context(), s.at, s.desc.Digest, ""); !errors.Is(err, ErrCorrupt) {
		t.Errorf("referrers: %v, %v", got, err)
	}
	if _, err := s.client.Referrers(t.Context(), s.at, "none", ""); !errors.Is(err, ErrCorrupt) {
		t.Errorf("referrers of what is no digest: %v", err)
	}
}

// referrersAPI is the endpoint that docker-registry has not, in two pages.
func referrersAPI(t *testing.T, all ...ocispec.Descriptor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		if r.Header.Get("Accept") != ocispec.MediaTypeImageIndex {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		page := all[:1]
		if r.URL.Query().Get("page") == "2" {
			page = all[1:]
		} else {
			w.Header().Set("Link", `<`+r.URL.Path+`?page=2>; rel="next"`)
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
		_, _ = w.Write(mustJSON(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: page}))
	})
}

// A list that leads around ends, and is none.
func TestTagsThatLeadAround(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			asked++
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.Path, asked%3))
			_, _ = io.WriteString(w, `{"tags":["a"]}`)
		}
	}))
	defer server.Close()
	c := New(Options{})
	defer c.Close()
	if _, err := c.Tags(t.Context(), ref(t, strings.TrimPrefix(server.URL, "http://")+"/team/app")); !errors.Is(err, ErrCorrupt) || asked != 4 {
		t.Errorf("%v after %d pages", err, asked)
	}
}

func TestReferrers(t *testing.T) {
	signature := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/signature", Digest: digest.FromString("a"), Size: 1}
	sbom := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/sbom", Digest: digest.FromString("b"), Size: 1}

	server := httptest.NewServer(referrersAPI(t, signature, sbom))
	defer server.Close()
	byAPI := New(Options{})
	defer byAPI.Close()
	apiRepo := ref(t, strings.TrimPrefix(server.URL, "http://")+"/team/app")

	s := newScene(t, Options{})
	index := mustJSON(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{signature, sbom}})
	serve := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(index).String())
		_, _ = w.Write(index)
	})
	s.Add(faults.Rule{Match: faults.On("GET", "/manifests/"+ReferrersTag(s.desc.Digest)),
		Fault: func(w http.ResponseWriter, r *http.Request, _ http.Handler) { serve(w, r) }})

	for name, test := range map[string]struct {
		client *Client
		repo   reference.Named
	}{"by the API": {byAPI, apiRepo}, "by the tag": {s.client, s.at}} {
		for artifact, want := range map[string]int{"": 2, "application/sbom": 1, "application/none": 0} {
			got, err := test.client.Referrers(t.Context(), test.repo, s.desc.Digest, artifact)
			if err != nil || len(got) != want {
				t.Errorf("%s, of type %q: %v, %v", name, artifact, got, err)
			}
		}
	}
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("GET", "/referrers/"), Fault: faults.Answer(200, "text/html", "<h1>hello</h1>")})
	if got, err := s.client.Referrers(t.Context(), s.at, s.desc.Digest, ""); err != nil || len(got) != 0 {
		t.Errorf("a page for people: %v, %v", got, err)
	}
}

// A registry without the API is asked for the tag; one that has trouble, or will not tell, has not said that there are none.
func TestReferrersThatNobodyTells(t *testing.T) {
	for name, test := range map[string]struct {
		path  string
		fault faults.Fault
		want  error
	}{
		"no API":              {"/referrers/", faults.Status(404), nil},
		"not allowed":         {"/referrers/", faults.Status(405), nil},
		"not built":           {"/referrers/", faults.Status(501), nil},
		"trouble":             {"/referrers/", faults.Status(503), ErrUnreachable},
		"not for us":          {"/referrers/", faults.Status(403), ErrUnauthorized},
		"elsewhere":           {"/referrers/", sends(200, ocispec.MediaTypeImageIndex, []byte(`{"manifests":[]}`), true, "Link", `<https://b.test/>; rel="next"`), ErrUnexpected},
		"a tag in trouble":    {"/manifests/sha256-", faults.Status(503), ErrUnreachable},
		"a tag not for us":    {"/manifests/sha256-", faults.Status(403), ErrUnauthorized},
		"a tag that is there": {"/manifests/sha256-", sends(200, ocispec.MediaTypeImageIndex, []byte(`{"manifests":[{}]}`), true, "Docker-Content-Digest", digest.FromString(`{"manifests":[{}]}`).String()), nil},
	} {
		s := newScene(t, Options{Retry: -1})
		s.Add(faults.Rule{Match: faults.On("GET", test.path), Fault: test.fault})
		got, err := s.client.Referrers(t.Context(), s.at, s.desc.Digest, "")
		if !errors.Is(err, test.want) || (len(got) == 1) != (name == "a tag that is there") {
			t.Errorf("%s: %v, %v; want %v", name, got, err, test.want)
		}
	}
}

// GitLab's registry takes the tag of a list's referrers for the list's own digest, and some tags are of something else.
func TestReferrersTagsOfSomethingElse(t *testing.T) {
	s := newScene(t, Options{})
	list := mustJSON(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{s.desc}})
	image := []byte(`{"schemaVersion":2,"layers":[]}`)
	for name, test := range map[string]struct {
		mediaType string
		body      []byte
		subject   digest.Digest
	}{
		"the subject itself": {ocispec.MediaTypeImageIndex, list, digest.FromBytes(list)},
		"an image":           {ocispec.MediaTypeImageManifest, image, digest.FromString("list")},
	} {
		s.Reset()
		s.Add(faults.Rule{Match: faults.On("", "/manifests/"+ReferrersTag(test.subject)),
			Fault: sends(200, test.mediaType, test.body, true, "Docker-Content-Digest", digest.FromBytes(test.body).String())})
		if got, err := s.client.Referrers(t.Context(), s.at, test.subject, ""); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Whatever a registry answers when it has deleted; and what is not there is only success behind an answer that was lost.
func TestDelete(t *testing.T) {
	remove := func(s *scene) error { return s.client.DeleteManifest(t.Context(), s.at, s.desc.Digest) }
	for name, test := range map[string]struct {
		faults []faults.Fault
		want   error
	}{
		"done":                     {[]faults.Fault{faults.Status(200)}, nil},
		"taken on":                 {[]faults.Fault{faults.Status(202)}, nil},
		"no words":                 {[]faults.Fault{faults.Status(204)}, nil},
		"not there":                {[]faults.Fault{faults.Status(404)}, ErrNotFound},
		"lost":                     {[]faults.Fault{faults.LoseAnswer()}, nil},
		"lost, and more trouble":   {[]faults.Fault{faults.LoseAnswer(), faults.Status(503)}, nil},
		"lost, and now not for us": {[]faults.Fault{faults.LoseAnswer(), faults.Status(403)}, ErrUnauthorized},
	} {
		s := newScene(t, Options{})
		for _, fault := range test.faults {
			s.Add(faults.Rule{Match: faults.On("DELETE", "/manifests/"), Times: 1, Fault: fault})
		}
		if err := remove(s); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	s := newScene(t, Options{})
	if err := s.client.DeleteManifest(t.Context(), s.at, "none"); err == nil || len(s.Requests()) > 0 {
		t.Errorf("what is no digest: %v", err)
	}
}

func TestDeleteTag(t *testing.T) {
	s := newScene(t, Options{})
	publish(t, s.client, s.moved, s.there)
	if err := s.client.DeleteTag(t.Context(), s.moved.(reference.NamedTagged)); err != nil {
		t.Error(err)
	}
	if _, err := s.client.Head(t.Context(), s.moved); !errors.Is(err, ErrNotFound) {
		t.Errorf("the tag is still there: %v", err)
	}
	if _, err := s.client.Head(t.Context(), s.at); err != nil {
		t.Errorf("its manifest is gone: %v", err)
	}
	old := New(Options{})
	defer old.Close()
	at := ref(t, registrytest.Start(t, "")+"/a:1")
	publish(t, old, at, s.there)
	if err := old.DeleteTag(t.Context(), at.(reference.NamedTagged)); !errors.Is(err, ErrDenied) {
		t.Errorf("a registry that cannot: %v", err)
	}
	if _, err := old.Head(t.Context(), at); err != nil {
		t.Errorf("and it is gone: %v", err)
	}
}

func TestBounds(t *testing.T) {
	s := newScene(t, Options{})
	big := faults.Answer(200, ocispec.MediaTypeImageIndex, strings.Repeat(" ", maxManifest+1))
	s.Add(faults.Rule{Match: faults.On("GET", "/manifests/"), Fault: big})
	if _, err := s.client.Manifest(t.Context(), s.at); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("an oversized manifest: %v", err)
	}
	if _, err := s.client.Config(t.Context(), s.at, ocispec.Descriptor{Digest: s.desc.Digest, Size: maxConfig + 1}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("an oversized config: %v", err)
	}
	for _, desc := range []ocispec.Descriptor{{Digest: "sha256:../../x", Size: 1}, {Digest: s.desc.Digest, Size: -1}, {}} {
		if _, err := s.client.Config(t.Context(), s.at, desc); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Config of %v: %v", desc, err)
		}
		if _, err := s.client.Blob(t.Context(), s.at, desc); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Blob of %v: %v", desc, err)
		}
		if _, err := s.client.HasBlob(t.Context(), s.at, desc); !errors.Is(err, ErrCorrupt) {
			t.Errorf("HasBlob of %v: %v", desc, err)
		}
		if _, err := s.client.Mount(t.Context(), s.to, s.at, desc); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Mount of %v: %v", desc, err)
		}
	}
	if _, err := readBlob(t.Context(), s.client, s.at, ocispec.Descriptor{Digest: digest.FromBytes(s.there.layer), Size: 10}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a blob longer than said: %v", err)
	}
	unknown, _ := reference.WithDigest(reference.TrimNamed(s.at), digest.Digest("blake3:"+strings.Repeat("a", 64)))
	if _, err := s.client.Manifest(t.Context(), unknown); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a digest of an unknown algorithm: %v", err)
	}
	if _, err := s.client.PutManifest(t.Context(), unknown, ocispec.MediaTypeImageManifest, s.there.manifest); !errors.Is(err, ErrUnsupported) {
		t.Errorf("putting under a digest of an unknown algorithm: %v", err)
	}
	wrong, _ := reference.WithDigest(reference.TrimNamed(s.at), digest.FromString("other"))
	if _, err := s.client.PutManifest(t.Context(), wrong, ocispec.MediaTypeImageManifest, s.there.manifest); !errors.Is(err, ErrCorrupt) {
		t.Errorf("putting under another digest: %v", err)
	}
	if slices.ContainsFunc(s.Requests(), func(r faults.Request) bool { return r.Method == http.MethodPut }) {
		t.Errorf("it was sent\n%s", s.trace())
	}
}

// sends is an answer with a body that is not the registry's own: with its length said, or in chunks.
func sends(status int, contentType string, body []byte, said bool, header ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Transfer-Encoding", "chunked")
		if said {
			w.Header().Del("Transfer-Encoding")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write(body) // to a client that may have gone
	}
}

// The bounds are what is still read, however the length is said.
func TestBoundsAreRead(t *testing.T) {
	full := append([]byte(`{"schemaVersion":2,"manifests":[]}`), bytes.Repeat([]byte(" "), maxManifest-34)...)
	config := append([]byte(`{}`), bytes.Repeat([]byte(" "), maxConfig-2)...)
	for _, said := range []bool{true, false} {
		for more, want := range map[string]error{"": nil, " ": ErrUnsupported} {
			s := newScene(t, Options{})
			s.Add(faults.Rule{Match: faults.On("GET", "/manifests/"), Fault: sends(200, ocispec.MediaTypeImageIndex, append(full, more...), said,
				"Docker-Content-Digest", digest.FromBytes(append(full, more...)).String())})
			s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: sends(200, "application/json", append(config, more...), said)})
			if _, err := s.client.Manifest(t.Context(), s.at); !errors.Is(err, want) {
				t.Errorf("a manifest of the bound and %q, length said %v: %v", more, said, err)
			}
			if _, err := s.client.Config(t.Context(), s.at, descOf("", config)); !errors.Is(err, want) {
				t.Errorf("a config of the bound and %q, length said %v: %v", more, said, err)
			}
		}
	}
}

// What is not what was asked for is never handed on, whatever the answer says of itself.
func TestContentThatIsAnother(t *testing.T) {
	s := newScene(t, Options{})
	layer, config := descOf("", s.there.layer), descOf("", s.there.config)
	longer, empty := config, layer
	longer.Size++
	empty.Size = 0
	manifest := func() error { _, err := s.client.Manifest(t.Context(), s.byDigest); return err }
	blob := func() error { _, err := readBlob(t.Context(), s.client, s.at, layer); return err }
	tagged := func() error { _, err := s.client.Manifest(t.Context(), s.at); return err }
	has := func(want bool) func() error {
		return func() error { got, err := s.client.HasBlob(t.Context(), s.at, layer); return expect(err, got, want) }
	}
	for name, c := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request, http.Handler)
		ask   func() error
		want  error
	}{
		"a manifest that calls itself what it is": {sends(200, ocispec.MediaTypeImageManifest, s.fresh.manifest, true,
			"Docker-Content-Digest", digest.FromBytes(s.fresh.manifest).String()), manifest, ErrCorrupt},
		"a manifest without a digest":   {sends(200, ocispec.MediaTypeImageManifest, s.fresh.manifest, true), manifest, ErrCorrupt},
		"an empty manifest":             {sends(200, ocispec.MediaTypeImageManifest, nil, true), manifest, ErrCorrupt},
		"a digest header that is none":  {sends(200, ocispec.MediaTypeImageManifest, s.there.manifest, true, "Docker-Content-Digest", "x"), manifest, ErrCorrupt},
		"a config of another size":      {nil, func() error { _, err := s.client.Config(t.Context(), s.at, longer); return err }, ErrCorrupt},
		"a config cut short":            {sends(200, "application/json", s.there.config[:9], false), func() error { _, err := s.client.Config(t.Context(), s.at, config); return err }, ErrCorrupt},
		"a layer cut short":             {sends(200, "application/json", s.there.layer[:3000], false), blob, ErrUnreachable},
		"a layer whose length is wrong": {sends(200, "application/json", s.there.layer[:3000], true), blob, ErrCorrupt},
		"a layer with more behind it":   {sends(200, "application/json", append(s.there.layer, "more"...), false), blob, ErrCorrupt},
		"a part that nobody asked for":  {sends(206, "application/json", s.there.layer, true, "Content-Range", "bytes 0-9/10"), blob, ErrCorrupt},
		"a layer that has another size": {sends(200, "application/json", s.there.layer[:3000], true), has(false), ErrCorrupt},
		"a layer that has nothing":      {sends(200, "application/json", nil, true), has(false), ErrCorrupt},
		"a layer that nobody may see":   {sends(403, "application/json", s.there.layer, true), has(false), ErrUnauthorized},
		"a layer that is not there":     {sends(404, "application/json", nil, true), has(false), nil},
		"a layer of no length":          {sends(200, "application/json", nil, false), has(true), nil},
		"a manifest of schema 1":        {sends(200, index.DockerSigned1, []byte(`{"schemaVersion":1,"fsLayers":[]}`), true), tagged, ErrUnsupported},
		"nothing of the kind":           {sends(200, "application/json", []byte(`{}`), true, "Docker-Content-Digest", digest.FromString("{}").String()), tagged, ErrUnsupported},
		"a layer said to be empty":      {sends(200, "application/json", nil, true), func() error { _, err := readBlob(t.Context(), s.client, s.at, empty); return err }, ErrCorrupt},
		"an error page":                 {sends(404, "text/html", []byte("<html>"), true), blob, ErrNotFound},
	} {
		s.Reset()
		s.Add(faults.Rule{Match: faults.On("", "/v2/team/app/"), Fault: c.fault})
		if c.fault == nil {
			s.Reset()
		}
		if err := c.ask(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// A layer that breaks off, and goes on elsewhere.
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: faults.ResetInBody()})
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: sends(206, "application/json", s.there.layer[1:], true, "Content-Range", "bytes 1-2/3")})
	if _, err := readBlobOnce(t.Context(), s.client, s.at, layer); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "sends another part") {
		t.Errorf("another part than the one asked for: %v", err)
	}
}

func TestAnEmptyBlob(t *testing.T) {
	s := newScene(t, Options{})
	desc := descOf("", nil)
	if err := s.client.PutBlob(t.Context(), s.at, desc, Bytes(nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := readBlob(t.Context(), s.client, s.at, desc); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCopyToAnotherRegistry(t *testing.T) {
	from, to := newScene(t, Options{}), newScene(t, Options{})
	from.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: faults.ResetInBody()})
	from.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: faults.FlipBit()})
	to.Add(faults.Rule{Match: faults.On("PUT", "/blobs/"), Times: 1, Fault: faults.LoseAnswer()})
	to.Add(faults.Rule{Match: func(r *http.Request) bool {
		if r.URL.Query().Has("mount") {
			t.Errorf("asked to mount what it has not: %s", r.URL)
		}
		return false
	}})
	desc := descOf("", from.fresh.layer)
	if err := from.client.PutBlob(t.Context(), from.at, desc, Bytes(from.fresh.layer)); err != nil {
		t.Fatal(err)
	}
	var told []int64
	how, err := to.client.CopyBlob(t.Context(), to.at, from.at, desc, func(n int64) { told = append(told, n) })
	if err != nil || (how != Sent && how != Present) || slices.Max(told) != desc.Size || told[0] != 0 || slices.Index(told[1:], 0) < 1 {
		t.Errorf("%v, %v; told %v", how, err, told)
	}
	if got, err := readBlob(t.Context(), to.client, to.at, desc); err != nil || !bytes.Equal(got, from.fresh.layer) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A registry that will not mount is one to copy to; who gives up is told so. The upload that it opens instead is used, or given up.
func TestMountThatIsRefused(t *testing.T) {
	unasked := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.URL.RawQuery = ""
		next.ServeHTTP(w, r)
	}
	for name, test := range map[string]struct {
		no         faults.Fault
		mountTakes []string
		copyTakes  []string
	}{
		"not done here":     {faults.Status(405), []string{"POST"}, []string{"HEAD", "POST", "POST", "GET", "PUT"}},
		"not for us":        {faults.Status(401), []string{"POST"}, []string{"HEAD", "POST", "POST", "GET", "PUT"}},
		"an upload instead": {unasked, []string{"POST", "DELETE"}, []string{"HEAD", "POST", "GET", "PUT"}},
	} {
		s := newScene(t, Options{})
		desc := descOf("", s.there.layer)
		took := func() (methods []string) {
			for _, r := range s.Requests() {
				methods = append(methods, r.Method)
			}
			s.Reset()
			s.Add(faults.Rule{Match: func(r *http.Request) bool { return r.URL.Query().Has("mount") }, Fault: test.no})
			return methods
		}
		took()
		if ok, err := s.client.Mount(t.Context(), s.to, s.at, desc); ok || err != nil {
			t.Errorf("%s: Mount = %v, %v", name, ok, err)
		}
		if got := took(); !slices.Equal(got, test.mountTakes) {
			t.Errorf("%s: Mount took %q", name, got)
		}
		if how, err := s.client.CopyBlob(t.Context(), s.to, s.at, desc, nil); how != Sent || err != nil {
			t.Errorf("%s: CopyBlob = %v, %v", name, how, err)
		}
		if got := took(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(test.copyTakes))) {
			t.Errorf("%s: CopyBlob took %q", name, got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if ok, err := s.client.Mount(ctx, s.to, s.at, desc); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: %v, %v", name, ok, err)
		}
	}
	s := newScene(t, Options{})
	s.Add(faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: faults.Status(405)})
	if _, err := s.client.CopyBlob(t.Context(), s.to, s.at, descOf("", s.there.layer), nil); !errors.Is(err, ErrDenied) {
		t.Errorf("no uploads at all: %v", err)
	}
}

func TestASourceThatCannotBeReadIsNoRegistrysFault(t *testing.T) {
	s := newScene(t, Options{})
	gone := errors.New("file is gone")
	for name, open := range map[string]Open{
		"at once": func() (io.ReadCloser, error) { return nil, gone },
		"in the middle": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(gone))), nil
		},
	} {
		err := s.client.PutBlob(t.Context(), s.to, descOf("", s.fresh.layer), open)
		if !errors.Is(err, gone) || errors.Is(err, ErrUnreachable) || len(s.waits.waits) > 0 {
			t.Errorf("%s: %v after %d waits", name, err, len(s.waits.waits))
		}
	}
	other := newScene(t, Options{})
	_, err := s.client.CopyBlob(t.Context(), s.to, other.to, descOf("", s.fresh.layer), func(int64) {})
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), other.host) || len(s.waits.waits) > 0 {
		t.Errorf("a blob that is not at its source: %v after %d waits", err, len(s.waits.waits))
	}
}

func TestRoot(t *testing.T) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	content := "\x7fELF" + strings.Repeat("x", 100_000)
	_ = w.WriteHeader(&tar.Header{Name: "bin/app", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	_, _ = w.Write([]byte(content))
	_ = w.Close()
	s := newScene(t, Options{})
	img := imageOf(t, "root", layer.Bytes())
	publish(t, s.client, s.to, img)
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Times: 1, Fault: faults.FlipBit()})
	root, err := s.client.Root(t.Context(), s.to, []ocispec.Descriptor{descOf(ocispec.MediaTypeImageLayer, img.layer)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fs.ReadFile(root, "bin/app"); err != nil || string(got) != content {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for _, mediaType := range []string{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"} {
		if _, err := s.client.Root(t.Context(), s.to, []ocispec.Descriptor{descOf(mediaType, img.layer)}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", mediaType, err)
		}
	}
	if _, err := s.client.Root(t.Context(), s.to, []ocispec.Descriptor{descOf(ocispec.MediaTypeImageLayer, []byte("not there"))}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a layer that is not there: %v", err)
	}
	s.Reset()
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: faults.FlipBit()})
	_, err = s.client.Root(t.Context(), s.to, []ocispec.Descriptor{descOf(ocispec.MediaTypeImageLayer, img.layer)})
	if !errors.Is(err, ErrCorrupt) || len(s.Requests()) != rootTries {
		t.Errorf("a layer that is always corrupt: %v after %d requests", err, len(s.Requests()))
	}
}

func TestElsewhere(t *testing.T) {
	here := descOf(ocispec.MediaTypeImageLayerGzip, []byte("here"))
	for _, mediaType := range []string{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"} {
		theirs := descOf(mediaType, []byte("theirs"))
		if got := Elsewhere([]ocispec.Descriptor{here, theirs, here}); !strings.Contains(got, "layer "+theirs.Digest.String()+" is kept by its owner") {
			t.Errorf("%s: %q", mediaType, got)
		}
	}
	if got := Elsewhere([]ocispec.Descriptor{here}) + Elsewhere(nil); got != "" {
		t.Errorf("what is here: %q", got)
	}
}
