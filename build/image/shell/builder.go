package shell

import (
	"strings"

	"mvdan.cc/sh/v3/pattern"
)

// builder collects the words that words of the tree expand to.
type builder struct {
	words []string
	text  strings.Builder
	bare  strings.Builder               // the text as a pattern, in which what was quoted stands for itself
	files func(pattern string) []string // that a pattern names; nil: it stands for itself
	some  bool                          // there is a word although it may be empty
}

// add puts in what stands for itself.
func (b *builder) add(s string) { b.pattern(s, pattern.QuoteMeta(s, 0)) }

// pattern puts in a text that is a pattern, too.
func (b *builder) pattern(s, bare string) {
	if b.text.Len()+len(s) > maxWord {
		s, bare = Unknown, Unknown
	}
	b.text.WriteString(s)
	b.bare.WriteString(bare)
	b.some = true
}

// split puts in a value that its separators cut into words.
func (b *builder) split(text, separators string) {
	list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	if len(b.words)+len(list) > MaxWords {
		list = []string{Unknown}
	}
	for i, word := range list {
		if i > 0 || strings.ContainsAny(text[:1], separators) {
			b.flush()
		}
		b.pattern(word, word)
	}
	if n := len(text); n > 0 && strings.ContainsAny(text[n-1:], separators) {
		b.flush()
	}
}

// flush ends a word. A pattern stands for the files that are there, and for itself where there are none.
func (b *builder) flush() {
	if b.some {
		words := []string{b.text.String()}
		if b.files != nil && pattern.HasMeta(b.bare.String(), 0) {
			if names := b.files(b.bare.String()); len(names) > 0 {
				words = names
			}
		}
		b.words = append(b.words, words...)
	}
	b.text.Reset()
	b.bare.Reset()
	b.some = false
}
