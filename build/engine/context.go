package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/distribution/reference"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// files is what the builds read of the context directory without what its
// ignore file excludes, as both roads send it (fsutil.WriteTar makes a tar of
// it). The Dockerfile is in it if it is read, and the ignore file is, which
// frontends look at, unless they are excluded. Everything belongs to
// root in it, as Docker has it, so that who builds does not change the image.
func (c Context) files() (fsutil.FS, error) {
	if err := c.checkDir(); err != nil {
		return nil, err
	}
	patterns, err := c.excludes()
	if err != nil {
		return nil, err
	}
	return directory(c.Dir, c.Reads, patterns)
}

// whole is a context of which anything may be read.
func (c Context) whole() Context {
	c.Reads = nil
	return c
}

// directory is what is read of a folder on disk, without what the patterns exclude.
func directory(dir string, reads, patterns []string) (fsutil.FS, error) {
	all, err := fsutil.NewFS(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; give a directory", ErrContext, err)
	}
	folder, err := os.Open(dir) // whose walk tells of all folders below, and not of itself
	if err != nil {
		return nil, fmt.Errorf("%w: %w; make it readable", ErrContext, err)
	}
	if err := folder.Close(); err != nil {
		return nil, err
	}
	return without(all, reads, patterns)
}

// without is what is read of a directory, and what symbolic links on the way to it lead to, without what the patterns exclude.
func without(all fsutil.FS, reads, patterns []string) (fsutil.FS, error) {
	all = open{all, patterns}
	opt := &fsutil.FilterOpt{ExcludePatterns: patterns, Map: ownedByRoot}
	if reads != nil {
		// Whoever has a path that cannot be followed will be told by the build. Nothing stands for the folder itself.
		opt.IncludePatterns, _ = fsutil.FollowLinks(all, append(slices.Clone(reads), ".dockerignore"))
	}
	return fsutil.NewFilterFS(all, opt)
}

func ownedByRoot(_ string, st *fstypes.Stat) fsutil.MapResult {
	st.Uid, st.Gid = 0, 0
	return fsutil.MapResultKeep
}

// checkDir refuses what is no directory, by name where Docker would take it.
func (c Context) checkDir() error {
	if isRemoteContext(c.Dir) {
		return fmt.Errorf("%w: %q: git repositories and archives are not read; clone or unpack it and give the directory", ErrContext, c.Dir)
	}
	info, err := os.Stat(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: the directory %q does not exist; correct CONTEXT", ErrContext, c.Dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w; correct CONTEXT", ErrContext, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %q is a file; give the directory that holds it", ErrContext, c.Dir)
	}
	return nil
}

func isRemoteContext(dir string) bool {
	return dir == "-" || strings.Contains(dir, "://") || strings.HasPrefix(dir, "git@") || strings.HasPrefix(dir, "github.com/")
}

// excludes are the patterns of the ignore file and the caller's own behind
// them.
func (c Context) excludes() ([]string, error) {
	_, patterns, err := c.ignored()
	return append(patterns, c.Excludes...), err
}

// ignored are the patterns of the ignore file. <Dockerfile>.dockerignore wins
// over the context's .dockerignore, and the two are never joined.
func (c Context) ignored() (file string, patterns []string, err error) {
	file = filepath.Join(c.Dir, ".dockerignore")
	patterns, err = readIgnore(file)
	if c.Dockerfile != "" {
		if first, other := readIgnore(c.Dockerfile + ".dockerignore"); !errors.Is(other, fs.ErrNotExist) {
			file, patterns, err = c.Dockerfile+".dockerignore", first, other
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("%w: %w", ErrContext, err)
	}
	return file, patterns, nil
}

// readIgnore reads one ignore file and proves that each pattern is one.
func readIgnore(path string) ([]string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; make it readable", err)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; correct the file", path, err)
	}
	for _, pattern := range patterns {
		if _, err := patternmatcher.New([]string{pattern}); err != nil {
			return nil, fmt.Errorf("%s: pattern %q: %w; correct the file", path, pattern, err)
		}
	}
	return patterns, nil
}

