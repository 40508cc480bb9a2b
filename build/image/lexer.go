package image

import (
	"errors"
	"strings"
)

// unknown stands in a word for a part that only the running shell knows. NUL cannot occur in a real word.
const unknown = "\x00"

// maxWord bounds what variables can blow a word up to; the kernel allows 128 KiB (MAX_ARG_STRLEN).
const maxWord = 128 << 10

// maxExpanded bounds what all expansions of one text give together, in bytes.
const maxExpanded = 1 << 20

// errShell is a text that ends inside of a quote or substitution.
var errShell = errors.New("it ends inside of a quote")

// token is an operator, or the words that one word of the text expands to (several for "$@", none for an empty variable).
type token struct {
	op     string // "\n" at line ends, "eof" at the end, "" for words
	words  []string
	quoted bool
}

// lexer cuts POSIX shell text into tokens, expanding what is known: variables and the arguments ("$@").
type lexer struct {
	text    string
	at      int
	value   func(name string) (string, bool)
	args    []string
	spent   int      // bytes that expansions gave
	pending []string // delimiters of the here-documents that begin at the next line
}

// operators, longest first.
var operators = [...]string{"<<-", "<<<", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "\n", ";", "&", "|", "(", ")", "<", ">"}

func (l *lexer) next() (token, error) {
	l.blanks()
	if l.at >= len(l.text) {
		return token{op: "eof"}, nil
	}
	for _, op := range operators {
		if strings.HasPrefix(l.text[l.at:], op) {
			l.at += len(op)
			if op == "\n" {
				l.hereDocuments()
			}
			return token{op: op}, nil
		}
	}
	return l.word()
}

// blanks skips blanks, continued lines and comments.
func (l *lexer) blanks() {
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			l.at++
		case strings.HasPrefix(rest, "\\\n"):
			l.at += 2
		case rest[0] == '#':
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(l.text)
			}
		default:
			return
		}
	}
}

// hereDocuments skips the bodies that the line just ended announced.
func (l *lexer) hereDocuments() {
	for _, delimiter := range l.pending {
		for l.at < len(l.text) {
			line, _, _ := strings.Cut(l.text[l.at:], "\n")
			l.at = min(len(l.text), l.at+len(line)+1)
			if strings.TrimLeft(strings.TrimRight(line, "\r"), "\t") == delimiter {
				break
			}
		}
	}
	l.pending = nil
}

