package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/versions"

	"github.com/manymage/manymage/build/rootfs"
)

// On the classic road an image's root is read through a container that is
// created, never started, and always removed. Two ways:
//
//	whole   one export: one request, as long as the image is large
//	lazy    a HEAD per name, an archive per folder or program: a few requests at any size
//
// Of most images a check asks for little. Where it has asked for as much as the
// whole would have cost, as of a server with a hundred modules, it gets the whole.
//
// An archive or an export costs 10 ms on Docker 26 and 100 ms on 20.10, which
// starts a process for it; a HEAD costs 3 ms. On Podman an export costs 100 ms,
// a HEAD as much, and an archive thrice. Reading costs about 400 MB/s everywhere.

// The image sizes in bytes up to which the whole archive is quicker: a check
// asks for about five folders.
const (
	wholeLimit     = 16 << 20
	wholeLimitSlow = 64 << 20 // where each archive starts a process
)

// lastSlow is the last API of a Docker that starts a process for each archive
// that it writes or reads, its own program once more.
const lastSlow = "1.42"

func (e *Engine) slowArchives() bool { return versions.LessThanOrEqualTo(e.info.API, lastSlow) }

// openTimeout bounds each of creating and removing a container, which goes on
// when the caller gives up.
const openTimeout = 2 * time.Minute

// openRoot gives the root of an image without running it, and what ends it.
func (e *Engine) openRoot(ctx context.Context, s stored, size int64) (fs.FS, func() error, error) {
	box, err := e.createBox(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	root, err := box.root(ctx, size)
	if err != nil {
		_ = box.remove() // the first error is the telling one
		return nil, nil, err
	}
	return root, box.remove, nil
}

// archiveCost is the part of a limit that can be read while an archive is begun.
const archiveCost = 2

// box is a container that exists to be looked into.
type box struct {
	engine *Engine
	ctx    context.Context // of whoever opened it: fs methods have none
	id     string

	mu    sync.Mutex
	roots []*rootfs.FS // that were read of it
}

// createBox creates the container. An interrupted request may still create it,
// so the answer is awaited whatever ctx says.
func (e *Engine) createBox(ctx context.Context, s stored) (*box, error) {
	detached, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer stop()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	created, err := e.api.ContainerCreate(detached, &container.Config{
		Image:           s.id,
		Cmd:             []string{"never-started"}, // an image without one is refused
		NetworkDisabled: true,
		Labels:          map[string]string{boxLabel: "truth check; safe to remove"},
	}, &container.HostConfig{NetworkMode: "none", Mounts: insteadOfVolumes(s.config)}, nil, nil, "")
	if err != nil {
		return nil, imageError("create a container to look into image", short(s.id), err)
	}
	b := &box{engine: e, ctx: ctx, id: created.ID}
	if err := ctx.Err(); err != nil {
		_ = b.remove()
		return nil, err
	}
	return b, nil
}

// insteadOfVolumes are mounts in memory for where an image has its volumes. The
// engine would make those with the container, copy the image's content into
// them, and keep them when a killed run's container goes. A mount is made when a
// container starts, and none of these does: what the image has there is seen.
// Podman makes a line of CSV of a mount and reads that again: a place that it
// would not read so stays a volume.
func insteadOfVolumes(config []byte) []mount.Mount {
	var image struct {
		Config struct{ Volumes map[string]struct{} } `json:"config"`
	}
	_ = json.Unmarshal(config, &image) // what is no config gets no container
	var targets []string
	for volume := range image.Config.Volumes {
		if target := path.Clean(volume); path.IsAbs(target) && target != "/" && !strings.ContainsAny(target, ",\"\r\n") {
			targets = append(targets, target)
		}
	}
	slices.Sort(targets)
	var mounts []mount.Mount
	for _, target := range slices.Compact(targets) { // two at one place are refused
		mounts = append(mounts, mount.Mount{Type: mount.TypeTmpfs, Target: target})
	}
	return mounts
}

// boxLabel is on each such container.
const boxLabel = "com.github.manymage"

// boxLife is longer than anybody looks into a container, over a slow line, too. Who then waits for other platforms that take longer has no
// more use for it.
const boxLife = time.Hour

// removeLeftBoxes removes the containers of runs that were killed, which hold
// their images, and tells whether there was one. Runs of other machines may look
// into theirs at the same time: the label is ours alone, the age is that of the
// engine's own clock, and a prune removes none that runs.
func (e *Engine) removeLeftBoxes(ctx context.Context) bool {
	gone, err := e.api.ContainersPrune(ctx, filters.NewArgs(filters.Arg("label", boxLabel), filters.Arg("until", boxLife.String())))
	return err == nil && len(gone.ContainersDeleted) > 0
}

// lookedInto tells whether anybody's check has a container on an image. Podman does not find it by the image's whole ID.
func (e *Engine) lookedInto(ctx context.Context, id string) bool {
	boxes, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", boxLabel))})
	return err == nil && slices.ContainsFunc(boxes, func(box container.Summary) bool { return withAlgorithm(box.ImageID) == id })
}

// remove takes the container and its volumes away, interrupted or not, and ends
// what was read of it.
func (b *box) remove() error {
	b.mu.Lock()
	for _, root := range b.roots {
		_ = root.Close() // it was only read
	}
	b.mu.Unlock()
	ctx, stop := context.WithTimeout(context.WithoutCancel(b.ctx), openTimeout)
	defer stop()
	err := b.engine.api.ContainerRemove(ctx, b.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !cerrdefs.IsNotFound(err) { // which another run has pruned: see boxLife
		return fmt.Errorf("remove the container %s: %w; remove it with docker rm", short(b.id), err)
	}
	return nil
}

func (b *box) root(ctx context.Context, size int64) (fs.FS, error) {
	limit := int64(wholeLimit)
	if b.engine.slowArchives() {
		limit = wholeLimitSlow
	}
	if b.engine.info.Name == podman || size <= limit {
		return b.read(ctx, b.export())
	}
	return newBoxFS(b, archiveCost*size/limit), nil
}

// read reads an archive to its end. One that the engine breaks off is asked for
// once more: nothing changes in a container that never ran.
func (b *box) read(ctx context.Context, archive rootfs.Source) (*rootfs.FS, error) {
	root, err := rootfs.Archive(ctx, archive, rootfs.Options{})
	if isCut(err) && ctx.Err() == nil {
		root, err = rootfs.Archive(ctx, archive, rootfs.Options{})
	}
	if isCut(err) {
		return nil, fmt.Errorf("%s: %w", archive.Name, errCut)
	}
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roots = append(b.roots, root)
	return root, nil
}

// errCut does not blame the image for an archive without an end.
var errCut = fmt.Errorf("the engine broke off its archive (%w); look into its log and run this again", io.ErrUnexpectedEOF)

func isCut(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// export is the whole root.
func (b *box) export() rootfs.Source {
	return rootfs.Source{Name: "the container's root", Open: func() (io.ReadCloser, error) {
		return b.engine.api.ContainerExport(b.ctx, b.id)
	}}
}

// source is the archive of one path.
func (b *box) source(path string) rootfs.Source {
	return rootfs.Source{Name: path, Open: func() (io.ReadCloser, error) {
		stream, _, err := b.engine.api.CopyFromContainer(b.ctx, b.id, path)
		return stream, err
	}}
}
