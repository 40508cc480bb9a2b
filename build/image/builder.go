package image

import (
	"strings"
)

// builder collects the words that words of the tree expand to.
type builder struct {
	words []string
	text  strings.Builder
	some  bool // there is a word although it may be empty
}

func (b *builder) add(s string) {
	if b.text.Len()+len(s) > maxWord {
		s = unknown
	}
	b.text.WriteString(s)
	b.some = true
}

// split puts in a value that its separators cut into words.
func (b *builder) split(text, separators string) {
	list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	if len(b.words)+len(list) > maxWords {
		list = []string{unknown}
	}
	for i, word := range list {
		if i > 0 || strings.ContainsAny(text[:1], separators) {
			b.flush()
		}
		b.add(word)
	}
	if n := len(text); n > 0 && strings.ContainsAny(text[n-1:], separators) {
		b.flush()
	}
}

func (b *builder) flush() {
	if b.some {
		b.words = append(b.words, b.text.String())
	}
	b.text.Reset()
	b.some = false
}
