package engine

import (
	"github.com/tonistiigi/fsutil"
)

// files is the context directory without what its ignore file excludes, as
// both roads send it (fsutil.WriteTar makes a tar of it). The Dockerfile and
// the ignore file are in it unless they are excluded.
func (c Context) files() (fsutil.FS, error) {
	return nil, ErrUnsupported
}
