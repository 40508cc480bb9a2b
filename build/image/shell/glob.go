package shell

import (
	"errors"
	"io/fs"
	"path"
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
