package shell

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
)

// put takes what a command puts into the image that it has under another name, or makes executable. Where only the shell knows the place it is
// left out.
func (w *walker) put(words []string) {
	base := path.Base(words[0])
	o, names := options.Permuted(words[1:], "-m", "--mode", "-o", "--owner", "-g", "--group", "-S", "--suffix", "-t", "--target-directory")
	names = append(names, o.Values("-t", "--target-directory")...)
	exactly := o.Has("-T", "--no-target-directory")
	switch {
	case base == "chmod":
		for _, name := range names[min(1, len(names)):] {
			if place := Absolute(w.dir, name); len(w.files[place]) == 0 || w.isGone(place) {
				w.putAt(place, place)
			}
		}
	case base == "tee":
		for _, name := range names {
			w.fill(Absolute(w.dir, name), o.Has("-a", "--append"), []value{{cmp.Or(w.frame.Input, Unknown)}})
		}
	case base == "curl" || base == "dd" || base == "wget":
		for _, name := range brought(words) {
			w.putAt(Absolute(w.dir, name), Unknown)
		}
	case base == "crontab":
		w.schedule(words[1:])
	case base == "rsync":
		w.synced(words[1:])
	case base == "tar" || base == "bsdtar" || base == "unzip":
		w.unpack(words)
	case base == "sed" && o.Has("-i", "--in-place"):
		w.edit(names)
	case base == "a2dismod":
		for _, name := range names {
			w.remove("/etc/apache2/mods-enabled/"+name+".load", false)
		}
	case base == "phpdismod":
		for _, name := range names {
			loads, err := w.Glob("/etc/php/*/*/conf.d/*-" + name + ".ini")
			for w.failed(err); len(loads) > 0; loads = loads[1:] {
				w.remove(loads[0], false)
			}
		}
	case base == "rm":
		for _, name := range names {
			w.remove(Absolute(w.dir, name), o.Has("-r", "-R", "--recursive"))
		}
	case len(names) < 2:
	case base == "ln":
		w.copies(names, exactly || o.Has("-n", "--no-dereference") && w.isLink(Absolute(w.dir, names[len(names)-1])), o.Has("-s", "--symbolic"), o.Has("-f", "--force"))
	case base == "cp" || base == "mv":
		w.copies(names, exactly, false, !o.Has("-i", "--interactive", "-n", "--no-clobber", "-u", "--update"))
		if base == "mv" {
			for _, name := range names[:len(names)-1] {
				w.remove(Absolute(w.dir, name), true)
			}
		}
	case base == "install" && !o.Has("-d", "--directory"):
		w.copies(names, exactly, false, true)
	}
}

// schedule takes the list of jobs that crontab is given as root's, whoever's it is.
func (w *walker) schedule(words []string) {
	const place = "/var/spool/cron/crontabs/root"
	switch _, names := options.Permuted(words, "-u"); {
	case len(names) == 0:
	case names[0] == "-":
		w.fill(place, false, []value{{cmp.Or(w.frame.Input, Unknown)}})
	default:
		w.putAt(place, Absolute(w.dir, names[0]))
	}
}

// brought are the files that a command makes of what is elsewhere.
func brought(words []string) (names []string) {
	switch path.Base(words[0]) {
	case "curl":
		o, _ := options.Permuted(words[1:], "-o", "--output")
		names = o.Values("-o", "--output")
	case "wget":
		o, _ := options.Permuted(words[1:], "-O", "--output-document")
		names = o.Values("-O", "--output-document")
	case "dd":
		for _, word := range words[1:] {
			if name, ok := strings.CutPrefix(word, "of="); ok {
				names = append(names, name)
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "-" || name == "" })
}

// copies puts files in the last of the names: exactly there, or into that folder; as links, whose names count from where they lie;
// and over what is there, or may be not.
func (w *walker) copies(names []string, exactly, links, over bool) {
	target := Absolute(w.dir, names[len(names)-1])
	into := w.isFolder(target)
	for _, name := range names[:len(names)-1] {
		var places []string
		if exactly || !into { // it may become one
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
			source := Absolute(from, name)
			put := func() { w.putAt(place, source) }
			if !links && w.isFolder(place) && (!Known(source) || w.isFolder(source)) {
				put = func() { w.layer(place, source) }
			}
			if _, _, there := w.itself(place); over || w.isGone(place) || !there && len(w.files[place]) == 0 {
				put()
			} else {
				w.either(func() {}, put)
			}
		}
	}
}

// edited stands before the name of a file that the text changes in a way that is not followed.
const edited = "\x02"

// edit keeps which of some names, among which the words of an editor may be, are those of files that are changed.
func (w *walker) edit(names []string) {
	for _, name := range names {
		place := path.Clean(Absolute(w.dir, name))
		if _, _, there := w.itself(place); there || len(w.files[place]) > 0 {
			w.hold(edited+place, edited)
		}
	}
}
