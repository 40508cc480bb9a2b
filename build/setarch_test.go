package build

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

// What a label was is told as it stood there, and not as it is understood: else
// it could be the new one. A verdict that proves nothing says why.
func TestLabelsAreToldAsTheyWere(t *testing.T) {
	for _, test := range []struct{ label, is, want string }{
		{`"os":"linux","architecture":"arm"`, "linux/arm/v7", "label linux/arm/v7 (unverified: the image names neither ENTRYPOINT nor CMD), was linux/arm;"},
		{`"os":"linux","architecture":"aarch64"`, "linux/arm64", "label linux/arm64 (unverified: the image names neither ENTRYPOINT nor CMD), was linux/aarch64;"},
		{`"os":"linux","architecture":"arm","variant":"v6"`, "linux/arm/v7", "was linux/arm/v6;"},
		{`"architecture":"amd64"`, "linux/arm64", "was amd64;"},
		{``, "linux/arm64", "was unknown;"},
	} {
		is, err := platforms.Parse(test.is)
		if err != nil {
			t.Fatal(err)
		}
		out := NewLabel{Is: platforms.Format(is), Changed: true}
		if _, err := (&Pipeline{}).relabel(&out, []byte("{"+test.label+"}"), nil, is); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		if err := out.Write(&said); err != nil || !strings.Contains(said.String(), test.want) {
			t.Errorf("{%s}: %q, %v", test.label, said.String(), err)
		}
		r := result{job: job{platform: is}} // of a build, which repairs labels as well
		if _, err := New(Options{}).judge(&r, []byte("{"+test.label+"}"), nil); err != nil || !strings.Contains(test.want, "was "+r.was+";") {
			t.Errorf("{%s}: built, was %q, %v", test.label, r.was, err)
		}
	}
}

// A config that cannot be labelled is some image's.
func TestUnusableConfigsNameTheImage(t *testing.T) {
	out := NewLabel{Ref: "app:1"}
	_, err := (&Pipeline{}).relabel(&out, []byte(`{"os":"linux","os":"windows"}`), nil, ocispec.Platform{OS: "linux", Architecture: "arm64"})
	if !errors.Is(err, image.ErrConfig) || !strings.HasPrefix(err.Error(), "app:1: not an image config: ") {
		t.Errorf("%v", err)
	}
}

// A label that the programs refuse is told with the image, and with the one that would fit.
func TestARefusedLabelNamesTheOneThatFits(t *testing.T) {
	root := fstest.MapFS{"app": {Data: elftest.Of("arm64"), Mode: 0o755}}
	out := NewLabel{Ref: "app:1"}
	_, err := (&Pipeline{}).relabel(&out, []byte(`{"os":"linux","architecture":"amd64","config":{"Entrypoint":["/app"]}}`), root, ocispec.Platform{OS: "linux", Architecture: "riscv64"})
	if !errors.Is(err, image.ErrRefused) || !strings.HasPrefix(err.Error(), "app:1: /app is arm64 ") || !strings.HasSuffix(err.Error(), "\nall that it runs is for arm64: give that as its architecture") {
		t.Errorf("%v", err)
	}
}

// What a dry run would do does not read as if it were done.
func TestNewLabelSaysWhatIsDone(t *testing.T) {
	for _, test := range []struct {
		changed, dryRun bool
		want            string
	}{
		{true, false, "a:1: label linux/arm64 (verified), was linux/amd64; now sha256:1\n"},
		{true, true, "a:1: label linux/amd64, would become linux/arm64 (verified); the image is sha256:1\n"},
		{false, true, "a:1: label is linux/arm64 already (verified), nothing to change\n"},
	} {
		var out strings.Builder
		label := NewLabel{Ref: "a:1", Was: "linux/amd64", Is: "linux/arm64", Verdict: "verified", Changed: test.changed, DryRun: test.dryRun, Identity: "sha256:1"}
		if err := label.Write(&out); err != nil || out.String() != test.want {
			t.Errorf("%q, %v, want %q", out.String(), err, test.want)
		}
	}
}
