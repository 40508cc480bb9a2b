package lists

import (
	"context"
	"fmt"
	"sync"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// blobsAtOnce is how many blobs are on their way at once. Four fill most lines; registries
// limit connections.
const blobsAtOnce = 4

// Progress is told how much of a blob has been sent; it may be called concurrently, and sent
// goes back when a try failed. How is known at the end.
type Progress func(p Progressing)

// Progressing is one blob on its way.
type Progressing struct {
	Repository string // where to
	Digest     digest.Digest
	Sent, Size int64
	Done       bool
	How        registry.Copied // when done
}

// Carrier is what a transfer needs.
type Carrier interface {
	Publisher
	Mover
}

// transfer brings manifests, with everything below them, into one repository:
//
//	read all manifests -> blobs, each once -> images and attestations -> indexes, inner first
//
// A manifest is written only when all that it names is there.
type transfer struct {
	client   Carrier
	to       reference.Named
	progress Progress
	notices  []string

	mu     sync.Mutex
	seen   map[digest.Digest]bool
	blobs  []cargo
	images []loaded
	lists  [][]loaded // by depth
}

type cargo struct {
	desc ocispec.Descriptor
	from reference.Named
}

type loaded struct {
	manifest registry.Manifest
	from     reference.Named
}

func newTransfer(c Carrier, to reference.Named, progress Progress) *transfer {
	if progress == nil {
		progress = func(Progressing) {}
	}
	return &transfer{client: c, to: reference.TrimNamed(to), progress: progress, seen: map[digest.Digest]bool{}}
}

// children brings images that were read for a new list, with their attestations.
func (t *transfer) children(ctx context.Context, children []*child) error {
	g, walk := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, c := range children {
		if c.from.Name() == t.to.Name() {
			continue
		}
		if c.manifest.Bytes != nil {
			if err := t.addImage(c.manifest, c.from); err != nil {
				return err
			}
		}
		for _, d := range c.attestations() {
			g.Go(func() error { return t.load(walk, c.from, d, 0) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return t.run(ctx)
}

// load reads a manifest and what is below it.
func (t *transfer) load(ctx context.Context, from reference.Named, d ocispec.Descriptor, depth int) error {
	m, err := listed(ctx, t.client, from, d)
	if err != nil {
		return err
	}
	return t.add(ctx, m, from, depth)
}

// add takes a manifest that was read, and reads what is below it.
func (t *transfer) add(ctx context.Context, m registry.Manifest, from reference.Named, depth int) error {
	if !index.IsIndex(m.Descriptor.MediaType) {
		return t.addImage(m, from)
	}
	ix, err := open(from, m, depth)
	if err != nil {
		return err
	}
	t.addList(loaded{m, from}, depth)
	return t.below(ctx, ix, from, depth)
}

// below reads the entries of an index, all at once.
func (t *transfer) below(ctx context.Context, ix index.Index, from reference.Named, depth int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, e := range ix.Flatten() {
		g.Go(func() error { return t.load(ctx, from, e.Descriptor, depth+1) })
	}
	return g.Wait()
}

func (t *transfer) addList(l loaded, depth int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[l.manifest.Descriptor.Digest] {
		return
	}
	t.seen[l.manifest.Descriptor.Digest] = true
	for len(t.lists) <= depth {
		t.lists = append(t.lists, nil)
	}
	t.lists[depth] = append(t.lists[depth], l)
}

// addImage notes a manifest and its blobs, each once.
func (t *transfer) addImage(m registry.Manifest, from reference.Named) error {
	doc, err := readImage(m)
	if err != nil {
		return fmt.Errorf("%s: %w", reference.FamiliarName(from), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[m.Descriptor.Digest] {
		return nil
	}
	t.seen[m.Descriptor.Digest] = true
	t.images = append(t.images, loaded{m, from})
	for _, d := range blobsOf(doc) {
		switch {
		case t.seen[d.Digest]:
		case !registry.IsDistributed(d):
			t.notices = append(t.notices, fmt.Sprintf("layer %s of %s is not distributed by registries and stays where its URLs say", d.Digest, at(from, m.Descriptor.Digest)))
		default:
			t.seen[d.Digest] = true
			t.blobs = append(t.blobs, cargo{d, from})
		}
	}
	return nil
}

// run moves what was noted.
func (t *transfer) run(ctx context.Context) error {
	if err := t.runBlobs(ctx); err != nil {
		return err
	}
	if err := t.put(ctx, t.images); err != nil {
		return err
	}
	for depth := len(t.lists) - 1; depth >= 0; depth-- {
		if err := t.put(ctx, t.lists[depth]); err != nil {
			return err
		}
	}
	return nil
}

func (t *transfer) runBlobs(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for _, b := range t.blobs {
		if b.from.Name() == t.to.Name() {
			continue
		}
		g.Go(func() error {
			p := Progressing{Repository: reference.FamiliarName(t.to), Digest: b.desc.Digest, Size: b.desc.Size}
			how, err := t.client.CopyBlob(ctx, t.to, b.from, b.desc, func(sent int64) {
				p := p
				p.Sent = sent
				t.progress(p)
			})
			if err != nil {
				return err
			}
			p.Done, p.How, p.Sent = true, how, b.desc.Size
			t.progress(p)
			return nil
		})
	}
	return g.Wait()
}

// put writes manifests under their digests, all at once.
func (t *transfer) put(ctx context.Context, list []loaded) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, l := range list {
		if l.from.Name() == t.to.Name() {
			continue
		}
		g.Go(func() error {
			_, err := t.client.PutManifest(ctx, withDigest(t.to, l.manifest.Descriptor.Digest), l.manifest.Descriptor.MediaType, l.manifest.Bytes)
			return err
		})
	}
	return g.Wait()
}
