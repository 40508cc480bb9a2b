package image

import (
	"path"
	"slices"
	"strings"
)

// put takes what a command puts into the image that it has under another name, or makes executable. What only the shell knows is
// left out: it is told of as absent where it is started.
func (w *walker) put(words []string) {
	o, names := letters(words[1:], "mogS")
	base := path.Base(words[0])
	if base == "chmod" {
		for _, name := range names[min(1, len(names)):] {
			if place := absolute(w.dir, name); len(w.files[place]) == 0 {
				w.putAt(place, place)
			}
		}
	}
	if !slices.Contains([]string{"cp", "ln", "mv", "install"}, base) || len(names) < 2 || base == "install" && strings.Contains(o.letters, "d") {
		return
	}
	target := absolute(w.dir, names[len(names)-1])
	at, err := w.resolve(target)
	w.failed(err)
	for _, name := range names[:len(names)-1] {
		places := []string{path.Join(target, path.Base(name))}
		if err != nil || !at.info.IsDir() { // it may become one
			places = append(places, target)
		}
		for _, place := range places {
			from := w.dir
			if base == "ln" && strings.Contains(o.letters, "s") {
				from = path.Dir(place)
			}
			w.putAt(place, absolute(from, name))
		}
	}
}

// putAt keeps where the image has what is put at a place, which may have been put there in turn.
func (w *walker) putAt(place, source string) {
	if !w.known(place+source) || len(w.files) >= maxFiles {
		return
	}
	var all []string
	for _, put := range w.places() {
		from, _ := frame{put: put}.origin(source)
		all = append(all, path.Clean(from))
	}
	w.files[path.Clean(place)] = unique(all, same)
}

// places are the ways in which files may have been put.
func (w *walker) places() []map[string]string {
	n := 1
	for _, sources := range w.files {
		n = max(n, len(sources))
	}
	if n > maxValues {
		n = maxValues
		w.tooMany(w.frame)
	}
	all := make([]map[string]string, n)
	for i := range all {
		all[i] = make(map[string]string, len(w.files))
		for name, sources := range w.files {
			all[i][name] = sources[min(i, len(sources)-1)]
		}
	}
	return all
}

// origin is where the image has what is started under a name, and whether it was put there.
func (f frame) origin(name string) (string, bool) {
	for folder := path.Clean(name); len(folder) > 1; folder = path.Dir(folder) {
		if from := f.put[folder]; from != "" {
			return path.Join(from, strings.TrimPrefix(path.Clean(name), folder)), true
		}
	}
	return name, false
}