// Measure walks the context and the named ones, and counts their files and the
// files' bytes, which is the most that they send; to BuildKit or to a classic
// builder, which takes names that BuildKit does not.
func (c Context) Measure(ctx context.Context, to string) (files int, bytes int64, err error) {
	dirs := []Context{c}
	for _, named := range c.Named {
		if !named.isImage() {
			dirs = append(dirs, named.context())
		}
	}
	for _, dir := range dirs {
		all, err := dir.files()
		if err != nil {
			return 0, 0, err
		}
		if err := measure(ctx, all, to, &files, &bytes); err != nil {
			return 0, 0, err
		}
	}
	return files, bytes, nil
}

func measure(ctx context.Context, all fsutil.FS, to string, files *int, bytes *int64) error {
	return unreadable(all.Walk(ctx, "/", func(path string, entry fs.DirEntry, err error) error {
		if bad := unsendable(path); bad != nil && to == RoadBuildKit {
			return bad
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			*files++
			*bytes += info.Size()
		}
		return err
	}))
}

// Lacks says why a COPY of the path will not find it, in the words of the build, and nothing where it will or where only the engine
// can tell: of a folder from which later patterns bring something back. name has slashes.
func (c Context) Lacks(name string) (why, cure string) {
	way, err := c.follow(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && slices.ContainsFunc(way, c.leavesOut()):
		return c.missing(name)
	case errors.Is(err, errCircle):
		return circle, circleCure
	}
	return "", ""
}

// LacksAll says why a COPY by patterns alone will find nothing, or nothing behind what it finds, in the words of the build, and nothing
// where a classic builder takes it. Docker's does not look into a folder behind a link, Podman's does: linked.
func (c Context) LacksAll(patterns []string, linked bool) (why, cure string) {
	leftOut, fits := c.leavesOut(), false
	for _, pattern := range patterns {
		found, err := fs.Glob(os.DirFS(c.Dir), pattern)
		if err != nil {
			return "", ""
		}
		for _, name := range found {
			if leftOut(name) || !linked && c.link(path.Dir(name)) != "" {
				continue
			}
			if why, cure := c.Lacks(name); why != "" {
				return why, cure
			}
			fits = true
		}
	}
	if fits {
		return "", ""
	}
	return c.unfit()
}

// unfit says that no pattern fits what is sent.
func (c Context) unfit() (why, cure string) {
	return "nothing that is sent of the context " + c.Dir + " fits", "correct the pattern, which begins in the context, or .dockerignore, or CONTEXT"
}

// leavesOut tells of paths whether nothing of them is sent.
func (c Context) leavesOut() func(name string) bool {
	patterns, err := c.excludes()
	return func(name string) bool {
		return err == nil && excluding(patterns, name) >= 0 && !slices.ContainsFunc(patterns, func(p string) bool { return bringsBack(p, name) })
	}
}

var errCircle = errors.New(circle)

// follow goes the way to a path of the context as engines do, for which a symbolic link begins in the context and leads no higher: the
// links on it, and at last what is there.
func (c Context) follow(name string) (way []string, err error) {
	at := "."
	for parts := strings.Split(name, "/"); len(parts) > 0; {
		to := strings.TrimPrefix(path.Join("/", at, parts[0]), "/")
		parts = parts[1:]
		info, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(to)))
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 || to == "" {
			at = to
			continue
		}
		link, err := os.Readlink(filepath.Join(c.Dir, filepath.FromSlash(to)))
		if way = append(way, to); err != nil || len(way) > maxLinks {
			return nil, cmp.Or(err, errCircle)
		}
		if parts = append(strings.Split(filepath.ToSlash(link), "/"), parts...); path.IsAbs(link) {
			at = "."
		}
	}
	if at != "" { // which is the context itself
		way = append(way, at)
	}
	return way, nil
}

