package lists

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// WhyOptions say for whom Why looks. The zero value is this machine.
type WhyOptions struct {
	// Platform of the machine; nil is this one.
	Platform *ocispec.Platform
	// AllowForeign are paths in the image that may be of another architecture.
	AllowForeign []string
}

// Diagnosis is what became of an image on its way into a container.
type Diagnosis struct {
	Reference string        `json:"reference"`
	Platform  string        `json:"platform"`         // of the machine
	Digest    digest.Digest `json:"digest,omitempty"` // the image that an engine takes
	Steps     []string      `json:"steps"`            // the walk, in words
	Programs  []string      `json:"programs,omitempty"`
	Findings  []Finding     `json:"findings,omitempty"`
	Runs      bool          `json:"runs"`     // nothing was found that would stop it
	Verified  bool          `json:"verified"` // its programs were read and fit
}

// Finding is one thing that is wrong, or worth knowing.
type Finding struct {
	Kind  string `json:"kind"`           // below, or one of image.Kind
	Fatal bool   `json:"fatal"`          // it does not run because of this
	Path  string `json:"path,omitempty"` // in the image
	Says  string `json:"says"`           // one sentence
	Cure  string `json:"cure,omitempty"` // what to do
}

// The kinds of findings that lie outside the image's files.
const (
	KindNotAList       = "not-a-list"
	KindPlatformAbsent = "platform-absent"
	KindDisagree       = "config-and-entry-disagree"
	KindMislabelled    = "config-and-programs-disagree"
	KindMissing        = "missing-content"
	KindNotAnImage     = "not-an-image"
	KindStandIn        = "compatible-platform"
	KindNested         = "list-in-list"
	KindUnverified     = "unverified"
	KindNote           = "note"
)

// Why walks an image or index as an engine on the platform would, looks at what the image
// runs, and says what would stop it. It needs no engine. The error is for what could not be
// read; what is wrong with the image is in the Diagnosis.
func Why(ctx context.Context, c Fetcher, ref string, opts WhyOptions) (Diagnosis, error) {
	named, err := ParseReference(ref)
	if err != nil {
		return Diagnosis{}, err
	}
	p := platforms.Host()
	if opts.Platform != nil {
		p = *opts.Platform
	}
	d := &doctor{client: c, repo: reference.TrimNamed(named), want: p, opts: opts, out: Diagnosis{
		Reference: reference.FamiliarString(named), Platform: platforms.Asked(p),
	}}
	m, err := c.Manifest(ctx, named)
	if err != nil {
		return d.out, err
	}
	if index.IsIndex(m.Descriptor.MediaType) {
		err = d.list(ctx, m)
	} else {
		err = d.single(ctx, m)
	}
	d.out.Runs = !slices.ContainsFunc(d.out.Findings, func(f Finding) bool { return f.Fatal })
	return d.out, err
}

// doctor is one Why under way.
type doctor struct {
	client Fetcher
	repo   reference.Named
	want   ocispec.Platform
	opts   WhyOptions
	out    Diagnosis
}

func (d *doctor) step(format string, args ...any) {
	d.out.Steps = append(d.out.Steps, fmt.Sprintf(format, args...))
}

func (d *doctor) found(kind string, fatal bool, says, cure string) {
	d.out.Findings = append(d.out.Findings, Finding{Kind: kind, Fatal: fatal, Says: says, Cure: cure})
}

// list walks an index.
func (d *doctor) list(ctx context.Context, m registry.Manifest) error {
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return fmt.Errorf("%s: %w", d.out.Reference, err)
	}
	way, err := find(ctx, d.client, d.repo, ix, d.want)
	d.out.Steps = append(d.out.Steps, way.steps...)
	var absent *index.NotFoundError
	switch {
	case errors.As(err, &absent):
		d.absent(absent.Have)
		return nil
	case errors.Is(err, registry.ErrNotFound):
		d.found(KindMissing, true, err.Error(), "push the image again and publish the list anew")
		return nil
	case err != nil:
		return err
	}
	e := way.entry
	if way.nested {
		d.found(KindNested, false, "the image is in a list inside the list: "+nested, flatten(d.out.Reference))
	}
	if !way.exact {
		d.found(KindStandIn, false, fmt.Sprintf("there is no image for %s; the one for %s is taken, which such machines mostly run too",
			d.out.Platform, platforms.Format(*e.Platform)), "add an image for "+d.out.Platform+" to be sure")
	}
	child, err := listed(ctx, d.client, d.repo, e.Descriptor)
	if errors.Is(err, registry.ErrNotFound) {
		d.found(KindMissing, true, fmt.Sprintf("the list names %s, which is not in the registry", e.Digest),
			"push that image again; somebody or a clean-up has removed it")
		return nil
	}
	if err != nil {
		return err
	}
	return d.image(ctx, child, *e.Platform, true)
}

func (d *doctor) absent(there []ocispec.Platform) {
	have := "no images at all"
	if names := formatAll(there); len(names) > 0 {
		have = "images for " + strings.Join(names, ", ")
	}
	d.found(KindPlatformAbsent, true, fmt.Sprintf("the list has no image for %s; it has %s", d.out.Platform, have),
		fmt.Sprintf("build the image for %s and add it to the list", d.out.Platform))
}

