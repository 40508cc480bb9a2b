package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// find looks a command's first word up as execvp does.
func (c *checker) find(word string, f frame) (tree.Found, *Fault, error) {
	if strings.Contains(word, "/") {
		if !path.IsAbs(word) && f.Dir == shell.Unknown {
			return tree.Found{}, nil, nil
		}
		return c.stat(shell.Absolute(f.Dir, word), f)
	}
	var refused *Fault
	c.Texts.Spend(shell.LookCost * len(f.Path))
	for _, dir := range f.Path {
		if !shell.Known(dir) {
			continue
		}
		at, fault, err := c.stat(shell.Absolute(f.Dir, path.Join(dir, word)), f)
		if err != nil || fault == nil && at.Info != nil {
			return at, nil, err
		}
		if fault != nil && fault.Kind != Missing && fault.Kind != MissingInterpreter && refused == nil {
			refused = fault
		}
	}
	if refused == nil && !slices.ContainsFunc(f.Path, unknown) {
		refused = missing(word, "not in any directory of the image's PATH ("+shell.Brief(strings.Join(f.Path, ":"))+")", f)
	}
	return tree.Found{}, refused, nil
}

// unknown tells whether a folder of PATH is not known.
func unknown(dir string) bool { return !shell.Known(dir) }

// shadowed tells whether a folder comes before the one where a command was found that may have it, too.
func (f frame) shadowed(word, name string) bool {
	for _, dir := range f.Path {
		switch {
		case strings.Contains(word, "/"), shell.Absolute(f.Dir, path.Join(dir, word)) == name:
			return false
		case shell.WorkedOut(dir):
			return true
		}
	}
	return false
}

// stat finds what an absolute name is and whether it can be executed.
func (c *checker) stat(name string, f frame) (tree.Found, *Fault, error) {
	from, put := c.Texts.Origin(f.Put, name)
	at, err := c.Tree.At(from)
	at.Name = name
	switch {
	case errors.Is(err, tree.ErrLoop):
		return at, &Fault{Kind: LinkLoop, Path: name, What: "a symbolic link that leads in a circle", Cure: "let it point to the program"}, nil
	case errors.Is(err, fs.ErrNotExist):
		return at, missing(name, "not in the image", f), nil
	case err != nil:
		return at, nil, err
	case !at.Info.Mode().IsRegular():
		return at, &Fault{Kind: NotRegular, Path: name, What: "a " + kindOf(at.Info.Mode()) + " and no program", Cure: "name a program in " + f.source()}, nil
	case at.Info.Mode()&0o111 == 0 && !put:
		return at, &Fault{Kind: NotExecutable, Path: name, What: "not executable", Cure: "set its execute bit (chmod +x, or COPY --chmod=755)"}, nil
	}
	return at, nil, nil
}

// nowhere tells whether a name leads to nothing.
func nowhere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// missing is the fault of a word that leads to nothing. It is the script's when a #! line asked for it.
func missing(name, what string, f frame) *Fault {
	if f.script != "" {
		return &Fault{Kind: MissingInterpreter, Path: f.script, What: fmt.Sprintf("a script for %s, which is %s", name, what), Cure: "install the interpreter, or correct the #! line"}
	}
	cure := "copy it into the image"
	if !path.IsAbs(name) {
		cure = "install it, or COPY it into one of those folders, or add its folder to PATH with ENV"
	}
	return &Fault{Kind: Missing, Path: name, What: what, Cure: cure + ", or correct the spelling in " + f.source()}
}

// kindOf names what is not a regular file.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "FIFO"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

func orRoot(dir string) string {
	if dir == shell.Unknown {
		return "/"
	}
	return dir
}
