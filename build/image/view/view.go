// Package view is an image as a command that is started in it sees it: its files, with those that shells on the way have put there, its
// environment, and its user. What follows commands and what looks at what they load share it.
package view

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// Bounds on what is read of the files that installers left, in bytes: npm's list of 10000 packages has 5 MB, all of a large image together
// have 30 MB, with what is read several times.
const (
	maxEvidence    = 16 << 20
	maxAllEvidence = 64 << 20
)

// View is one image. All of its exported fields are needed. It bears as many goroutines as its Note does; what texts have written is only read.
type View struct {
	Tree     *tree.Tree
	Texts    *shell.Texts
	Declared ocispec.Platform
	Env      map[string]string // of the image's config
	User     string            // ... as it has him: "app:app", "" for root
	Note     func(text string) // keeps one sentence for people

	evidence atomic.Int64 // bytes of it that were read
}

// Platform is what the image is declared for: linux/arm64.
func (v *View) Platform() string { return platforms.Format(v.Declared) }

// Values are those that a variable of the environment may have for a command, with what only the running system knows of them as
// unknown.
func (v *View) Values(name string, f shell.Frame) (list []string) {
	image, there := v.Env[name]
	list, set := f.Variable(name, image)
	if !set && there {
		return []string{image}
	}
	return list
}

// FoldersIn are those of the list that a variable of the environment may hold.
func (v *View) FoldersIn(name string, f shell.Frame) (list []string) {
	for _, value := range v.Values(name, f) {
		for dir := range strings.SplitSeq(value, ":") {
			if dir != "" {
				list = append(list, shell.Absolute(f.Dir, dir))
			}
		}
	}
	return list
}

// There are the folders of a list that are there, links resolved, each once.
func (v *View) There(names []string) (folders []string, err error) {
	for _, name := range names {
		if !shell.Known(name) {
			continue
		}
		at, err := v.Tree.At(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!at.Info.IsDir() || slices.Contains(folders, at.Real)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		folders = append(folders, at.Real)
	}
	return folders, nil
}

// Evidence reads what an installer left, "" where there is nothing.
func (v *View) Evidence(name string) (string, error) {
	at, ok, err := v.Tree.Regular(name)
	if err != nil || !ok {
		return "", err
	}
	most := min(at.Info.Size(), maxEvidence)
	if most < at.Info.Size() {
		v.Note(shell.Show(at.Real) + " is so long that not all of it was read")
	}
	if v.evidence.Add(most); v.Exhausted() {
		v.Note("the image tells so much of its packages that not all of it was read")
		return "", nil
	}
	return v.Tree.Begin(at.Real, at.Info.Size(), most)
}

// Exhausted tells whether so much was read that no more evidence is.
func (v *View) Exhausted() bool { return v.evidence.Load() > maxAllEvidence }

// Script reads a text that tells what is started.
func (v *View) Script(at tree.Found) (string, error) {
	if at.Info.Size() > shell.MaxText {
		v.Note(fmt.Sprintf("%s was followed only in part: it is longer than %d KiB", shell.Show(at.Name), shell.MaxText>>10))
	}
	return v.Tree.Text(at.Real, at.Info.Size(), shell.MaxText)
}

// Homes are the folders that the user may have: HOME's, or what the image says of its user.
func (v *View) Homes(f shell.Frame) []string {
	if list := v.Values("HOME", f); len(list) > 0 {
		return list
	}
	switch user, _, _ := strings.Cut(v.User, ":"); user {
	case "", "0", "root":
		return []string{"/root"}
	default:
		return []string{"/home/" + user}
	}
}

// Held is a file as a command has it: where the image has it, or the text that a shell on the way wrote there.
func (v *View) Held(name string, f shell.Frame) (at tree.Found, text string, err error) {
	from, _ := v.Texts.Origin(f.Put, name)
	if text, ok := v.Texts.Written(from); ok {
		return tree.Found{}, strings.ReplaceAll(text, shell.Unknown, ""), nil
	}
	at, ok, err := v.Tree.Regular(from)
	if !ok || f.Put.Gone(name) {
		return tree.Found{}, "", err
	}
	return at, "", nil
}

// FirstFile is the first of these that a command has, "" where it has none.
func (v *View) FirstFile(f shell.Frame, names ...string) (string, error) {
	for _, name := range names {
		at, text, err := v.Held(name, f)
		if at.Info != nil || text != "" || err != nil {
			return name, err
		}
	}
	return "", nil
}

// Foreign tells whether a library is of another machine. One for another ABI of the same is not: that is the distribution's affair.
func (v *View) Foreign(elf platforms.ELF) bool {
	return elf.Fit(v.Declared) == platforms.Foreign && elf.Arch() != v.Declared.Architecture
}

// DeclaredAs stands behind what does not fit to that.
func (v *View) DeclaredAs() string { return " in an image declared " + v.Platform() }