// word reads one word up to a blank or an operator.
func (l *lexer) word() (token, error) {
	start := l.at
	b := &builder{}
	for l.at < len(l.text) {
		c := l.text[l.at]
		if strings.IndexByte(" \t\r\n;&|()<>", c) >= 0 {
			break
		}
		if err := l.part(b, c); err != nil {
			return token{}, err
		}
	}
	if l.at < len(l.text) && (l.text[l.at] == '<' || l.text[l.at] == '>') && isDigits(l.text[start:l.at]) {
		return l.next() // the number of a file descriptor
	}
	return token{words: b.finish(), quoted: b.quoted}, nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// part reads one piece of a word: a quote, an expansion, a character.
func (l *lexer) part(b *builder, c byte) error {
	l.at++
	switch c {
	case '\'':
		end := strings.IndexByte(l.text[l.at:], '\'')
		if end < 0 {
			return errShell
		}
		b.quote(l.text[l.at : l.at+end])
		l.at += end + 1
	case '"':
		return l.doubleQuoted(b)
	case '\\':
		if l.at < len(l.text) {
			b.quote(l.text[l.at : l.at+1])
			l.at++
		}
	case '$':
		return l.dollar(b, false)
	case '`':
		return l.backquoted(b)
	case '*', '?', '[', '~':
		b.glob(c)
	default:
		b.text.WriteByte(c)
		b.some = true
	}
	return nil
}

func (l *lexer) doubleQuoted(b *builder) error {
	b.quote("")
	for l.at < len(l.text) {
		c := l.text[l.at]
		l.at++
		switch c {
		case '"':
			return nil
		case '$':
			if err := l.dollar(b, true); err != nil {
				return err
			}
		case '`':
			if err := l.backquoted(b); err != nil {
				return err
			}
		case '\\':
			if l.at < len(l.text) && strings.IndexByte("$`\"\\\n", l.text[l.at]) >= 0 {
				c = l.text[l.at]
				l.at++
			}
			b.text.WriteByte(c)
		default:
			b.text.WriteByte(c)
		}
	}
	return errShell
}

func (l *lexer) backquoted(b *builder) error {
	end := strings.IndexByte(l.text[l.at:], '`')
	if end < 0 {
		return errShell
	}
	l.at += end + 1
	b.quote(unknown)
	return nil
}

// dollar reads an expansion behind its dollar sign.
func (l *lexer) dollar(b *builder, quoted bool) error {
	rest := l.text[l.at:]
	switch {
	case strings.HasPrefix(rest, "("):
		b.quote(unknown)
		return l.balanced('(', ')')
	case strings.HasPrefix(rest, "{"):
		start := l.at + 1
		if err := l.balanced('{', '}'); err != nil {
			return err
		}
		l.expand(b, l.text[start:l.at-1], quoted)
	case strings.HasPrefix(rest, "@"), strings.HasPrefix(rest, "*"):
		l.at++
		l.spread(b)
	default:
		n := nameLen(rest)
		if n == 0 {
			n = min(1, len(rest)) // $?, $1, $$
			b.quote(unknown)
			l.at += n
			return nil
		}
		l.at += n
		l.expand(b, rest[:n], quoted)
	}
	return nil
}

// expand puts in the value of NAME, or of NAME:-default and NAME-default; other forms are unknown.
func (l *lexer) expand(b *builder, expression string, quoted bool) {
	if expression == "@" || expression == "*" {
		l.spread(b)
		return
	}
	n := nameLen(expression)
	name, form := expression[:n], expression[n:]
	value, known := l.value(name)
	fallback, found := strings.CutPrefix(strings.TrimPrefix(form, ":"), "-")
	if found && (!known || value == "") && !strings.ContainsAny(fallback, "$`\"'\\") {
		value, known = fallback, true
	}
	l.spent += len(value)
	if n == 0 || !known || form != "" && !found || b.text.Len()+len(value) > maxWord || l.spent > maxExpanded {
		b.quote(unknown)
		return
	}
	if quoted {
		b.quote(value)
		return
	}
	b.split(value)
}

// spread puts in the arguments.
func (l *lexer) spread(b *builder) {
	for _, arg := range l.args {
		l.spent += len(arg) + 1
	}
	if l.spent > maxExpanded || len(b.words)+len(l.args) > maxWords {
		b.spread([]string{unknown})
		return
	}
	b.spread(l.args)
}

// balanced skips to behind the bracket that closes the one at the reading position.
func (l *lexer) balanced(left, right byte) error {
	depth := 0
	for l.at < len(l.text) {
		c := l.text[l.at]
		l.at++
		switch c {
		case left:
			depth++
		case right:
			if depth--; depth == 0 {
				return nil
			}
		case '\\':
			l.at = min(l.at+1, len(l.text))
		case '\'', '"':
			end := strings.IndexByte(l.text[l.at:], c)
			if end < 0 {
				return errShell
			}
			l.at += end + 1
		}
	}
	return errShell
}

// nameLen is the length of the variable's name at the begin of s.
func nameLen(s string) int {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// builder collects the words that one word of the text expands to.
type builder struct {
	words  []string
	text   strings.Builder
	some   bool // there is a word although it may be empty
	quoted bool
}

func (b *builder) quote(s string) {
	b.text.WriteString(s)
	b.some, b.quoted = true, true
}

// glob is a character that patterns and home folders begin with; [ alone is the command.
func (b *builder) glob(c byte) {
	if c == '[' && b.text.Len() == 0 || c == '~' && b.text.Len() > 0 {
		b.text.WriteByte(c)
	} else if c != '[' || !strings.HasPrefix(b.text.String(), "[") {
		b.text.WriteString(unknown)
	} else {
		b.text.WriteByte(c)
	}
	b.some = true
}

// spread puts each argument into a word of its own.
func (b *builder) spread(args []string) {
	for i, arg := range args {
		if i > 0 {
			b.flush()
		}
		b.text.WriteString(arg)
		b.some = true
	}
	b.quoted = true
}

// split puts in an unquoted value, which blanks cut into words.
func (b *builder) split(value string) {
	fields := strings.Fields(value)
	if len(b.words)+len(fields) > maxWords {
		fields = []string{unknown}
	}
	for i, field := range fields {
		if i > 0 || strings.HasPrefix(value, " ") {
			b.flush()
		}
		b.text.WriteString(field)
		b.some = true
	}
}

func (b *builder) flush() {
	if b.some {
		b.words = append(b.words, b.text.String())
	}
	b.text.Reset()
	b.some = false
}

func (b *builder) finish() []string {
	b.flush()
	return b.words
}
