package rootfs

import (
	"io/fs"
	"path"
	"strings"
)

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	aufsOwn  = ".wh..wh." // aufs's own bookkeeping, of which only the opaque mark means something
)

// tree is the filesystem while it is put together.
type tree struct{ root *node }

// node is a name. A directory has children; everything else has a file alone.
type node struct {
	file     *file
	children map[string]*node
}

func newTree() *tree {
	return &tree{root: &node{file: &file{mode: fs.ModeDir | 0o755}, children: map[string]*node{}}}
}

// layer applies one layer: first what it takes away from those below, wherever that stands in the layer, then what it adds.
func (t *tree) layer(entries []entry) {
	for _, e := range entries {
		dir, base := path.Split(e.name)
		switch {
		case base == opaque:
			t.empty(path.Clean(dir))
		case strings.HasPrefix(base, aufsOwn):
		case strings.HasPrefix(base, whiteout):
			t.remove(path.Join(dir, base[len(whiteout):]))
		}
	}
	for _, e := range entries {
		if !isMark(e.name) {
			t.add(e)
		}
	}
}

// isMark says whether any part of a name is a whiteout or aufs's own: no container sees such a file.
func isMark(name string) bool {
	return strings.HasPrefix(name, whiteout) || strings.Contains(name, "/"+whiteout)
}

// find looks a name up, following no link: a layer's names are its own, not the way through somebody else's link.
func (t *tree) find(name string) *node {
	n := t.root
	if name == "." {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

func (t *tree) empty(dir string) {
	if n := t.find(dir); n != nil && n.children != nil {
		n.children = map[string]*node{}
	}
}

func (t *tree) remove(name string) {
	parent := t.find(path.Dir(name))
	if parent != nil && name != "." {
		delete(parent.children, path.Base(name))
	}
}

// add puts an entry where its name says. Missing folders are made; a link or a file that stands where a folder has to be
// makes way for one, as an engine that unpacks never writes through it.
func (t *tree) add(e entry) {
	if e.hard {
		target := t.find(e.link)
		if target == nil || target.file.mode.IsDir() {
			return // dangling, or a folder: engines refuse to unpack it, and nothing can be run by it
		}
		e.file = target.file
	}
	if e.name == "." {
		if e.file.mode.IsDir() {
			t.root.file = e.file
		}
		return
	}
	dir := t.root
	parts := strings.Split(e.name, "/")
	for _, part := range parts[:len(parts)-1] {
		dir = dir.folder(part)
	}
	dir.put(parts[len(parts)-1], e.file)
}

// folder is the child of that name, made or made a folder when it is none.
func (n *node) folder(name string) *node {
	child := n.children[name]
	if child == nil || child.children == nil {
		child = &node{file: &file{mode: fs.ModeDir | 0o755}, children: map[string]*node{}}
		n.children[name] = child
	}
	return child
}

// put replaces the child of that name. A folder over a folder keeps what is in it.
func (n *node) put(name string, f *file) {
	if old := n.children[name]; old != nil && old.children != nil && f.mode.IsDir() {
		old.file = f
		return
	}
	child := &node{file: f}
	if f.mode.IsDir() {
		child.children = map[string]*node{}
	}
	n.children[name] = child
}
