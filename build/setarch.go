package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// SetArchOptions say how SetArch works. The zero value changes an image in the engine.
type SetArchOptions struct {
	Registry bool // the image in its registry instead
	DryRun   bool // check and say, change nothing
}

// NewLabel is what SetArch did, or would do.
type NewLabel struct {
	Ref      string   `json:"reference"`
	Was      string   `json:"was"`
	Is       string   `json:"is"`
	Verdict  string   `json:"verdict"`
	Notes    []string `json:"notes,omitempty"` // of the check
	Changed  bool     `json:"changed"`
	DryRun   bool     `json:"dryRun,omitempty"`
	Identity string   `json:"id"` // the engine's ID, or the manifest's digest in a registry
}

// Write says what changed, in one line, and what the check has to say beside its verdict.
func (l NewLabel) Write(w io.Writer) error {
	verdict, notes := l.Verdict, l.Notes
	if verdict == string(image.Unverified) && len(notes) > 0 {
		verdict, notes = verdict+": "+notes[0], notes[1:]
	}
	for _, note := range notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", note); err != nil {
			return err
		}
	}
	if !l.Changed {
		_, err := fmt.Fprintf(w, "%s: label is %s already (%s), nothing to change\n", l.Ref, l.Is, verdict)
		return err
	}
	if l.DryRun {
		_, err := fmt.Fprintf(w, "%s: label %s, would become %s (%s); the image is %s\n", l.Ref, l.Was, l.Is, verdict, l.Identity)
		return err
	}
	_, err := fmt.Fprintf(w, "%s: label %s (%s), was %s; now %s\n", l.Ref, l.Is, verdict, l.Was, l.Identity)
	return err
}

// SetArch repairs the label of an image that exists: the Makefile macro set_image_arch. The image is checked first, and one whose
// binaries are of another platform is refused (image.ErrRefused). Tag, layers and every other field of the config stay.
func (p *Pipeline) SetArch(ctx context.Context, ref, arch string, opts SetArchOptions) (NewLabel, error) {
	platform, err := platforms.Parse(arch)
	if err != nil {
		return NewLabel{}, &config.UsageError{Knob: "ARCH", Text: arch, Origin: "command line", Problem: fmt.Sprintf("cannot be a label: %v", err), Err: err}
	}
	out := NewLabel{Ref: ref, Is: platforms.Format(platform), DryRun: opts.DryRun}
	if opts.Registry {
		return p.setArchRegistry(ctx, out, platform)
	}
	return p.setArchEngine(ctx, out, platform)
}

func (p *Pipeline) setArchEngine(ctx context.Context, out NewLabel, platform ocispec.Platform) (NewLabel, error) {
	e, err := p.imageStore(ctx, out.Ref)
	if err != nil {
		return out, err
	}
	hook := func(_ context.Context, raw []byte, root fs.FS) ([]byte, error) {
		return p.relabel(&out, raw, root, platform)
	}
	tell := func(ev engine.Event) {
		if note, ok := ev.(engine.Notice); ok {
			p.opts.Show(progress.Notice{Text: note.Text})
		}
	}
	done, err := e.SetArch(ctx, out.Ref, hook, out.DryRun, tell)
	if err != nil {
		return out, err
	}
	out.Ref, out.Identity, out.Changed = done.Name, done.ID, done.Changed
	return out, nil
}

// relabel is the new label, the same for an engine and a registry.
func (p *Pipeline) relabel(out *NewLabel, raw []byte, root fs.FS, platform ocispec.Platform) ([]byte, error) {
	found, err := p.truth(raw, root, platform)
	out.Was, out.Verdict, out.Notes = found.was, string(found.report.Verdict), found.report.Notes
	switch {
	case errors.Is(err, image.ErrConfig):
		err = fmt.Errorf("%s: %w", out.Ref, err)
	case errors.Is(err, image.ErrRefused):
		err = fmt.Errorf("%s: %w%s", out.Ref, err, truer(found.report.Programs, platform))
	}
	return found.config, err
}

