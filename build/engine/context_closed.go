package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/tonistiigi/fsutil"
)

// open is a directory in whose walk a folder that cannot be read is an error, unless the patterns leave out all that is in it. The filter
// passes over each that is left out itself, also where a later pattern brings back what is in it: sec, !sec/k.
type open struct {
	fsutil.FS
	patterns []string
}

func (o open) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	matcher, err := patternmatcher.New(o.patterns)
	if err != nil {
		return err
	}
	return o.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		var at *fs.PathError
		if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &at) {
			return visit(path, entry, err)
		}
		name := filepath.ToSlash(path)
		if out, failed := leavesOut(matcher, name); out || failed != nil {
			return visit(path, entry, err)
		}
		return fmt.Errorf("%w: %w; make it readable, or write %s as the last line of .dockerignore", ErrContext, at, name)
	})
}

// leavesOut tells whether patterns exclude a folder, and whatever of it others name.
func leavesOut(matcher *patternmatcher.PatternMatcher, dir string) (bool, error) {
	out, err := matcher.MatchesOrParentMatches(dir)
	if err != nil || !out {
		return false, err
	}
	for _, pattern := range matcher.Patterns() {
		below, named := strings.CutPrefix(filepath.ToSlash(pattern.String()), dir+"/")
		if !pattern.Exclusion() || !named {
			continue
		}
		if out, err := matcher.MatchesOrParentMatches(dir + "/" + below); err != nil || !out {
			return false, err
		}
	}
	return true, nil
}
