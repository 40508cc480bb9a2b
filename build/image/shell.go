package image

import "strings"

// command is one simple command of a shell text, expanded as far as its words are known.
type command struct {
	words       []string
	conditional bool // it may well not be run: behind ||, inside of if, case, a loop or a function
}

// script reads the simple commands of a shell text one after the other, so that whoever runs them can change variables
// in between. It knows enough of the grammar to tell commands from patterns, lists, functions and here-documents;
// it does not decide conditions.
type script struct {
	lexer     lexer
	functions map[string]bool

	words  []string
	or     bool   // behind ||
	blocks []byte // open 'i'f, 'l'oop, 'c'ase, '{', 'f'unction body, '('
	skip   bool   // the next word belongs to a redirection
	here   bool   // ... and is a here-document's delimiter
	define bool   // behind name(), before its body
	test   bool   // inside of [[ ]], where operators have another meaning
}

// next returns the next simple command, and ok false at the end. After an error nothing more can be read.
func (s *script) next() (c command, ok bool, err error) {
	for {
		t, err := s.lexer.next()
		if err != nil {
			return c, false, err
		}
		if t.op == "" {
			s.word(t)
			continue
		}
		c, done := s.operator(t.op)
		if len(c.words) > 0 && !s.functions[c.words[0]] {
			return c, true, nil
		}
		if done {
			return c, false, nil
		}
	}
}

// word takes a word into the command, unless it is syntax.
func (s *script) word(t token) {
	switch {
	case s.here:
		s.here, s.skip = false, false
		s.lexer.pending = append(s.lexer.pending, strings.Join(t.words, ""))
	case s.skip:
		s.skip = false
	case len(s.words) == 0 && !t.quoted && len(t.words) == 1 && s.keyword(t.words[0]):
	case s.test:
		s.test = len(t.words) != 1 || t.words[0] != "]]"
	case len(s.words) == 0 && len(t.words) == 1 && t.words[0] == "[[":
		s.test = true
	case len(s.words)+len(t.words) > maxWords:
		s.words = append(s.words, unknown)
	default:
		s.words = append(s.words, t.words...)
	}
}

// keyword handles a reserved word at the begin of a command.
func (s *script) keyword(w string) bool {
	switch w {
	case "if":
		s.push('i')
	case "while", "until":
		s.push('l')
	case "fi", "done", "esac", "}":
		s.pop()
	case "{":
		block := byte('{')
		if s.define {
			block, s.define = 'f', false
		}
		s.push(block)
	case "case":
		s.push('c')
		return false // its words end at ) and are dropped
	case "for", "select":
		s.push('l')
		return false // the list is no command
	case "then", "else", "elif", "do", "!", "time":
	default:
		return false
	}
	return true
}

func (s *script) push(block byte) { s.blocks = append(s.blocks, block) }

func (s *script) pop() {
	if n := len(s.blocks); n > 0 {
		s.blocks = s.blocks[:n-1]
	}
}

// top is the innermost open block, 0 outside of all.
func (s *script) top() byte {
	if n := len(s.blocks); n > 0 {
		return s.blocks[n-1]
	}
	return 0
}

// operator ends the command where it does; done at the end of the text.
func (s *script) operator(op string) (c command, done bool) {
	if s.test && op != "eof" {
		return c, false
	}
	switch op {
	case "<<", "<<-":
		s.skip, s.here = true, true
		return c, false
	case "<", ">", ">>", "<&", ">&", "<>", ">|", "&>", "<<<":
		s.skip = true
		return c, false
	case "(":
		s.parenthesis()
		return c, false
	case ")":
		if s.top() == 'c' {
			s.words = nil // a pattern
			return c, false
		}
		c = s.take()
		if s.top() == '(' {
			s.pop()
		}
		return c, false
	}
	c = s.take()
	s.or = op == "||" || s.or && op == "|"
	return c, op == "eof"
}

// parenthesis opens a subshell, or says that the word before it is the name of a function.
func (s *script) parenthesis() {
	if s.top() == 'c' && len(s.words) == 0 {
		return // the optional one before a pattern
	}
	if len(s.words) == 0 && strings.HasPrefix(s.lexer.text[s.lexer.at:], "(") {
		s.lexer.at--
		if s.lexer.balanced('(', ')') != nil {
			s.lexer.at = len(s.lexer.text)
		}
		return // arithmetic
	}
	if len(s.words) == 1 {
		s.functions[s.words[0]] = true
		s.define = true
		s.words = nil
	}
	s.push('(')
}

// take returns the collected command. What begins with for, case or function is a list, not a command.
func (s *script) take() command {
	words := s.words
	s.words, s.skip, s.here = nil, false, false
	if len(words) > 0 {
		switch words[0] {
		case "for", "select", "case", "function":
			words = nil
		}
	}
	return command{words: words, conditional: s.or || strings.ContainsAny(string(s.blocks), "ilcf")}
}
