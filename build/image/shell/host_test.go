package shell_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/shell"
)

// The language of these tests: an image is a map of files without links, and what a text does is a line of what it starts.

// files are those of an image, by their names with a slash. What begins with "broken" cannot be read.
type files map[string]string

func (f files) fs() fstest.MapFS {
	root := fstest.MapFS{}
	for name, data := range f {
		root[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
	}
	return root
}

func key(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (f files) Resolve(name string) (string, fs.FileInfo, error) {
	if !shell.Known(name) {
		return "", nil, fs.ErrNotExist
	}
	info, err := f.Lstat(path.Clean(name))
	return path.Clean(name), info, err
}

func (f files) Lstat(name string) (fs.FileInfo, error) {
	if strings.HasPrefix(path.Base(name), "broken") {
		return nil, fmt.Errorf("%s cannot be read", name)
	}
	if key(name) == "" {
		return fs.Stat(f.fs(), ".")
	}
	return fs.Stat(f.fs(), key(name))
}

func (f files) ReadLink(name string) (string, error) { return "", fmt.Errorf("%s is no link", name) }

func (f files) Folder(name string) (string, []fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.fs(), cmp.Or(key(name), "."))
	if err != nil {
		return "", nil, nil
	}
	return name, entries, nil
}

func (f files) Text(name string, _, _ int64) (string, error) { return f[name], nil }

// host writes down what it is told. All programs are there but "dpkg", and those in folders of a machine's name are for that one.
type host struct {
	started, notes []string
	words          [][]string // of each run
	frames         []shell.Frame
	err            error // of every run
}

func (h *host) Run(words []string, f shell.Frame) error {
	line := strings.Join(words, " ")
	for _, hidden := range []string{"\x00\x01", "\x00\x03", shell.Unknown} {
		line = strings.ReplaceAll(line, hidden, "...")
	}
	if f.Soft {
		line += " ?"
	}
	h.started, h.words, h.frames = append(h.started, line), append(h.words, words), append(h.frames, f)
	return h.err
}

func (h *host) Try(words []string, own string, _ shell.Frame) {
	h.started = append(h.started, strings.Join(words, " ")+" or "+own)
}

func (h *host) Find(word string, f shell.Frame) (string, bool, error) {
	switch {
	case word == "dpkg":
		return "", true, nil
	case strings.Contains(word, "/"):
		return shell.Absolute(f.Dir, word), true, nil
	}
	return "/bin/" + word, true, nil
}

func (h *host) Machine(name string) (own, other bool, err error) {
	return strings.Contains(name, "arm64"), strings.Contains(name, "amd64"), nil
}

func (h *host) Innermost(words []string) []string {
	if len(words) > 1 && words[0] == "nice" {
		return words[1:]
	}
	return words
}

func (h *host) Note(text string) { h.notes = append(h.notes, text) }

// only drops what every text may start and nobody asks for here.
func (h *host) only() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(h.started), func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return slices.Contains([]string{"uname", "cat", "cp", "ln", "mv", "rm", "chmod", "find", "grep", "tee", "date"}, word)
	}), "; ")
}

var arm64 = ocispec.Platform{OS: "linux", Architecture: "arm64"}

// followed follows a text in an image that sets HOME; its arguments are "x" and "y z".
func followed(text string, image files) (*host, error) {
	h := &host{}
	texts := shell.New(image, map[string]string{"HOME": "/root"}, arm64)
	err := texts.Follow(text, []string{"/run", "x", "y z"}, shell.Frame{Dir: "/app", Path: []string{"/bin"}, Tongue: "bash"}, h)
	return h, err
}
