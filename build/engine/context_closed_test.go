package engine

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
)

// shut has a folder that nobody may list.
type shut struct {
	fsutil.FS
	dir string
}

func (s shut) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	return s.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if strings.HasPrefix(path, s.dir+"/") {
			return nil
		}
		if err := visit(path, entry, err); err != nil || path != s.dir {
			return err
		}
		return visit(path, entry, &fs.PathError{Op: "open", Path: "/x/" + path, Err: fs.ErrPermission})
	})
}

// What an ignore file wants of a folder that cannot be read ends the run, with a line that helps: each row tells how it does with that line, too.
func TestFoldersThatCannotBeListed(t *testing.T) {
	const refused = "error in the context: open /x/sec: permission denied; make it readable, or write sec as the last line of .dockerignore"
	for patterns, want := range map[string]string{
		"":                   refused,
		"sec/**":             refused,
		"sec/*":              refused,
		"sec !sec/k":         refused,
		"sec !sec/*.k":       refused,
		"sec/** !sec/k":      refused,
		"sec !sec/k sec/j":   refused,
		"sec":                "d",
		"sec !d":             "d",
		"sec !**/k":          "d",
		"sec !secret/k":      "d",
		"sec !sec/k sec/k":   "d",
		"sec !sec/k !x sec/": "d",
		"* !d":               "d",
		"* !sec/k !d":        refused,
	} {
		for _, cure := range []bool{false, true} {
			list := strings.Fields(patterns)
			if cure {
				list, want = append(list, "sec"), "d"
			}
			all, err := fsutil.NewFS(folder(t, "d=1", "sec/k=2", "sec/j=3"))
			if err != nil {
				t.Fatal(err)
			}
			files, err := without(shut{all, "sec"}, nil, list)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			err = files.Walk(t.Context(), "/", func(path string, _ fs.DirEntry, err error) error {
				names = append(names, path)
				return err
			})
			got := strings.Join(slices.DeleteFunc(names, func(name string) bool { return name == "sec" }), " ")
			if err != nil {
				got = strings.Replace(err.Error(), ErrContext.Error(), "error in the context", 1)
			}
			if got != want || err != nil && !errors.Is(err, ErrContext) {
				t.Errorf("%q: %s, want %s", list, got, want)
			}
		}
	}
}
