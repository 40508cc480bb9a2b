package shell

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/platforms"
)

// says is what a command prints and whether it succeeds, where that follows from the image and its platform alone.
func (w *walker) says(words []string) (text string, status answer, ok bool) {
	switch words[0] {
	case "test":
		return "", w.bracket(words[1:]), true
	case "[":
		return "", w.bracket(words[1:max(1, len(words)-1)]), true
	}
	if !Known(strings.Join(words, "")) {
		return "", maybe, false
	}
	args := words[1:]
	if w.frame.Input == "" && slices.Contains([]string{"sed", "tr", "cat", "tee"}, path.Base(words[0])) {
		w.outside++ // who starts the text may feed it
	}
	switch path.Base(words[0]) {
	case "true", ":":
		return "", yes, true
	case "umask", "shopt":
		return ":\n", yes, len(args) > 0 && args[0] == "-p" // a command that gives it back what it has now
	case "false":
		return "", no, true
	case "echo":
		return echoed(args)
	case "printf":
		return formatted(args)
	case "grep", "egrep", "fgrep":
		return w.grepped(words)
	case "sed":
		text, ok = w.edited(args)
	case "tr":
		text, ok = w.translated(args)
	case "find":
		text, ok = w.listed(args)
	case "sort":
		_, files := options.Permuted(args, "-k", "-t")
		text, ok = w.frame.Input, len(files) == 0 && Known(w.frame.Input)
	case "tee":
		text, ok = w.frame.Input, Known(w.frame.Input)
	case "cat":
		text, ok = w.frame.Input, len(args) == 0 && Known(w.frame.Input)
	case "command", "which", "type":
		at, is := w.lookUp(strings.Join(args[max(0, len(args)-1):], ""))
		if is == no && w.made { // it may have come
			is = maybe
		}
		return strings.TrimPrefix(at+"\n", "\n"), is, is == no || at != ""
	default:
		text, ok = w.asked(path.Base(words[0]), args)
		text += "\n"
	}
	if !ok {
		return "", maybe, false
	}
	return text, yes, true
}

// asks is what a test answers, whatever the words.
func (w *walker) asks(ways [][]string) {
	var all []answer
	w.tells = false
	for _, words := range ways {
		w.answer(words)
		all = append(all, w.status)
	}
	w.status = w.agreed(all)
}

// lookUp finds a command, and tells whether the shell or the image has one: nobody installs what tells of the machine on the way.
func (w *walker) lookUp(name string) (at string, is answer) {
	if w.functions[name] != nil || isBuiltin(name) {
		return "", yes
	}
	f := w.frame
	f.Path, f.Dir = w.path(), w.dir
	for _, f.Put = range w.places() {
		at, sure, err := w.host.Find(name, f)
		w.failed(err)
		switch {
		case at != "":
			return at, yes
		case !sure:
			return "", maybe
		}
	}
	return w.applet(name)
}

// applet finds a command that busybox's shell has in itself, whether or not a link in the image has its name.
func (w *walker) applet(name string) (at string, is answer) {
	if !slices.Contains([]string{"arch", "basename", "cat", "cut", "dirname", "egrep", "expr", "fgrep", "grep", "head", "readlink", "realpath", "sed", "tail", "tee", "tr",
		"uname", "which"}, name) {
		return "", no
	}
	const shell = "/bin/sh"
	real, _, err := w.image.Resolve(shell)
	w.failed(err)
	if err != nil || !IsBox(real) && path.Base(real) != "sh" {
		return "", no
	}
	return shell, yes
}

// failed keeps a failure to read, which ends the walk.
func (w *walker) failed(err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		w.err = errors.Join(w.err, err)
	}
}

func echoed(args []string) (string, answer, bool) {
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		end, args = "", args[1:]
	}
	text := strings.Join(args, " ")
	return text + end, yes, !strings.HasPrefix(text, "-") && !strings.Contains(text, `\`)
}

// formatted is what printf prints, of formats without widths.
func formatted(args []string) (string, answer, bool) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "%") && strings.ContainsAny(args[0], "0123456789*") {
		return "", maybe, false
	}
	text, used, err := expand.Format(&expand.Config{}, args[0], args[1:])
	return text, yes, err == nil && used == len(args)-1
}

// asked is what a program answers that is asked about a file, or about the machine.
func (w *walker) asked(name string, args []string) (string, bool) {
	last := ""
	if len(args) > 0 {
		last = args[len(args)-1]
	}
	switch name {
	case "pwd":
		w.outside++
		return w.dir, true
	case "dirname":
		return path.Dir(last), last != ""
	case "basename":
		return path.Base(last), len(args) == 1
	case "readlink", "realpath":
		place := Absolute(w.dir, last)
		if o, _ := options.Permuted(args); name == "readlink" && !o.Has("-f", "-e", "-m", "--canonicalize", "--canonicalize-existing", "--canonicalize-missing") {
			return w.pointed(place)
		}
		real, _, err := w.image.Resolve(place)
		w.failed(err)
		return real, err == nil && last != "" && w.dir != Unknown
	case "uname":
		return w.uname(strings.Join(args, ""))
	case "arch":
		return platforms.Uname(w.declared), len(args) == 0
	case "dpkg":
		return platforms.Debian(w.declared), last == "--print-architecture"
	case "apk":
		return alpine(w.declared), last == "--print-arch"
	case "getconf":
		return Bits(w.declared), last == "LONG_BIT"
	}
	return "", false
}

// pointed is what a symbolic link holds.
func (w *walker) pointed(name string) (string, bool) {
	place, info, ok := w.itself(name)
	if !ok || info.Mode()&fs.ModeSymlink == 0 {
		return "", false
	}
	text, err := w.image.ReadLink(place)
	w.failed(err)
	return text, err == nil
}

// itself is what the image has under a name, and not what a link there leads to.
func (w *walker) itself(name string) (place string, info fs.FileInfo, ok bool) {
	folder, _, err := w.image.Resolve(path.Dir(name))
	if w.failed(err); err != nil || !Known(name) {
		return "", nil, false
	}
	place = path.Join(folder, path.Base(name))
	info, err = w.image.Lstat(place)
	w.failed(err)
	return place, info, err == nil
}
