package index_test

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

// What two readers of a manifest could understand differently, at every depth; what nobody reads may be written as one likes.
func TestAmbiguity(t *testing.T) {
	for document, want := range map[string]string{
		`{"manifests":[{"digest":"a"}],"annotations":{"Digest":"x","digest":"y"},"Own":1}`: "",
		`{"manifests":[],"Manifests":[]}`:                                                  `"Manifests" is spelt "manifests"`,
		`{"manifests":[],"manife\u017fts":[]}`:                                             `is spelt "manifests"`,
		`{"config":{},"Config":{}}`:                                                        `"Config" is spelt "config"`,
		`{"Layers":[]}`:                                                                    `"Layers" is spelt "layers"`,
		`{"manifests":[{"digest":"a"},{"digest":"b","DIGEST":"c"}]}`:                       `"DIGEST" is spelt "digest"`,
		`{"manifests":[{"platform":{"os":"linux","OS":"windows"}}]}`:                       `"OS" is spelt "os"`,
		`{"manifests":[{"platform":{"OS.Version":"1"}}]}`:                                  `"OS.Version" is spelt "os.version"`,
		`{"manifests":[[{"Digest":"a"}]]}`:                                                 `"Digest" is spelt "digest"`,
		`{"subject":{"Size":1}}`:                                                           `"Size" is spelt "size"`,
		`{"annotations":{"a":"1","a":"2"}}`:                                                `"a" stands twice`,
		`{"own":[{"x":1,"x":2}]}`:                                                          `"x" stands twice`,
		`{"own":{"Digest":"a","digest":"b"},"manifests":[],"size":1}`:                      "",
		`{"artifactType":"Digest","mediaType":"Digest","own":["x","x",{"y":["x"]},"x"]}`:   "", // values, which may be equal
		`{"manifests":[],"size":1e999}`:                                                    "", // which no reader takes for another
		`"text"`:                                                                           "",
	} {
		problem, err := index.Ambiguity([]byte(document), index.ManifestKeys())
		if err != nil || (want == "") != (problem == "") || !strings.Contains(problem, want) {
			t.Errorf("%s: %q, %v, want %q", document, problem, err, want)
		}
	}
	if _, err := index.Ambiguity([]byte(`{"a":`), nil); err == nil {
		t.Error("half a document is one")
	}
}

// The digest of a layer may be anything where its manifest was read by nobody else.
func TestEmbeddedDataOfNoDigest(t *testing.T) {
	for _, d := range []digest.Digest{"", "x", "md5:d41d8cd98f00b204e9800998ecf8427e"} {
		if err := index.CheckData(ocispec.Descriptor{Digest: d, Size: 1, Data: []byte("x")}); err == nil {
			t.Errorf("%q is the data's", d)
		}
	}
}
