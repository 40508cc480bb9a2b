package shell

import (
	"maps"

	"mvdan.cc/sh/v3/syntax"
)

// Frame is the situation in which a command is started. The zero value knows no folder, no PATH and no variable.
type Frame struct {
	Dir    string   // working directory, Unknown when it is not known
	Path   []string // directories that a plain name is looked up in, as PathList has them
	Soft   bool     // it may well not be run: only what is there can be at fault
	Doubt  bool     // what is not there may be made before, or its absence ends nothing: it is worth a note
	Chosen bool     // it is run or not by a choice that depends on the machine and was not followed
	Told   bool     // ... and so it is although soft: a script that is surely run needs it

	Tongue  string // the shell that reads a text: bash, zsh
	Input   string // the text that is its standard input, Unknown when that only comes at run time
	Reading string // the script that is followed
	Cut     bool   // ... and of which there is more than was read
	Put     Put    // what shells on the way put into the image

	env     map[string][]value        // set by shells and env on the way, but for PATH; never changed
	exports map[string][]*syntax.Stmt // functions that bash hands on; never changed
	picked  map[string]bool           // those of env that were chosen by machine in a way that was not followed; never changed
}

// With is the situation with one more variable in the environment.
func (f Frame) With(name, word string) Frame {
	env := maps.Clone(f.env)
	if env == nil {
		env = map[string][]value{}
	}
	env[name] = []value{{word}}
	f.env = env
	return f
}

// Variable is all that a variable of the environment may hold here, with what only the running shell knows of it as Unknown; given is what the
// image says of it, which it holds where a shell may have left it alone. Where none has set it, set is false.
func (f Frame) Variable(name, given string) (list []string, set bool) {
	values, set := f.env[name]
	for _, v := range values {
		if v == nil {
			list = append(list, given)
		} else {
			list = append(list, v.text())
		}
	}
	return list, set
}

// Soften says that what comes next only stands in a text: what is absent there is no fault, and worth a note where the text is surely followed.
func (f *Frame) Soften() { f.Soft, f.Told = true, f.Told || !f.Soft }

// Loosen says that from here on names may mean anything.
func (f *Frame) Loosen() { f.Soft, f.Told = true, false }

// Text names the text that is followed, for a sentence.
func (f Frame) Text() string {
	if f.Reading == "" {
		return "a shell text in the image"
	}
	return Show(f.Reading)
}
