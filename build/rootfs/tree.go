package rootfs

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	aufsOwn  = ".wh..wh." // aufs's own bookkeeping, of which only the opaque mark means something
)

// tree is the filesystem while it is put together.
type tree struct {
	root  *node
	layer int     // the one that is being added
	made  *budget // of folders that no entry is of: names may be deep, and each part of them costs as much as a file
}

// node is a name. A directory has children; everything else has a file alone.
type node struct {
	file     *file
	children map[string]*node
	layer    int // that it came with
}

func newTree(left *budget) *tree {
	return &tree{made: left, root: &node{file: &file{mode: fs.ModeDir | 0o755}, children: map[string]*node{}}}
}

// addLayer applies one layer: first what it takes away from those below, wherever that stands in the layer, then what it adds.
func (t *tree) addLayer(entries []entry) error {
	t.layer++
	for _, e := range entries {
		dir, base := path.Split(e.name)
		gone := strings.TrimPrefix(base, whiteout)
		switch {
		case base == opaque:
			t.empty(path.Clean(dir))
		case gone == base, strings.HasPrefix(base, aufsOwn), gone == "", gone == ".", gone == "..":
		default:
			t.remove(dir + gone)
		}
	}
	for _, e := range entries {
		if isMark(e.name) {
			continue
		}
		if err := t.add(e); err != nil {
			return err
		}
	}
	return nil
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

// add puts an entry where its name says. Missing folders are made. A hard link to nothing is left out: engines refuse to
// unpack it, and whoever looks for it finds it missing.
func (t *tree) add(e entry) error {
	if e.hard {
		target := t.target(e.link)
		if target == nil || target.children != nil {
			return nil
		}
		e.file = target.file
	}
	if e.name == "." {
		if e.file.mode.IsDir() {
			t.root.file = e.file
		}
		return nil
	}
	parent, err := t.folder(path.Dir(e.name))
	if err == nil {
		parent.put(path.Base(e.name), e.file, t.layer)
	}
	return err
}

func (t *tree) target(name string) *node {
	if n := t.find(name); n != nil {
		return n
	}
	n, _ := (&FS{root: t.root}).resolve(name, false)
	return n
}

// folder finds or makes a folder. A link of the same layer is followed, as an engine follows it that unpacks the layer into an
// empty folder; a link or a file of a layer below is not there then, and a folder takes its place in the overlay.
func (t *tree) folder(name string) (*node, error) {
	way := []*node{t.root}
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		here, part := way[len(way)-1], todo[0]
		todo = todo[1:]
		if part == ".." {
			way = way[:max(1, len(way)-1)]
		}
		if part == "" || part == "." || part == ".." {
			continue
		}
		next := here.children[part]
		if next != nil && next.file.mode&fs.ModeSymlink != 0 && next.layer == t.layer && links < maxLinks {
			links++
			if strings.HasPrefix(next.file.link, "/") {
				way = way[:1]
			}
			todo = slices.Concat(strings.Split(next.file.link, "/"), todo)
			continue
		}
		child, err := t.subfolder(here, part)
		if err != nil {
			return nil, err
		}
		way = append(way, child)
	}
	return way[len(way)-1], nil
}

// subfolder is the child of that name, made or made a folder when it is none.
func (t *tree) subfolder(parent *node, name string) (*node, error) {
	child := parent.children[name]
	if child != nil && child.children != nil {
		return child, nil
	}
	if err := t.made.entry(); err != nil {
		return nil, err
	}
	child = &node{file: &file{mode: fs.ModeDir | 0o755}, children: map[string]*node{}, layer: t.layer}
	parent.children[name] = child
	return child, nil
}

// put replaces the child of that name. A folder over a folder keeps what is in it.
func (n *node) put(name string, f *file, layer int) {
	child := &node{file: f, layer: layer}
	if f.mode.IsDir() {
		child.children = map[string]*node{}
		if old := n.children[name]; old != nil && old.children != nil {
			child.children = old.children
		}
	}
	n.children[name] = child
}
