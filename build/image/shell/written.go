package shell

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxTexts bounds those that one file may have been given. Of more of them none is known.
const maxTexts = 4

// written stands, with the hash of a text behind it, for where the image has what a shell writes into a file. Of a text that only comes at
// run time there is no hash.
const written = "/\x02"

// write takes a file that a redirection makes as put there: by cat from another one, by others as the text that they print.
func (w *walker) write(cmd syntax.Command, r *syntax.Redirect, printed []value) {
	words, outside := []*syntax.Word{r.Word}, w.outside
	if call, ok := cmd.(*syntax.CallExpr); ok && len(call.Args) == 2 && call.Args[0].Lit() == "cat" {
		words = append(words, call.Args[1])
	}
	var ways [][]string
	w.worlds(func(e *expansion) { ways = append(ways, e.fields(words)) })
	if w.outside = outside; len(unique(ways, slices.Equal)) != 1 || len(ways[0]) != len(words) {
		return
	}
	switch place := Absolute(w.dir, ways[0][0]); {
	case len(words) > 1 && !adds(r):
		w.putAt(place, Absolute(w.dir, ways[0][1]))
	case away(r):
		w.fill(place, adds(r), printed)
	default:
		w.fill(place, adds(r), []value{{Unknown}})
	}
}

// fill gives a file the texts that something writes into it, behind what it holds where they are added.
func (w *walker) fill(place string, add bool, given []value) {
	before := []string{""}
	if add {
		before = w.texts(place)
	}
	var sources []string
	for _, text := range before {
		for _, v := range given {
			sources = append(sources, w.keep(text+v[0]))
		}
	}
	if Known(place) {
		w.hold(place, sources...)
	}
}

// adds tells whether a redirection leaves in the file what is there.
func adds(r *syntax.Redirect) bool { return r.Op == syntax.AppOut || r.Op == syntax.AppAll }

// keep remembers a text, and is where the image has it from here on.
func (w *walker) keep(text string) string {
	if w.often || text == Unknown || len(text) > MaxText || !w.afford(len(text)) {
		return written
	}
	place := fmt.Sprintf("%s%x", written, sha256.Sum256([]byte(text)))
	w.written[place] = text
	return place
}

// few drops texts of which there are too many, and then files.
func few(sources []string) []string {
	if len(sources) <= maxTexts {
		return sources
	}
	out := slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return strings.HasPrefix(s, written) })
	if len(out) < len(sources) || len(out) > maxValues {
		out = append(out[:min(len(out), maxValues-1)], written)
	}
	return out
}

// texts are those that a file may hold, "" where there is none.
func (w *walker) texts(place string) (all []string) {
	for _, c := range w.contents(place) {
		all = append(all, c.text)
	}
	return unique(all, same)
}

// content is what a file may hold.
type content struct {
	name, text string
	there, cut bool // it is there; there is more of it
}

// contents are all that a file may hold, by what was put or written there.
func (w *walker) contents(name string) (all []content) {
	for _, put := range w.places() {
		from, _ := w.Origin(put, name)
		if text, ok := w.Written(from); ok {
			all = append(all, content{name: name, text: text, there: true})
			continue
		}
		real, info, err := w.image.Resolve(from)
		c := content{name: name, there: err == nil && info.Mode().IsRegular()}
		if c.there {
			c.cut = info.Size() > MaxText
			c.text, err = w.image.Text(real, info.Size(), MaxText)
		}
		w.failed(err)
		all = append(all, c)
	}
	return unique(all, same)
}
