package image

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// put takes what a command puts into the image that it has under another name, or makes executable. What only the shell knows is
// left out: it is told of as absent where it is started.
func (w *walker) put(words []string) {
	base := path.Base(words[0])
	if base != "chmod" && base != "rm" {
		words = folderLast(words)
	}
	o, names := letters(words[1:], "mogS")
	switch {
	case base == "chmod":
		for _, name := range names[min(1, len(names)):] {
			if place := absolute(w.dir, name); len(w.files[place]) == 0 || w.isGone(place) {
				w.putAt(place, place)
			}
		}
	case base == "rm":
		for _, name := range names {
			w.remove(absolute(w.dir, name), strings.ContainsAny(o.letters, "rR"))
		}
	case len(names) < 2:
	case base == "ln":
		w.copies(names, strings.ContainsAny(o.letters, "nT"), strings.Contains(o.letters, "s"), strings.Contains(o.letters, "f"))
	case base == "cp" || base == "mv":
		w.copies(names, strings.Contains(o.letters, "T"), false, !strings.ContainsAny(o.letters, "inu"))
	case base == "install" && !strings.Contains(o.letters, "d"):
		w.copies(names, strings.Contains(o.letters, "T"), false, true)
	}
}

// written takes a file that a redirection makes as put there: by cat from another one, by others from nowhere.
func (w *walker) written(cmd syntax.Command, r *syntax.Redirect) {
	words, outside := []*syntax.Word{r.Word}, w.outside
	if call, ok := cmd.(*syntax.CallExpr); ok && len(call.Args) == 2 && call.Args[0].Lit() == "cat" {
		words = append(words, call.Args[1])
	}
	var ways [][]string
	w.worlds(func(e *expansion) { ways = append(ways, e.fields(words)) })
	if w.outside = outside; len(unique(ways, slices.Equal)) == 1 && len(ways[0]) == len(words) {
		place := absolute(w.dir, ways[0][0])
		w.putAt(place, absolute(w.dir, ways[0][len(words)-1]))
	}
}

// folderLast puts the folder that -t or --target-directory names behind the files.
func folderLast(words []string) []string {
	for i, word := range words {
		folder, ok := strings.CutPrefix(word, "--target-directory=")
		rest := words[i+1:]
		switch {
		case ok:
		case word == "--target-directory" || strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.HasSuffix(word, "t"):
			folder, rest = strings.Join(rest[:min(1, len(rest))], ""), rest[min(1, len(rest)):]
		case strings.HasPrefix(word, "-t"):
			folder = word[len("-t"):]
		default:
			continue
		}
		return append(slices.Concat(words[:i], rest), folder)
	}
	return words
}

// copies puts files in the last of the names: exactly there, or into that folder; as links, whose names count from where they lie;
// and over what is there, or may be not.
func (w *walker) copies(names []string, exactly, links, over bool) {
	target := absolute(w.dir, names[len(names)-1])
	at, err := w.resolve(target)
	w.failed(err)
	for _, name := range names[:len(names)-1] {
		var places []string
		if exactly || err != nil || !at.info.IsDir() || w.isGone(target) { // it may become one
			places = append(places, target)
		}
		if !exactly {
			places = append(places, path.Join(target, path.Base(name)))
		}
		for _, place := range places {
			from := w.dir
			if links {
				from = path.Dir(place)
			}
			if put := func() { w.putAt(place, absolute(from, name)) }; over || w.isGone(place) {
				put()
			} else {
				w.either(func() {}, put)
			}
		}
	}
}

// gone stands for where the image has what the text removed: what is put there takes its place, and until then it is judged still.
const gone = unknown

func (w *walker) remove(place string, folders bool) {
	if _, info, ok := w.itself(place); ok && (folders || !info.IsDir()) && len(w.files) < maxFiles {
		w.files[path.Clean(place)] = []string{gone}
	}
}

func (w *walker) isGone(place string) bool {
	return slices.Equal(w.files[path.Clean(place)], []string{gone})
}

// putAt keeps where the image has what is put at a place, which may have been put there in turn.
func (w *walker) putAt(place, source string) {
	if !known(place+source) || len(w.files) >= maxFiles {
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
		if from := f.put[folder]; from != "" && from != gone {
			return path.Join(from, strings.TrimPrefix(path.Clean(name), folder)), true
		}
	}
	return name, false
}