// bringsBack tells whether a pattern may be for what is in a folder that others leave out.
func bringsBack(pattern, folder string) bool {
	back, ok := strings.CutPrefix(pattern, "!")
	return ok && (strings.ContainsAny(back, "*?[") || strings.HasPrefix(strings.TrimLeft(back, "/"), folder+"/"))
}

// missing says why a COPY does not find a path of the context, and what to do: a pattern leaves it out, or it is not there.
func (c Context) missing(name string) (why, cure string) {
	name = strings.Trim(filepath.ToSlash(name), "/")
	if _, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(name))); err != nil {
		return fmt.Sprintf("the context %s has no %s", c.Dir, name), "correct the path, which begins in the context, or CONTEXT"
	}
	file, own, err := c.ignored()
	if err != nil {
		return err.Error(), ""
	}
	by := excluding(slices.Concat(own, c.Excludes), name)
	switch {
	case by < 0 && c.link(name) != "":
		way, _ := c.follow(name)
		if at := slices.IndexFunc(way, c.leavesOut()); at >= 0 {
			return c.missing(way[at])
		}
		return fmt.Sprintf("%s leads through the symbolic link %s to what is not sent with the context", name, c.link(name)), "put the files in its place, or take a CONTEXT that holds what it names"
	case by < 0:
		return "the engine does not find " + name + " in the context", "run this again if it was made meanwhile"
	case by >= len(own):
		return name + " is this program's own file, and is not sent", "copy it to another name first"
	}
	return fmt.Sprintf("%s is left out of the context by the line %s of %s", name, own[by], filepath.Base(file)), "take the line out, or write !" + name + " below it"
}

// written is the path that a step names where the engine has followed it, by a symbolic link, to one that the context has not; else
// that one.
func (c Context) written(step, name string) string {
	if _, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(name))); err == nil {
		return name
	}
	words := strings.FieldsFunc(step, func(r rune) bool { return r == ' ' || r == ',' || r == '=' }) // of a mount, too
	for i, word := range words {
		words[i] = strings.TrimPrefix(path.Join("/", word), "/")
	}
	at := slices.IndexFunc(words, func(word string) bool { return c.link(word) != "" })
	if at < 0 || slices.Contains(words, strings.Trim(name, "/")) {
		return name
	}
	return words[at]
}

// link is the first symbolic link on the way to a path of the context, empty where there is none.
func (c Context) link(name string) string {
	at := ""
	for _, part := range strings.Split(name, "/") {
		at = path.Join(at, part)
		if info, err := os.Lstat(filepath.Join(c.Dir, filepath.FromSlash(at))); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at
		}
	}
	return ""
}

// excluding is the pattern because of which a name is left out, -1 if none is.
func excluding(patterns []string, name string) int {
	by := -1
	for i := range patterns {
		all, err := patternmatcher.New(patterns[:i+1])
		if err != nil {
			return -1
		}
		out, err := all.MatchesOrParentMatches(name)
		switch {
		case err != nil || !out:
			by = -1
		case by < 0:
			by = i
		}
	}
	return by
}

// isImage tells an image from a directory.
func (n Named) isImage() bool { return strings.HasPrefix(n.Source, "docker-image://") }

// context is the directory; no Dockerfile is built in it, so that none's ignore file counts.
func (n Named) context() Context { return Context{Dir: n.Source, Excludes: n.Excludes} }

// key is how BuildKit looks the name up: an image's in its short form, and in lower case where there is no other way to write it.
func (n Named) key() string {
	for _, name := range []string{n.Name, strings.ToLower(n.Name)} {
		if named, err := reference.ParseNormalizedNamed(name); err == nil {
			return strings.TrimSuffix(reference.FamiliarString(named), ":latest")
		}
	}
	return n.Name
}
