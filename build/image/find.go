package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// found is a file behind a word of a command.
type found struct {
	name string // absolute, as it was named
	real string // links resolved
	info fs.FileInfo
}

// find looks a command's first word up as execvp does.
func (c *checker) find(word string, f frame) (found, *Fault, error) {
	if strings.Contains(word, "/") {
		if !path.IsAbs(word) && f.dir == unknown {
			return found{}, nil, nil
		}
		return c.stat(absolute(f.dir, word), f)
	}
	var refused *Fault
	c.spent += lookCost * len(f.path)
	for _, dir := range f.path {
		if dir == unknown {
			continue
		}
		at, fault, err := c.stat(absolute(f.dir, path.Join(dir, word)), f)
		if err != nil || fault == nil && at.info != nil {
			return at, nil, err
		}
		if fault != nil && fault.Kind != Missing && fault.Kind != MissingInterpreter && refused == nil {
			refused = fault
		}
	}
	if refused == nil && !slices.Contains(f.path, unknown) {
		refused = missing(word, "not in any directory of the image's PATH ("+brief(strings.Join(f.path, ":"))+")", f)
	}
	return found{}, refused, nil
}

// stat finds what an absolute name is and whether it can be executed.
func (c *checker) stat(name string, f frame) (found, *Fault, error) {
	from, put := f.origin(name)
	at, err := c.resolve(from)
	at.name = name
	switch {
	case errors.Is(err, errLoop):
		return at, &Fault{Kind: LinkLoop, Path: name, What: "a symbolic link that leads in a circle", Cure: "let it point to the program"}, nil
	case errors.Is(err, fs.ErrNotExist):
		return at, missing(name, "not in the image", f), nil
	case err != nil:
		return at, nil, err
	case !at.info.Mode().IsRegular():
		return at, &Fault{Kind: NotRegular, Path: name, What: "a " + kindOf(at.info.Mode()) + " and no program", Cure: "name a program in " + f.source()}, nil
	case at.info.Mode()&0o111 == 0 && !put:
		return at, &Fault{Kind: NotExecutable, Path: name, What: "not executable", Cure: "set its execute bit (chmod +x, or COPY --chmod=755)"}, nil
	}
	return at, nil, nil
}

// nowhere tells whether a name leads to nothing.
func nowhere(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLoop) }

func (c *checker) resolve(name string) (found, error) {
	real, info, err := c.tree.resolve(name)
	return found{name: name, real: real, info: info}, err
}

// regular finds a regular file. Where a name leads to nothing there is not even an info.
func (c *checker) regular(name string) (at found, ok bool, err error) {
	at, err = c.resolve(name)
	if nowhere(err) {
		return at, false, nil
	}
	return at, err == nil && at.info.Mode().IsRegular(), err
}

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

// absolute joins a working directory and a name. What a shell has to work out stays unknown. A ".." is left to resolve,
// because behind a link it does not lead back.
func absolute(dir, name string) string {
	if !path.IsAbs(name) {
		if !known(dir) {
			return unknown
		}
		name = "/" + dir + "/" + name
	}
	if strings.Contains(name, "..") {
		return name
	}
	return path.Clean(name)
}

func orRoot(dir string) string {
	if dir == unknown {
		return "/"
	}
	return dir
}

// pathList cuts a PATH into its directories; one that only the shell knows is unknown. Behind the first maxPathDirs one
// unknown directory stands for all others.
func pathList(value string) []string {
	list := strings.SplitN(value, ":", maxPathDirs+1)
	for i, dir := range list {
		if !known(dir) || i == maxPathDirs {
			list[i] = unknown
		}
	}
	return list
}
