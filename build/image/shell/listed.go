package shell

import (
	"errors"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxListed is how many folders one find is followed into: entrypoints run the scripts of one or two.
const maxListed = 16

// search is what find is asked for: files by type, name and depth.
type search struct {
	starts      []string
	name        string // a pattern; "" is any
	regular     bool   // regular files alone
	links       bool   // what a link leads to counts
	least, most int    // depth
}

// searchOf reads the words of a find; not all can be computed, and of one that cannot be there is where it begins.
func searchOf(args []string) (s search, ok bool) {
	s.most = math.MaxInt
	next := func() (word string) {
		if len(args) > 0 {
			word, args = args[0], args[1:]
		}
		return word
	}
	for len(args) > 0 {
		ok = true
		var err error
		switch word := next(); word {
		case "-L", "-follow":
			s.links = true
		case "-H", "-P", "-print":
		case "-type":
			s.regular, ok = true, next() == "f"
		case "-name":
			s.name = next()
			_, err = path.Match(s.name, "")
			ok = s.name != ""
		case "-mindepth":
			s.least, err = strconv.Atoi(next())
		case "-maxdepth":
			s.most, err = strconv.Atoi(next())
		default:
			if ok = word != "" && !strings.ContainsAny(word[:1], "-!(),"); ok {
				s.starts = append(s.starts, word)
			}
		}
		if !ok || err != nil {
			return s, false
		}
	}
	return s, len(s.starts) > 0
}

// listed is what find prints of folders in the image. What is made while it runs is not there, and nothing of folders that hold nothing.
func (w *walker) listed(args []string) (string, bool) {
	s, ok := searchOf(args)
	if !ok {
		return "", w.hollow(s.starts)
	}
	var lines []string
	for _, start := range s.starts {
		_, _, err := w.image.Resolve(Absolute(w.dir, start))
		if w.failed(err); err == nil && s.least == 0 && !s.regular && s.name == "" {
			lines = append(lines, start)
		}
	}
	items, folders, err := w.tour(w.dir, s.starts, maxListed, s.links, func(i item) bool { return i.depth < s.most })
	w.failed(err)
	if w.spent += LookCost*folders + len(items); folders > maxListed {
		return "", false
	}
	for _, i := range items {
		is, _ := path.Match(s.name, path.Base(i.name))
		if i.depth >= s.least && i.depth <= s.most && (s.name == "" || is) && (!s.regular || i.kind.IsRegular()) {
			lines = append(lines, i.name)
		}
	}
	return strings.Join(append(lines, ""), "\n"), true
}

// hollow tells whether nothing is in any of these folders, or they are not there.
func (w *walker) hollow(starts []string) bool {
	for _, start := range starts {
		_, info, err := w.image.Resolve(Absolute(w.dir, start))
		if w.failed(err); err == nil && !info.IsDir() {
			return false
		}
	}
	items, folders, err := w.tour(w.dir, starts, maxListed, false, func(item) bool { return false })
	w.failed(err)
	w.spent += LookCost*folders + len(items)
	return len(starts) > 0 && len(starts) <= maxListed && len(items) == 0
}

// item is what a tour comes by.
type item struct {
	name  string // behind that of the folder where the tour began
	depth int
	kind  fs.FileMode
}

// tour goes through folders and those below that are to be entered, no more than most of all that there are. Where links count, an item
// is what it leads to.
func (t *Texts) tour(dir string, starts []string, most int, links bool, enter func(item) bool) (items []item, folders int, err error) {
	list := make([]item, len(starts))
	for i, start := range starts {
		list[i].name = start
	}
	for i := 0; i < min(len(list), most); i++ {
		_, entries, err := t.image.Folder(Absolute(dir, list[i].name))
		if err != nil {
			return nil, 0, err
		}
		for _, e := range entries {
			it := item{strings.TrimSuffix(list[i].name, "/") + "/" + e.Name(), list[i].depth + 1, e.Type()}
			if links {
				_, info, err := t.image.Resolve(Absolute(dir, it.name))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return nil, 0, err
				}
				it.kind = info.Mode().Type()
			}
			if it.kind.IsDir() && enter(it) {
				list = append(list, it)
			}
			items = append(items, it)
		}
	}
	return items, len(list), nil
}

// line is read in a loop: every line of its input in turn, in one variable, whose turns may be walked in any order.
func (w *walker) line(words []string) bool {
	names := slices.DeleteFunc(slices.Clone(words[1:]), func(word string) bool { return word == "-r" })
	if len(w.loops) == 0 || len(names) != 1 || strings.HasPrefix(names[0], "-") || w.frame.Input == "" || !Known(w.frame.Input) {
		return false
	}
	var lines []value
	for line := range strings.Lines(w.frame.Input) {
		lines = append(lines, value{strings.TrimSpace(line)})
	}
	if len(lines) > maxValues {
		return false
	}
	w.set(names[0], lines...)
	w.status = maybe // behind the last one
	return true
}
