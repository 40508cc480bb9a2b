package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// declaration is what export, local and their like make of the names behind them.
type declaration struct {
	command   string
	export    bool // they reach the programs that are started
	keeps     bool // they no longer do
	local     bool // they end with the function
	reference bool // they stand for other names
	functions bool // they are functions
}

// declare walks export, local and their like.
func (w *walker) declare(c *syntax.DeclClause) {
	w.inside(c)
	d := declaration{command: c.Variant.Value, export: c.Variant.Value == "export", reference: c.Variant.Value == "nameref"}
	d.local = d.command != "export" && d.command != "readonly"
	for _, a := range c.Args {
		switch {
		case a.Name == nil:
			w.declareWords(&d, a.Value)
		case d.functions:
			w.declareFunction(d, a.Name.Value)
		default:
			w.declareName(d, a)
		}
	}
}

// option takes a word of options.
func (d *declaration) option(word string) {
	if strings.HasPrefix(word, "+") {
		d.keeps = d.keeps || strings.Contains(word, "x")
		return
	}
	d.export = d.export || strings.Contains(word, "x")
	d.reference = d.reference || strings.Contains(word, "n") && d.local
	d.functions = d.functions || strings.Contains(word, "f")
	d.local = d.local && !strings.Contains(word, "g")
	d.keeps = d.keeps || strings.Contains(word, "n") && d.command == "export"
}

// declareWords takes what only the expansion of a word tells: options, and names with their values.
func (w *walker) declareWords(d *declaration, word *syntax.Word) {
	given := map[string][]value{}
	w.worlds(func(e *expansion) {
		for _, field := range e.fields([]*syntax.Word{word}) {
			w.wild = w.wild || !Known(field)
			name, val, ok := strings.Cut(field, "=")
			switch {
			case ok && name != "":
				given[name] = append(given[name], value{val})
			case strings.HasPrefix(field, "-"), strings.HasPrefix(field, "+"):
				d.option(field)
			}
		}
	})
	for name, values := range given {
		w.set(name, values...)
		if d.export {
			w.export(name)
		}
	}
}

// declareFunction gives a function to the shells that are started, or keeps it from them.
func (w *walker) declareFunction(d declaration, name string) {
	switch {
	case d.keeps:
		delete(w.exported, name+"()")
	case d.export:
		w.export(name + "()")
	}
}

// declareName takes a name, with or without a value.
func (w *walker) declareName(d declaration, a *syntax.Assign) {
	name := a.Name.Value
	if _, saved := w.locals[name]; w.locals != nil && d.local && !saved {
		w.locals[name] = orZero(w.vars[name])
	}
	switch {
	case d.keeps:
		delete(w.exported, name)
	case d.export:
		w.export(name)
	}
	switch {
	case d.reference:
		w.set(name, value{Unknown})
		w.wild = true
	case !a.Naked:
		w.assign(a)
	case d.local && w.locals != nil:
		w.set(name)
	}
}
