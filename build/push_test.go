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
)

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
		m, err := client.Manifest(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := imageIn(m, ref)
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
