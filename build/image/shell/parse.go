package shell

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// MaxText is how many bytes of a text are followed.
const MaxText = 64 << 10

// Bounds on what is parsed. The parser's time grows with the square of the brackets that are open at once; real scripts have ten.
const (
	maxOpen = 500
	maxDeep = 2000 // levels of its tree; each of a pipe or elif has two, and keeps what was known before
)

// parse returns the statements of a text. Of one that the parser does not take to its end it returns what comes before,
// as a shell would run it; what was cut off is completed, so that the begin of an open block is followed.
func (w *walker) parse(src string) []*syntax.Stmt {
	src = strings.ToValidUTF8(strings.ReplaceAll(src, Unknown, unknownRune), "?") // a comment in Latin-1
	stmts, err := w.read(src)
	if w.frame.Cut {
		stmts, _ = statements(src, tongue(w.frame.Tongue), syntax.RecoverErrors(maxOpen))
		err = fmt.Errorf("it is longer than %d KiB", MaxText>>10)
	}
	switch {
	case err == nil:
	case strings.Contains(src, unknownRune): // what is not known may be what completes it
		w.note("%s works out at run time what it evaluates: not all of that was followed", w.frame.Text())
	default:
		w.note("%s was followed only in part: %s", w.frame.Text(), ShowWord(err.Error()))
	}
	return stmts
}

// read parses in the shell's own tongue, or another that takes all of the text: /bin/sh may be any shell.
func (w *walker) read(src string) (best []*syntax.Stmt, first error) {
	if tooOpen(src) {
		return nil, errors.New("its brackets are nested too deeply")
	}
	for _, lang := range []syntax.LangVariant{tongue(w.frame.Tongue), syntax.LangBash, syntax.LangPOSIX, syntax.LangMirBSDKorn, syntax.LangZsh} {
		stmts, err := statements(src, lang)
		if err == nil {
			return stmts, nil
		}
		if first == nil {
			best, first = stmts, err
		}
	}
	return best, first
}

func statements(src string, lang syntax.LangVariant, options ...syntax.ParserOption) (list []*syntax.Stmt, err error) {
	parser := syntax.NewParser(append(options, syntax.Variant(lang))...)
	for stmt, failure := range parser.StmtsSeq(strings.NewReader(src)) { // not left early: it goes on behind a failure
		if failure == nil && tooDeep(stmt) {
			failure = errors.New("a command is nested too deeply")
		}
		if failure != nil {
			err = failure
		}
		if err == nil {
			list = append(list, stmt)
		}
	}
	return list, err
}

func tongue(shell string) syntax.LangVariant {
	switch shell {
	case "zsh":
		return syntax.LangZsh
	case "ksh", "mksh":
		return syntax.LangMirBSDKorn
	}
	return syntax.LangBash
}

func tooDeep(stmt *syntax.Stmt) (is bool) {
	level := 0
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if level++; n == nil { // that was one
			level -= 2
		}
		is = is || level > maxDeep
		return !is
	})
	return is
}

func tooOpen(src string) bool {
	open := 0
	for _, b := range []byte(src) {
		switch b {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			open = max(0, open-1)
		}
		if open > maxOpen {
			return true
		}
	}
	return false
}
