// Package options cuts the words of a command into the options that it is given and what else stands there.
//
//	env -u A --chdir=/app B=1 app -x  -->  -u A, --chdir /app  and  B=1 app -x
package options

import (
	"slices"
	"strings"
)

// Option is one that a command is given: by its name with the dashes, and with its value.
type Option struct {
	Name, Value string
	Behind      []string // the words behind it
}

// List are the options of a command, in their order. The zero value has none.
type List []Option

// OfShells are the options of shells that have a value.
func OfShells() []string { return []string{"-o", "+o", "-O", "+O", "--rcfile", "--init-file"} }

// Cut cuts a command's words into its options and what stands behind them. Letters may stand together (-Eu app), and the value of one
// of valued is what follows in its word (-uapp, --user=app), or else the next word. An option of shells may begin with + as well, and its
// value is always the next word. The -- that ends them is the last of them.
func Cut(words []string, valued ...string) (o List, rest []string) {
	shell := slices.Contains(valued, "+o")
	for len(words) > 0 && len(words[0]) > 1 && (words[0][0] == '-' || shell && words[0][0] == '+') {
		word := words[0]
		words = words[1:]
		add := func(name, value string, inline bool) {
			if !inline && len(words) > 0 && slices.Contains(valued, name) {
				value, words = words[0], words[1:]
			}
			o = append(o, Option{name, value, words})
		}
		switch {
		case word == "--":
			add(word, "", true)
			return o, words
		case strings.HasPrefix(word, "--") || slices.Contains(valued, word):
			add(strings.Cut(word, "="))
			continue
		}
		for i := 1; i < len(word); i++ {
			name, value := word[:1]+word[i:i+1], word[i+1:]
			inline := !shell && value != "" && slices.Contains(valued, name)
			if !inline {
				value = ""
			}
			if add(name, value, inline); inline {
				break
			}
		}
	}
	return o, words
}

// Permuted is Cut where options may stand among and behind the other words, as the tools of GNU and busybox take them.
func Permuted(words []string, valued ...string) (o List, rest []string) {
	for {
		some, behind := Cut(words, valued...)
		o = append(o, some...)
		if len(behind) == 0 || some.Has("--") {
			return o, append(rest, behind...)
		}
		rest, words = append(rest, behind[0]), behind[1:]
	}
}

// Has tells whether one of these is given.
func (o List) Has(names ...string) bool {
	return slices.ContainsFunc(o, func(o Option) bool { return slices.Contains(names, o.Name) })
}

// Only tells whether none but these letters are given.
func (o List) Only(letters string) bool {
	return !slices.ContainsFunc(o, func(o Option) bool {
		return o.Name != "--" && (len(o.Name) != len("-x") || !strings.Contains(letters, o.Name[1:]))
	})
}

// Values are those of the options with these names.
func (o List) Values(names ...string) (list []string) {
	for _, o := range o {
		if slices.Contains(names, o.Name) {
			list = append(list, o.Value)
		}
	}
	return list
}