// truer names the label that all that an image runs would fit, "" where there is none but the one that was wanted.
func truer(programs []image.Program, wanted ocispec.Platform) string {
	var arches []string
	for _, p := range programs {
		if arch := p.ELF.Arch(); arch != "" && !slices.Contains(arches, arch) {
			arches = append(arches, arch)
		}
	}
	if len(arches) != 1 || arches[0] == wanted.Architecture {
		return ""
	}
	return fmt.Sprintf("\nall that it runs is for %s: give that as its architecture", arches[0])
}

func (p *Pipeline) setArchRegistry(ctx context.Context, out NewLabel, platform ocispec.Platform) (NewLabel, error) {
	ref, err := p.Reference(ctx, out.Ref)
	if err != nil {
		return out, err
	}
	p.Aim(ref)
	client, err := p.Registry()
	if err != nil {
		return out, err
	}
	if _, ok := ref.(reference.Tagged); !ok {
		return out, &config.UsageError{Knob: "REF", Text: out.Ref, Origin: "command line", Problem: "is no tag, and only a tag can get another image: name the image by its tag"}
	}
	m, doc, err := imageOf(ctx, client, ref)
	if err != nil {
		return out, err
	}
	raw, err := client.Config(ctx, ref, doc.Config)
	if err != nil {
		return out, err
	}
	root, err := client.Root(ctx, ref, doc.Layers)
	if err != nil {
		return out, err
	}
	defer root.Close()
	wanted, err := p.relabel(&out, raw, root, platform)
	if err != nil {
		return out, err
	}
	out.Ref, out.Identity = reference.FamiliarString(ref), m.Descriptor.Digest.String()
	if out.Changed = string(wanted) != string(raw); !out.Changed || out.DryRun {
		return out, nil
	}
	err = replace(ctx, client, ref, m, wanted, &out)
	return out, err
}

// imageOf reads the manifest of one image; a list is refused by name.
func imageOf(ctx context.Context, client *registry.Client, ref reference.Named) (registry.Manifest, ocispec.Manifest, error) {
	m, err := client.Manifest(ctx, ref)
	if err != nil {
		return m, ocispec.Manifest{}, err
	}
	doc, err := imageIn(m, ref)
	return m, doc, err
}

// imageIn is the image of a manifest that was read.
func imageIn(m registry.Manifest, ref reference.Named) (doc ocispec.Manifest, err error) {
	if index.IsIndex(m.Descriptor.MediaType) {
		return doc, fmt.Errorf("%w: %s is a manifest list, which has no label of its own: name the image of one platform",
			engine.ErrReference, reference.FamiliarString(ref))
	}
	if err := json.Unmarshal(m.Bytes, &doc); err != nil {
		return doc, fmt.Errorf("the manifest of %s is no JSON: %w", reference.FamiliarString(ref), err)
	}
	return doc, nil
}

// replace moves the tag to the image with its new config, if it still names the one that was checked: that is asked last, when the
// config is there. Somebody else who gave it the same label a moment earlier has done it.
func replace(ctx context.Context, client *registry.Client, ref reference.Named, m registry.Manifest, wanted []byte, out *NewLabel) error {
	body, err := storeConfig(ctx, client, ref, m, wanted)
	if err != nil {
		return err
	}
	now, err := client.Head(ctx, ref)
	if err != nil {
		return err
	}
	if same := digest.FromBytes(body); now.Digest == same {
		out.Identity = same.String()
		return nil
	}
	if now.Digest != m.Descriptor.Digest {
		return fmt.Errorf("%w: %s was moved to %s by somebody else meanwhile: run again", lists.ErrPublish, reference.FamiliarString(ref), now.Digest)
	}
	desc, err := client.PutManifest(ctx, ref, m.Descriptor.MediaType, body)
	if err == nil {
		out.Identity = desc.Digest.String()
	}
	return err
}
