package main

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/progress"
)

// An image of a gigabyte, in as many layers as such images have at least.
const (
	layers    = 4
	layerSize = 250e6
)

const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip"

// carrier brings an image out of a registry with one tool.
type carrier struct {
	name  string
	fetch func(ctx context.Context, from, file string, peak func(int64)) error
	copy  func(ctx context.Context, from, to string, peak func(int64)) error
}

// transfers measures writing an image of a gigabyte to a file, and copying it to another registry.
func (b *bench) transfers(ctx context.Context) error {
	if !b.has("fetch") || !b.has("manifest:copy") {
		fmt.Println("\ntransfer: these targets have no fetch or no manifest:copy, not measured")
		return nil
	}
	image := b.name("transfer")
	large, err := b.large(ctx, image)
	if err != nil {
		return err
	}
	carriers := b.carriers(large)
	fetched, copied := make([][]sample, len(carriers)), make([][]sample, len(carriers))
	for range b.rounds {
		for i, c := range carriers {
			if err := b.carry(ctx, c, image, &fetched[i], &copied[i]); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	t := progress.Table{Header: []string{"TOOL", "FETCH", "RATE", "RATIO", "MEMORY", "COPY", "RATE", "RATIO", "MEMORY"}, Right: []int{1, 2, 3, 4, 5, 6, 7, 8}}
	for i, c := range carriers {
		t.Add(append(append([]string{c.name}, rated(fetched[0], fetched[i])...), rated(copied[0], copied[i])...)...)
	}
	fmt.Printf("\nan image of %s to a file, and to another registry (ratio of ours to theirs)\n", progress.Size(layers*layerSize))
	return t.Write(os.Stdout)
}

func rated(ours, theirs []sample) []string {
	o, t := median(ours), median(theirs)
	return []string{progress.Duration(t.took), progress.Size(int64(layers*layerSize/t.took.Seconds())) + "/s",
		fmt.Sprintf("%.2f", o.took.Seconds()/t.took.Seconds()), progress.Size(t.peak)}
}

// carry lets one tool do both; the file and the other registry are removed.
func (b *bench) carry(ctx context.Context, c carrier, image string, fetched, copied *[]sample) (err error) {
	dir, err := os.MkdirTemp(b.dir, "transfer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := b.measure(ctx, func(ctx context.Context, peak func(int64)) error {
		return c.fetch(ctx, image+":1", filepath.Join(dir, "image.tar"), peak)
	})
	if err != nil {
		return err
	}
	*fetched = append(*fetched, s)
	other, err := startRegistry(filepath.Join(dir, "registry"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.close()) }()
	s, err = b.measure(ctx, func(ctx context.Context, peak func(int64)) error {
		return c.copy(ctx, image+":1", other.address+"/copy:1", peak)
	})
	*copied = append(*copied, s)
	return err
}

// carriers are ours, HTTP without anything around it, and the peers that are on PATH.
func (b *bench) carriers(large []layer) []carrier {
	all := []carrier{
		{"manymage",
			b.run("", "fetch", "FROM", "linux/amd64", "TO"),
			b.run("", "manifest:copy", "FROM", "TO")},
		{"plain HTTP", plainFetch(large), plainCopy(large)},
	}
	for _, c := range []carrier{
		{"skopeo",
			b.run("skopeo", "copy", "--src-tls-verify=false", "docker://FROM", "oci-archive:TO"),
			b.run("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://FROM", "docker://TO")},
		{"crane",
			b.run("crane", "pull", "--insecure", "FROM", "TO"),
			b.run("crane", "copy", "--insecure", "FROM", "TO")},
	} {
		if _, err := exec.LookPath(c.name); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// run is one process with FROM and TO filled in; ours where no tool is named.
func (b *bench) run(tool string, args ...string) func(context.Context, string, string, func(int64)) error {
	return func(ctx context.Context, from, to string, peak func(int64)) error {
		filled := make([]string, len(args))
		for i, word := range args {
			filled[i] = strings.NewReplacer("FROM", from, "TO", to).Replace(word)
		}
		return b.tool(ctx, peak, cmp.Or(tool, b.ours), filled...)
	}
}

// plainFetch writes the layers to files, all at once: what the line and the disk give.
func plainFetch(large []layer) func(context.Context, string, string, func(int64)) error {
	return func(ctx context.Context, from, file string, _ func(int64)) error {
		return each(ctx, from, large, func(l layer, body io.Reader) error {
			f, err := os.Create(file + l.desc.Digest.Encoded())
			if err != nil {
				return err
			}
			_, err = io.Copy(f, body)
			return errors.Join(err, f.Close())
		})
	}
}

// plainCopy passes the layers from one registry to the other, all at once.
func plainCopy(large []layer) func(context.Context, string, string, func(int64)) error {
	return func(ctx context.Context, from, to string, _ func(int64)) error {
		return each(ctx, from, large, func(l layer, body io.Reader) error {
			return upload(ctx, strings.TrimSuffix(to, ":1"), l.desc, body)
		})
	}
}

// each reads the layers of an image, all at once.
func each(ctx context.Context, from string, large []layer, do func(layer, io.Reader) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range large {
		g.Go(func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, api(strings.TrimSuffix(from, ":1"))+"/blobs/"+l.desc.Digest.String(), nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			return do(l, response.Body)
		})
	}
	return g.Wait()
}

// large publishes the image.
func (b *bench) large(ctx context.Context, image string) ([]layer, error) {
	var all []layer
	for range layers {
		l, err := b.upload(ctx, image)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, publish(ctx, image, "1", ocispec.Platform{OS: "linux", Architecture: "amd64"}, all...)
}

// upload puts a layer of bytes that nothing can compress into the repository.
func (b *bench) upload(ctx context.Context, image string) (l layer, err error) {
	f, err := os.CreateTemp(b.dir, "layer-")
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	packed, plain := digest.Canonical.Digester(), digest.Canonical.Digester()
	zip, _ := gzip.NewWriterLevel(io.MultiWriter(f, packed.Hash()), gzip.NoCompression) // a level that there is
	archive := tar.NewWriter(io.MultiWriter(zip, plain.Hash()))
	err = archive.WriteHeader(&tar.Header{Name: "blob", Mode: 0o644, Size: layerSize, Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.CopyN(archive, rand.Reader, layerSize)
	}
	if err = errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return l, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return l, err
	}
	l = layer{ocispec.Descriptor{MediaType: dockerLayer, Digest: packed.Digest(), Size: size}, plain.Digest()}
	return l, upload(ctx, image, l.desc, io.NewSectionReader(f, 0, size))
}
