package shell

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/pattern"
)

// Glob lists what is there by the names that an absolute pattern stands for, in their order.
func (t *Texts) Glob(glob string) ([]string, error) {
	names := []string{"/"}
	for part := range strings.SplitSeq(strings.Trim(glob, "/"), "/") {
		var next []string
		for _, folder := range names {
			list, err := t.entries(folder, part)
			if err != nil {
				return nil, err
			}
			if next = append(next, list...); len(next) > MaxWords { // more than anybody takes
				return next, nil
			}
		}
		names = next
	}
	return names, nil
}

// Names lists what Glob does, with what shells have put there: a file, or a folder that has one. What lies in a folder that another one
// has taken the place of is gone.
func (t *Texts) Names(p Put, glob string) ([]string, error) {
	names, err := t.Glob(glob)
	if err != nil || len(names) > MaxWords {
		return names, err
	}
	names = slices.Clone(names)
	parts := strings.Split(glob, "/")
	for _, place := range slices.Sorted(maps.Keys(p)) {
		depth := min(strings.Count(place, "/")+1, len(parts))
		if is, _ := path.Match(strings.Join(parts[:depth], "/"), place); !is {
			continue
		}
		rest := path.Join(parts[depth:]...)
		if !pattern.HasMeta(rest, 0) {
			names = append(names, path.Join(place, rest))
			continue
		}
		for layer := range strings.SplitSeq(p[place], onto) {
			more, failed := t.Glob(path.Join(pattern.QuoteMeta(layer, 0), rest))
			err = errors.Join(err, failed)
			for _, name := range more {
				names = append(names, place+strings.TrimPrefix(name, path.Clean(layer)))
			}
		}
	}
	var held []string
	for _, name := range unique(names, same) {
		is, failed := t.holds(p, name)
		if err = errors.Join(err, failed); is {
			held = append(held, name)
		}
	}
	return held, err
}

// holds tells whether a file is there that was not removed, or a text was written there.
func (t *Texts) holds(p Put, name string) (bool, error) {
	from, _ := t.Origin(p, name)
	if _, is := t.Written(from); is {
		return true, nil
	}
	_, _, err := t.image.Resolve(from)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && !p.Gone(name), err
}

// entries lists what is there in a folder by a pattern. Hidden names are only matched by a dot.
func (t *Texts) entries(folder, glob string) (names []string, err error) {
	t.spent += LookCost
	if !pattern.HasMeta(glob, 0) {
		name := path.Join(folder, unescape(glob, false))
		switch _, _, err := t.image.Resolve(name); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return []string{name}, nil
	}
	_, entries, err := t.image.Folder(folder)
	t.spent += len(entries)
	for _, e := range entries {
		is, _ := path.Match(strings.ReplaceAll(glob, "[!", "[^"), e.Name())
		if is && strings.HasPrefix(e.Name(), ".") == strings.HasPrefix(glob, ".") {
			names = append(names, path.Join(folder, e.Name()))
		}
	}
	return names, err
}
