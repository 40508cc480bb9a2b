package lists

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/registry"
)

// cosignKinds are the ends of the tags by which cosign keeps signatures, attestations and bills of materials where it does
// not use referrers: sha256-HEX.sig beside the manifest sha256:HEX (cosign's SIGNATURE_SPEC).
var cosignKinds = [...]string{"sig", "att", "sbom"}

// cosignNames are what the kinds are, for people.
var cosignNames = [...]string{"signature", "attestation", "bill of materials"}

// companionTags are the tags that cosign gives what it keeps beside a manifest, by kind.
func companionTags(subject digest.Digest) [len(cosignKinds)]string {
	var out [len(cosignKinds)]string
	for i, kind := range cosignKinds {
		out[i] = fmt.Sprintf("%s-%s.%s", subject.Algorithm(), subject.Encoded(), kind)
	}
	return out
}

// companion is an image under a tag that is made of another manifest's digest.
type companion struct {
	tag      string
	manifest registry.Manifest
}

// collectCompanions finds what cosign keeps beside the subjects, and notes it for the transfer.
func collectCompanions(ctx context.Context, c Copier, from reference.Named, subjects []digest.Digest, t *transfer) ([]companion, error) {
	found := make([]companion, len(subjects)*len(cosignKinds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for i, subject := range subjects {
		for k, tag := range companionTags(subject) {
			g.Go(func() (err error) {
				found[i*len(cosignKinds)+k], err = readCompanion(ctx, c, from, tag, t)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []companion
	for _, f := range found {
		if f.tag != "" {
			out = append(out, f)
		}
	}
	return out, nil
}

// readCompanion looks before it reads: most tags are not there, and some registries count what is read.
func readCompanion(ctx context.Context, c Copier, from reference.Named, tag string, t *transfer) (companion, error) {
	ref, err := withTag(from, tag)
	if err != nil {
		return companion{}, nil // a digest too long for a tag
	}
	_, err = c.Head(ctx, ref)
	if errors.Is(err, registry.ErrNotFound) {
		return companion{}, nil
	}
	if err != nil {
		return companion{}, err
	}
	m, err := c.Manifest(ctx, ref)
	if err != nil {
		return companion{}, err
	}
	return companion{tag, m}, t.add(ctx, m, from, 0)
}

// tagCompanions puts what was copied under its tags. One that is there with other content stays: those would be the
// signatures of somebody else.
func tagCompanions(ctx context.Context, c Copier, repo reference.Named, found []companion) (notices []string, err error) {
	for _, f := range found {
		ref, err := withTag(repo, f.tag)
		if err != nil {
			return notices, err
		}
		have, err := c.Head(ctx, ref)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			_, err = c.PutManifest(ctx, ref, f.manifest.Descriptor.MediaType, f.manifest.Bytes)
		case err == nil && have.Digest != f.manifest.Descriptor.Digest:
			notices = append(notices, fmt.Sprintf("%s is there with other content and stays as it is", reference.FamiliarString(ref)))
		}
		if err != nil {
			return notices, err
		}
	}
	return notices, nil
}
