package build

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/build/engine"
)

// A name that another run has taken away is given to the image once more; one whose image is gone, too, is an error.
func TestAPushGivesALostNameAgain(t *testing.T) {
	for id, want := range map[string]error{"kept": nil, "gone": engine.ErrNotFound} {
		p, host := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/base")
		pushed := digestOf(t, p, host+"/base:arm64")
		var named atomic.Bool
		machine := fakeMachine(t, "amd64", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/images/kept/tag"):
				named.Store(true)
			case strings.HasSuffix(r.URL.Path, "/push") && named.Load():
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
		got, err := p.upload(t.Context(), client, &result{built: engine.Built{ID: id, Config: doc.Config.Digest}}, ref.(reference.NamedTagged))
		if !errors.Is(err, want) || err == nil && got.desc.Digest != pushed {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
}
