package shell

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
)

// A folder that is copied or unpacked over another one leaves there what it does not have itself:
//
//	cp -r /a/. /b, rsync -a /a/ /b      /b has what is in /a, and what it had
//	tar -x -C /b, unzip -d /b           each file of /b may be another one

// onto stands behind a folder that was put over one, and before what was there: of several the last one comes first.
const onto = "\x04"

// maxLayers is how many folders may lie upon each other.
const maxLayers = 8

// layer puts a folder over one that stays. What only comes at run time may have any file that is there, or none.
func (w *walker) layer(place, source string) {
	if !Known(place) {
		return
	}
	place = path.Clean(place)
	below := orZero(w.files[place])
	var sources, all []string
	if Known(source) {
		for _, put := range w.places() {
			from, _ := w.Origin(put, source)
			sources = append(sources, from)
		}
	} else {
		sources, all = []string{written}, slices.Clone(below)
	}
	for _, from := range sources {
		for _, old := range below {
			layers := slices.DeleteFunc(strings.Split(old, onto), func(layer string) bool { return layer == from })
			if len(layers) > maxLayers {
				w.note(manyFiles)
			}
			all = append(all, strings.Join(append([]string{from}, layers[max(0, len(layers)-maxLayers):]...), onto))
		}
	}
	w.hold(place, all...)
}

// isFolder tells whether a folder is there that was not removed.
func (w *walker) isFolder(name string) bool {
	for _, put := range w.places() {
		from, _ := w.Origin(put, name)
		_, info, err := w.image.Resolve(from)
		if w.failed(err); err != nil || !info.IsDir() {
			return false
		}
	}
	return !w.isGone(name)
}

// Origin is where the image has what is started under a name, and whether it was put there.
func (t *Texts) Origin(p Put, name string) (string, bool) {
	if len(p) == 0 {
		return name, false
	}
	name = path.Clean(name)
	for folder := name; len(folder) > 1; folder = path.Dir(folder) {
		for rest := p[folder]; rest != ""; {
			from, below, over := strings.Cut(rest, onto)
			place := path.Join(from, strings.TrimPrefix(name, folder))
			if rest = below; from != gone && from != "" && (!over || t.has(from, place, name)) {
				return place, true
			}
		}
	}
	return name, false
}

// has tells whether a folder that was put over another one has a file itself. One that only comes at run time may have any that was there.
func (t *Texts) has(folder, place, name string) bool {
	if folder == written {
		place = name
	}
	_, _, err := t.image.Resolve(place)
	return !errors.Is(err, fs.ErrNotExist)
}

// synced copies as rsync does, which means what is in a folder by a slash behind its name, and takes files of other machines.
func (w *walker) synced(words []string) {
	_, names := options.Permuted(words, "-e", "--rsh", "-f", "--filter", "--exclude", "--include", "--exclude-from", "--include-from", "--files-from", "--chown", "--chmod", "-T", "--temp-dir",
		"--rsync-path", "--password-file", "--port", "--timeout", "--bwlimit", "--log-file", "--out-format", "--max-size", "--min-size", "--backup-dir", "--link-dest", "--copy-dest", "--compare-dest")
	if len(names) < 2 {
		return
	}
	for i, name := range names[:len(names)-1] {
		if strings.HasSuffix(name, "/") {
			name += "."
		}
		if host, _, remote := strings.Cut(name, ":"); remote && !strings.Contains(host, "/") {
			name = Unknown + "/" + path.Base(name)
		}
		names[i] = name
	}
	w.copies(names, false, false, true)
}

// unpack takes an archive as one of an application's files. In a folder of PATH it makes one program more, and leaves the others.
func (w *walker) unpack(words []string) {
	folder, is := unpacked(words)
	if folder = Absolute(w.dir, folder); is && w.isFolder(folder) && !slices.Contains(w.path(), folder) {
		w.layer(folder, Unknown)
	}
}

// unpacked is the folder into which a command unpacks an archive.
func unpacked(words []string) (folder string, is bool) {
	if path.Base(words[0]) == "unzip" {
		o, _ := options.Permuted(words[1:], "-d", "-x", "-P")
		return last(".", o.Values("-d")), !o.Has("-l", "-v", "-t", "-p", "-c", "-z", "-Z")
	}
	args := slices.Clone(words[1:])
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") { // tar xf, as of old
		args[0] = "-" + args[0]
	}
	o, _ := options.Permuted(args, "-f", "--file", "-C", "--directory", "-I", "--use-compress-program", "-X", "--exclude-from", "--exclude", "-T", "--files-from", "--transform", "--strip-components", "--owner", "--group", "--mode")
	return last(".", o.Values("-C", "--directory")), o.Has("-x", "--extract", "--get") && !o.Has("-O", "--to-stdout")
}

// last is the last of some values, or another one where there is none.
func last(none string, list []string) string { return append([]string{none}, list...)[len(list)] }