// single looks at an image that is in no index. Docker takes it whatever it is for; containerd
// and Kubernetes compare its config.
func (d *doctor) single(ctx context.Context, m registry.Manifest) error {
	one, err := indexOfOne(ctx, d.client, d.repo, m)
	if err != nil {
		return err
	}
	if len(one.Entries) == 0 {
		d.step("resolved to %s, %s", m.Descriptor.Digest, m.Descriptor.MediaType)
		return d.image(ctx, m, d.want, false) // which says what it is, or has lost
	}
	has := *one.Entries[0].Platform
	d.step("resolved to one image, no list: its config says %s", platforms.Format(has))
	if _, err := one.Find(d.want); err == nil {
		return d.image(ctx, m, has, false)
	}
	d.found(KindNotAList, true, fmt.Sprintf("it is one image for %s and no list, so that %s gets it, too", platforms.Format(has), d.out.Platform),
		fmt.Sprintf("build the image for %s as well and publish a list of both", d.out.Platform))
	at := len(d.out.Findings) - 1
	if isVariant(has, d.want) {
		d.out.Findings[at] = d.beyond(has)
		return d.image(ctx, m, has, false)
	}
	if err := d.image(ctx, m, d.want, false); err != nil || !d.out.Verified {
		return err
	}
	d.out.Findings[at] = d.mislabelled(has)
	return nil
}

// isVariant tells whether two platforms differ in the variant of their architecture at most. Not so on arm, where a program says
// for which version it is made.
func isVariant(a, b ocispec.Platform) bool {
	a, b = platforms.Normalize(a), platforms.Normalize(b)
	return a.OS == b.OS && a.Architecture == b.Architecture && a.Architecture != "arm"
}

// beyond is an image for a later variant than the machine's. Its programs may well be made for that: most do not say.
func (d *doctor) beyond(has ocispec.Platform) Finding {
	label := platforms.Format(has)
	return Finding{Kind: KindNotAList, Fatal: true,
		Says: fmt.Sprintf("it is one image, labelled %s, and this machine asks for %s", label, d.out.Platform),
		Cure: fmt.Sprintf("on a machine that is %s look with -platform=%[1]s; put the label right (setarch %s %s -registry) only if all its programs are for any %s",
			label, d.out.Reference, strings.TrimPrefix(d.out.Platform, "linux/"), d.out.Platform),
	}
}

// mislabelled is an image whose programs are the machine's, and whose config says otherwise.
func (d *doctor) mislabelled(has ocispec.Platform) Finding {
	return Finding{Kind: KindMislabelled, Fatal: true,
		Says: fmt.Sprintf("its config and its programs disagree: the config says %s, and the programs are made for %s", platforms.Format(has), d.out.Platform),
		Cure: fmt.Sprintf("put the label right (setarch %s %s -registry), or build the image for %s, whichever was meant",
			d.out.Reference, strings.TrimPrefix(d.out.Platform, "linux/"), platforms.Format(has)),
	}
}

// image looks into the image that an engine would take.
func (d *doctor) image(ctx context.Context, m registry.Manifest, declared ocispec.Platform, entry bool) error {
	d.out.Digest = m.Descriptor.Digest
	doc, err := readImage(m)
	if err != nil {
		return err
	}
	if !isImageConfig(doc.Config.MediaType) {
		d.found(KindNotAnImage, true, fmt.Sprintf("it is no container image but %s", doc.Config.MediaType), "name an image; this is some other artifact")
		return nil
	}
	config, err := d.client.Config(ctx, d.repo, doc.Config)
	if d.missing(err, "its config") {
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.compare(config, declared, entry); err != nil {
		return err
	}
	if note := registry.Elsewhere(doc.Layers); note != "" {
		d.found(KindUnverified, false, note, "")
		return nil
	}
	root, err := d.client.Root(ctx, d.repo, doc.Layers)
	if d.missing(err, "a layer") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the layers of %s: %w", m.Descriptor.Digest, err)
	}
	defer root.Close()
	report, err := image.Check(config, root, declared, image.Options{AllowForeign: d.opts.AllowForeign})
	return d.judge(report, err, declared)
}

// missing turns content that the registry has lost into a finding.
func (d *doctor) missing(err error, what string) bool {
	if !errors.Is(err, registry.ErrNotFound) {
		return false
	}
	d.found(KindMissing, true, fmt.Sprintf("%s is not in the registry: %v", what, err), "push the image again")
	return true
}

// compare says whether the config agrees with the entry of the index.
func (d *doctor) compare(config []byte, declared ocispec.Platform, entry bool) error {
	has, err := image.PlatformOf(config)
	if err != nil {
		return err
	}
	if !entry {
		return nil
	}
	if _, ok := reconcile(declared, has); ok {
		d.step("its config agrees: %s", platforms.Format(has))
		return nil
	}
	d.step("its config says %s", platforms.Format(has))
	d.found(KindDisagree, true, fmt.Sprintf("the list calls it %s, its own config says %s", platforms.Format(declared), platforms.Format(has)),
		"correct whichever is wrong: rebuild the image, or annotate the entry")
	return nil
}

// judge takes over what the truth check found.
func (d *doctor) judge(report image.Report, err error, declared ocispec.Platform) error {
	for _, p := range report.Programs {
		what := "a script"
		if p.ELF.Arch() != "" {
			what = p.ELF.Describe()
		}
		d.out.Programs = append(d.out.Programs, fmt.Sprintf("%s (%s): %s", p.Path, p.Role, what))
	}
	var refusal *image.Refusal
	switch {
	case errors.As(err, &refusal):
		for _, f := range refusal.Faults {
			d.out.Findings = append(d.out.Findings, Finding{
				Kind: string(f.Kind), Fatal: true, Path: f.Path, Says: fmt.Sprintf("%s is %s", f.Path, f.What), Cure: f.Cure,
			})
		}
	case err != nil:
		return err
	case report.Verdict == image.Verified:
		d.out.Verified = true
		d.step("its programs are made for %s", platforms.Format(declared))
	default:
		d.found(KindUnverified, false, "nothing in it could be judged: no program was found that it starts", "")
	}
	for _, note := range report.Notes {
		d.found(KindNote, false, note, "")
	}
	return nil
}
