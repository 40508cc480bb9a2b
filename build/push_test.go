package build

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
)

// An image is known by its config: under its tag, or inside a list as engines push it that add attestations.
func TestAnImageIsKnownByItsConfig(t *testing.T) {
	_, client, ref := shelf(t)
	image := one(t, client, ref, "linux", foreign(t))
	_, doc, err := imageOf(t.Context(), client, ref)
	if err != nil {
		t.Fatal(err)
	}
	other := one(t, client, ref, "freebsd", foreign(t))
	inside, err := reference.WithTag(reference.TrimNamed(ref), "inside")
	if err != nil {
		t.Fatal(err)
	}
	inner := list(t, client, inside, index.Index{Entries: []index.Entry{{Descriptor: other}, {Descriptor: image}}})
	for _, pushed := range []digest.Digest{image.Digest, inner.Digest} {
		found, err := confirm(t.Context(), client, ref, pushed, doc.Config.Digest)
		if err != nil || found.desc.Digest != image.Digest || found.config.Digest != doc.Config.Digest || found.size != sizeOf(doc) || len(found.blobs) != 1 {
			t.Errorf("%s: %+v, %v", pushed, found, err)
		}
		if _, err := confirm(t.Context(), client, ref, pushed, digest.FromString("another")); !errors.Is(err, lists.ErrPublish) || !strings.Contains(err.Error(), "run again") {
			t.Errorf("%s, which is another image: %v", pushed, err)
		}
	}
	if found, err := lookup(t.Context(), client, ref, doc.Config.Digest); found != nil || err != nil {
		t.Errorf("the tag names another image: %+v, %v", found, err)
	}
	if _, err := confirm(t.Context(), client, ref, digest.FromString("nothing"), doc.Config.Digest); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
}

// A name that another run has taken away is given to the image once more; one whose image is gone, too, is an error. The name under
// which an image travels whose label is put right in the registry was given before.
func TestAPushGivesALostNameAgain(t *testing.T) {
	for _, test := range []struct {
		id    string
		label string // that is put right in the registry
		names int32  // until the engine has one
		want  error
	}{
		{id: "kept", names: 1},
		{id: "gone", names: 1, want: engine.ErrNotFound},
		{id: "kept", names: 2, label: "riscv64"},
	} {
		p, host := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/base")
		pushed := digestOf(t, p, host+"/base:arm64")
		var named atomic.Int32
		machine := fakeMachine(t, "amd64", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/images/kept/tag"):
				named.Add(1)
			case strings.HasSuffix(r.URL.Path, "/push") && named.Load() == test.names:
				_, _ = fmt.Fprintf(w, `{"aux":{"Tag":"arm64","Digest":%q,"Size":9}}`, pushed)
			case strings.HasSuffix(r.URL.Path, "/push"):
				_, _ = fmt.Fprint(w, `{"errorDetail":{"message":"An image does not exist locally with the tag"}}`)
			default:
				http.NotFound(w, r)
			}
		})
		e, err := engine.Open(t.Context(), engine.Options{Host: machine, Classic: true})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		p.engines = map[string]*engine.Engine{"": e}
		client, err := p.Registry()
		if err != nil {
			t.Fatal(err)
		}
		ref, err := reference.ParseNormalizedNamed(host + "/base:arm64")
		if err != nil {
			t.Fatal(err)
		}
		_, doc, err := imageOf(t.Context(), client, ref)
		if err != nil {
			t.Fatal(err)
		}
		built := engine.Built{ID: test.id, Config: doc.Config.Digest}
		if test.label != "" {
			old, err := client.Config(t.Context(), reference.TrimNamed(ref), doc.Config)
			if err != nil {
				t.Fatal(err)
			}
			built.Repair = bytes.Replace(old, []byte(`"arm64"`), []byte(`"`+test.label+`"`), 1)
			built.Config = digest.FromBytes(built.Repair)
		}
		got, err := p.upload(t.Context(), client, &result{built: built}, ref.(reference.NamedTagged))
		if !errors.Is(err, test.want) || err == nil && got.config.Digest != built.Config {
			t.Errorf("%+v: %+v, %v", test, got, err)
		}
	}
}
