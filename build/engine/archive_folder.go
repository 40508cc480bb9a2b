package engine

import (
	"sync"
	"sync/atomic"

	"github.com/manymage/manymage/build/rootfs"
)

// folders are those of an image that were read as a whole, by name. The zero value has none.
type folders struct{ all sync.Map }

// wholeFolder is a folder that somebody has asked for.
type wholeFolder struct {
	once sync.Once
	err  error
	read atomic.Pointer[rootfs.FS] // nil until it is there
}

// get reads a folder, once: who asks for it meanwhile waits.
func (f *folders) get(name string, read func() (*rootfs.FS, error)) (*rootfs.FS, error) {
	kept, _ := f.all.LoadOrStore(name, new(wholeFolder))
	folder := kept.(*wholeFolder)
	folder.once.Do(func() {
		dir, err := read()
		folder.err = err
		folder.read.Store(dir)
	})
	return folder.read.Load(), folder.err
}

// have gives a folder that was read, or nil. It waits for nobody.
func (f *folders) have(name string) *rootfs.FS {
	kept, ok := f.all.Load(name)
	if !ok {
		return nil
	}
	return kept.(*wholeFolder).read.Load()
}
