package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// scannerLeave is how long a scanner has to end by itself when the run is ended: after Ctrl-C Mage waits for 5 s, and we have to end it before.
const scannerLeave = 3 * time.Second

// Scan is what the command of SCAN said of every image of a published list.
type Scan struct {
	Ref    string
	Digest digest.Digest
	Images []ScannedImage
}

// ScannedImage is one platform's image and what became of its scan.
type ScannedImage struct {
	Platform ocispec.Platform
	Digest   digest.Digest
	Fault    string        // how the command ended ("exit status 1"); empty: the image has passed
	Took     time.Duration // of the command
}

// ScanError is a scanner that does not pass images. It is lists.ErrPublish.
type ScanError struct {
	Program string
	Images  []ScannedImage // those that it does not pass
}

// Error names them; what the scanner had to say was shown.
func (e *ScanError) Error() string {
	images := make([]string, len(e.Images))
	for i, image := range e.Images {
		images[i] = fmt.Sprintf("%s (%s)", platforms.Format(image.Platform), image.Fault)
	}
	return fmt.Sprintf("the scanner %s does not pass %s: see above what it printed", e.Program, strings.Join(images, ", "))
}

// Is makes every *ScanError a lists.ErrPublish.
func (e *ScanError) Is(target error) bool { return target == lists.ErrPublish }

// Write prints a line for each platform.
func (s Scan) Write(w io.Writer) error {
	t := progress.Table{Header: []string{"PLATFORM", "SCAN", "TIME", "DIGEST"}, Right: []int{2}}
	for _, image := range s.Images {
		outcome := image.Fault
		if outcome == "" {
			outcome = "passed"
		}
		t.Add(platforms.Format(image.Platform), outcome, progress.Duration(image.Took), image.Digest.String())
	}
	if err := t.Write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", pinned(s.Ref, s.Digest))
	return err
}

// Scan has the images of a published list scanned, those of the configured one when text is empty. The error is a *ScanError, beside
// the whole Scan, when the scanner does not pass all.
func (p *Pipeline) Scan(ctx context.Context, text string) (Scan, error) {
	if len(p.cfg.Scan) == 0 {
		return Scan{}, &config.UsageError{Knob: "SCAN", Problem: `no scanner is named: write its command, such as SCAN="grype {image}"`}
	}
	if _, err := p.scanner(); err != nil {
		return Scan{}, err
	}
	ref, err := p.Reference(ctx, text)
	if err != nil {
		return Scan{}, err
	}
	client, err := p.Registry()
	if err != nil {
		return Scan{}, err
	}
	top, images, err := scannable(ctx, client, ref)
	if err != nil {
		return Scan{}, err
	}
	images, err = p.scan(ctx, reference.TrimNamed(ref), images)
	return Scan{Ref: reference.FamiliarString(ref), Digest: top, Images: images}, err
}

// scanPushed has the images of this run scanned as the registry has them. Nothing but their own tags names them yet.
func (p *Pipeline) scanPushed(ctx context.Context) error {
	if len(p.cfg.Scan) == 0 {
		return nil
	}
	repo, err := reference.ParseNormalizedNamed(p.cfg.Image)
	if err != nil {
		return err
	}
	images := make([]ScannedImage, len(p.built))
	for i, r := range p.built {
		images[i] = ScannedImage{Platform: r.platform, Digest: r.child.desc.Digest}
	}
	images, err = p.scan(ctx, repo, images)
	for i, image := range images {
		p.built[i].scanned, p.built[i].refused = image.Fault == "", image.Fault
	}
	if err != nil {
		return fmt.Errorf("the list's tags stay as they are: %w", err)
	}
	return nil
}

// scanner finds the program of SCAN, empty where there is none to find. That it is not here is said before anything else is done.
func (p *Pipeline) scanner() (string, error) {
	if len(p.cfg.Scan) == 0 {
		return "", nil
	}
	path, err := exec.LookPath(p.cfg.Scan[0])
	if err != nil {
		return "", &config.UsageError{Knob: "SCAN", Origin: p.cfg.Value("SCAN").Origin, Err: err,
			Problem: fmt.Sprintf("begins with %s, which cannot be started here (%v): install it, or leave SCAN out", p.cfg.Scan[0], errors.Unwrap(err))}
	}
	return path, nil
}

// scan has one image scanned after the other, all of them whatever is said of one: scanners lock the database that they share.
func (p *Pipeline) scan(ctx context.Context, repo reference.Named, images []ScannedImage) ([]ScannedImage, error) {
	bad := &ScanError{Program: p.cfg.Scan[0]}
	for i := range images {
		image := &images[i]
		ref, err := reference.WithDigest(reference.TrimNamed(repo), image.Digest)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		err = p.scanOne(ctx, platforms.Format(image.Platform), p.cfg.ScanFor(image.Platform, ref.String()))
		image.Took = time.Since(start)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			image.Fault = err.Error()
			bad.Images = append(bad.Images, *image)
		}
	}
	if len(bad.Images) > 0 {
		return images, bad
	}
	return images, nil
}

// scanOne runs the command for one image, shown as a step of its platform.
func (p *Pipeline) scanOne(ctx context.Context, platform string, command []string) error {
	step := progress.Step{Platform: platform, ID: "scan", Name: "SCAN " + config.Shell(command), State: progress.Running}
	p.opts.Show(progress.Started{Platform: platform})
	p.opts.Show(step)
	scanner := exec.CommandContext(ctx, command[0], command[1:]...)
	scanner.Dir = p.cfg.Dir
	said := printer(func(data []byte) {
		p.opts.Show(progress.Output{Platform: platform, ID: step.ID, Data: data})
	})
	scanner.Stdout, scanner.Stderr = said, said
	scanner.WaitDelay = scannerLeave
	together(scanner)
	err := scanner.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well, and what it has left running holds its output
	}
	step.State = progress.Done
	switch {
	case ctx.Err() != nil:
		killAll(scanner)
		step.State, err = progress.Canceled, context.Cause(ctx)
	case err != nil:
		step.State, step.Error = progress.Failed, err.Error()
	}
	p.opts.Show(step)
	told := err
	if err != nil {
		told = fmt.Errorf("the scanner %s does not pass the image (%w)", command[0], err)
	}
	p.finish(ctx, platform, "scanned", told)
	return err
}

// printer hands on what a command prints.
type printer func([]byte)

func (p printer) Write(data []byte) (int, error) {
	p(append([]byte(nil), data...)) // the caller uses the slice again
	return len(data), nil
}

// scannable are the images of a list, or the image itself, with the digest of what ref names. Attestations hold no programs.
func scannable(ctx context.Context, client *registry.Client, ref reference.Named) (digest.Digest, []ScannedImage, error) {
	top, now, err := lists.Now(ctx, client, ref)
	if err != nil {
		return "", nil, err
	}
	if top == "" {
		return "", nil, fmt.Errorf("%s: %w; `build push` publishes it, or name another image with -ref", reference.FamiliarString(ref), registry.ErrNotFound)
	}
	var images []ScannedImage
	for _, e := range now.Entries {
		if e.HasPlatform() {
			images = append(images, ScannedImage{Platform: *e.Platform, Digest: e.Digest})
		}
	}
	if len(images) == 0 {
		return "", nil, fmt.Errorf("%s has no image to scan: `inspect` shows what it is", reference.FamiliarString(ref))
	}
	return top, images, nil
}
