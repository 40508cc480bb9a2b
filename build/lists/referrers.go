package lists

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// referring is one manifest that refers to another one.
type referring struct {
	desc    ocispec.Descriptor // as the registry lists it
	subject digest.Digest
}

// collectReferrers finds what refers to the subjects, what refers to that, and so on, and notes
// all of it for the transfer.
func collectReferrers(ctx context.Context, c Copier, from reference.Named, subjects []digest.Digest, t *transfer, depth int) ([]referring, error) {
	if len(subjects) == 0 || depth > maxNesting {
		return nil, nil
	}
	lists := make([][]ocispec.Descriptor, len(subjects))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for i, subject := range subjects {
		g.Go(func() (err error) {
			lists[i], err = c.Referrers(gctx, from, subject, "")
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []referring
	var next []digest.Digest
	for i, list := range lists {
		for _, desc := range list {
			if err := desc.Digest.Validate(); err != nil {
				return nil, fmt.Errorf("%s lists %q as a referrer of %s: %w; leave the referrers behind, or have the registry mended",
					reference.FamiliarName(from), desc.Digest, subjects[i], err)
			}
			found = append(found, referring{desc, subjects[i]})
			next = append(next, desc.Digest)
		}
	}
	g, gctx = errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, r := range found {
		g.Go(func() error { return t.load(gctx, from, r.desc, 0) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	more, err := collectReferrers(ctx, c, from, next, t, depth+1)
	return append(found, more...), err
}

// attach makes the referrers findable. A registry with the referrers API has done it by
// itself; for others the client keeps an index under a tag that is named by the subject
// (distribution-spec 1.1, "Pushing Manifests with Subject").
func attach(ctx context.Context, c Copier, repo reference.Named, found []referring) error {
	bySubject := map[digest.Digest][]ocispec.Descriptor{}
	var order []digest.Digest
	for _, r := range found {
		if bySubject[r.subject] == nil {
			order = append(order, r.subject)
		}
		bySubject[r.subject] = append(bySubject[r.subject], r.desc)
	}
	for _, subject := range order {
		if err := attachTo(ctx, c, repo, subject, bySubject[subject]); err != nil {
			return fmt.Errorf("the referrers of %s were copied but cannot be listed: %w", subject, err)
		}
	}
	return nil
}

func attachTo(ctx context.Context, c Copier, repo reference.Named, subject digest.Digest, wanted []ocispec.Descriptor) error {
	have, err := c.Referrers(ctx, repo, subject, "")
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(wanted, func(d ocispec.Descriptor) bool {
		return slices.ContainsFunc(have, func(h ocispec.Descriptor) bool { return h.Digest == d.Digest })
	})
	if len(missing) == 0 {
		return nil
	}
	tag, err := withTag(repo, registry.ReferrersTag(subject))
	if err != nil {
		return err
	}
	ix, err := referrersIndex(ctx, c, tag, subject)
	if err != nil {
		return err
	}
	ix.Manifests = append(ix.Manifests, missing...)
	raw, err := json.MarshalIndent(ix, "", "  ")
	if err != nil {
		return err
	}
	_, err = c.PutManifest(ctx, tag, index.OCIIndex, raw)
	return err
}

// referrersIndex reads the index that the client side keeps, empty when there is none.
func referrersIndex(ctx context.Context, c Reader, tag reference.NamedTagged, subject digest.Digest) (ocispec.Index, error) {
	ix := ocispec.Index{MediaType: index.OCIIndex, Manifests: []ocispec.Descriptor{}}
	ix.SchemaVersion = 2
	m, err := c.Manifest(ctx, tag)
	if errors.Is(err, registry.ErrNotFound) {
		return ix, nil
	}
	if err == nil && registry.IsReferrersList(m.Descriptor, subject) {
		err = json.Unmarshal(m.Bytes, &ix)
	}
	return ix, err
}
