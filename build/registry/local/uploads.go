package local

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// abandoned is the age from which an upload that was never completed is nobody's any more.
const abandoned = 24 * time.Hour

// discard removes the remains of uploads begun before a time: what pushes leave behind that were interrupted. It stands in for
// the registry's own purger, which is a goroutine that first waits up to an hour. What cannot be read or removed stays.
func discard(dir string, before time.Time) {
	repositories := filepath.Join(dir, "docker", "registry", "v2", "repositories")
	_ = filepath.WalkDir(repositories, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		switch entry.Name() {
		case "_uploads":
			discardIn(path, before)
			return fs.SkipDir
		case "_layers", "_manifests":
			return fs.SkipDir
		}
		return nil
	})
}

func discardIn(uploads string, before time.Time) {
	entries, err := os.ReadDir(uploads)
	if err != nil {
		return
	}
	for _, entry := range entries {
		upload := filepath.Join(uploads, entry.Name())
		if newest(upload).Before(before) {
			_ = os.RemoveAll(upload)
		}
	}
}

// newest is the time of the last write to an upload; a zero one for a folder that cannot be read.
func newest(upload string) time.Time {
	var last time.Time
	_ = filepath.WalkDir(upload, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return nil
	})
	return last
}
