package shell

import (
	"path"
	"slices"
)

// Put are files that shells put into the image: where it has, by itself, what is there then under a name.
type Put map[string]string

// Gone tells whether what the image has under a name was removed.
func (p Put) Gone(name string) bool { return p[path.Clean(name)] == gone }

// Changed tells whether something else was put under a name, or what is there was removed or edited.
func (p Put) Changed(name string) bool {
	from := p[name]
	return from != "" && from != name || p[edited+name] != ""
}

// gone stands for where the image has what the text removed: what is put there takes its place, and until then it is judged still.
const gone = Unknown

func (w *walker) remove(place string, folders bool) {
	if _, info, ok := w.itself(place); ok && (folders || !info.IsDir()) {
		w.hold(path.Clean(place), gone)
	}
}

// isLink tells whether something is there that is no folder. What is not there may be one by then.
func (w *walker) isLink(place string) bool {
	_, info, ok := w.itself(place)
	if w.isGone(place) {
		return false
	}
	return len(w.files[path.Clean(place)]) > 0 || ok && !info.IsDir()
}

// isFile tells whether the image has a file there that is no link, and nothing was put in its place.
func (w *walker) isFile(place string) bool {
	_, info, ok := w.itself(place)
	return ok && info.Mode().IsRegular() && len(w.files[path.Clean(place)]) == 0
}

func (w *walker) isGone(place string) bool {
	return slices.Equal(w.files[path.Clean(place)], []string{gone})
}

// manyFiles is the note of a bound that was reached.
const manyFiles = "the image's scripts change so many files that not all was followed"

// hold keeps where the image has all that a file may be.
func (w *walker) hold(name string, sources ...string) {
	if _, there := w.files[name]; !there && len(w.files) >= maxFiles {
		w.note(manyFiles)
		return
	}
	w.files[name] = few(unique(sources, same))
}

// putAt keeps where the image has what is put at a place, which may have been put there in turn. What is not known may take the place of what is
// there.
func (w *walker) putAt(place, source string) {
	if !Known(place) {
		return
	}
	if place = path.Clean(place); !Known(source) {
		if _, _, there := w.itself(place); there {
			w.hold(place, append(slices.Clone(orZero(w.files[place])), written)...)
		} else {
			w.hold(place, written)
		}
		return
	}
	var all []string
	for _, put := range w.places() {
		from, _ := w.Origin(put, source)
		all = append(all, path.Clean(from))
	}
	w.hold(place, all...)
}

// places are the ways in which files may have been put.
func (w *walker) places() []Put {
	n := 1
	for _, sources := range w.files {
		n = max(n, len(sources))
	}
	all := make([]Put, n)
	for i := range all {
		all[i] = make(Put, len(w.files))
		for name, sources := range w.files {
			all[i][name] = sources[min(i, len(sources)-1)]
		}
	}
	return all
}
