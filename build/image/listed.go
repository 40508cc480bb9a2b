package image

import (
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

// searchOf reads the words of a find; not all can be computed.
func searchOf(args []string) (s search, ok bool) {
	s.most = maxDepth
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
			s.starts = append(s.starts, word)
			ok = word != "" && !strings.ContainsAny(word[:1], "-!(),")
		}
		if !ok || err != nil {
			return s, false
		}
	}
	return s, len(s.starts) > 0
}

// listed is what find prints of folders in the image. What is made while it runs is not there.
func (w *walker) listed(args []string) (string, bool) {
	s, ok := searchOf(args)
	if !ok {
		return "", false
	}
	type folder struct {
		name  string
		depth int
	}
	var lines []string
	var folders []folder
	for _, start := range s.starts {
		folders = append(folders, folder{start, 0})
		if s.least == 0 && !s.regular && s.name == "" {
			lines = append(lines, start)
		}
	}
	for i := 0; i < len(folders); i++ {
		if i == maxListed {
			return "", false
		}
		_, entries, err := w.checker.folder(absolute(w.dir, folders[i].name))
		w.failed(err)
		w.spent += lookCost + len(entries)
		for _, e := range entries {
			name, depth := strings.TrimSuffix(folders[i].name, "/")+"/"+e.Name(), folders[i].depth+1
			kind := e.Type()
			if s.links {
				at, err := w.resolve(absolute(w.dir, name))
				if w.failed(err); err != nil {
					continue
				}
				kind = at.info.Mode().Type()
			}
			if kind.IsDir() && depth < s.most {
				folders = append(folders, folder{name, depth})
			}
			is, _ := path.Match(s.name, e.Name())
			if depth >= s.least && depth <= s.most && (s.name == "" || is) && (!s.regular || kind.IsRegular()) {
				lines = append(lines, name)
			}
		}
	}
	return strings.Join(append(lines, ""), "\n"), true
}

// line is read in a loop: every line of its input in turn, in one variable, whose turns may be walked in any order.
func (w *walker) line(words []string) bool {
	names := slices.DeleteFunc(slices.Clone(words[1:]), func(word string) bool { return word == "-r" })
	if len(w.loops) == 0 || len(names) != 1 || strings.HasPrefix(names[0], "-") || w.frame.input == "" || !known(w.frame.input) {
		return false
	}
	var lines []value
	for line := range strings.Lines(w.frame.input) {
		lines = append(lines, value{strings.TrimSpace(line)})
	}
	if len(lines) > maxValues {
		return false
	}
	w.set(names[0], lines...)
	w.status = maybe // behind the last one
	return true
}
