package image

import (
	"slices"
	"strings"
)

// option is one that a command is given: by its name with the dashes, and with its value.
type option struct {
	name, value string
	behind      []string // the words behind it
}

type options []option

// shellValued are the options of shells that have a value.
func shellValued() []string { return []string{"-o", "+o", "-O", "+O", "--rcfile", "--init-file"} }

// getopt cuts a command's words into its options and what stands behind them. Letters may stand together (-Eu app), and the value of one
// of valued is what follows in its word (-uapp, --user=app), or else the next word. An option of shells may begin with + as well, and its
// value is always the next word. The -- that ends them is the last of them.
func getopt(words []string, valued ...string) (o options, rest []string) {
	shell := slices.Contains(valued, "+o")
	for len(words) > 0 && len(words[0]) > 1 && (words[0][0] == '-' || shell && words[0][0] == '+') {
		word := words[0]
		words = words[1:]
		add := func(name, value string, inline bool) {
			if !inline && len(words) > 0 && slices.Contains(valued, name) {
				value, words = words[0], words[1:]
			}
			o = append(o, option{name, value, words})
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

// permuted is getopt where options may stand among and behind the other words, as the tools of GNU and busybox take them.
func permuted(words []string, valued ...string) (o options, rest []string) {
	for {
		some, behind := getopt(words, valued...)
		o = append(o, some...)
		if len(behind) == 0 || some.has("--") {
			return o, append(rest, behind...)
		}
		rest, words = append(rest, behind[0]), behind[1:]
	}
}

// has tells whether one of these is given.
func (o options) has(names ...string) bool {
	return slices.ContainsFunc(o, func(o option) bool { return slices.Contains(names, o.name) })
}

// only tells whether none but these letters are given.
func (o options) only(letters string) bool {
	return !slices.ContainsFunc(o, func(o option) bool {
		return o.name != "--" && (len(o.name) != len("-x") || !strings.Contains(letters, o.name[1:]))
	})
}

// values are those of the options with these names.
func (o options) values(names ...string) (list []string) {
	for _, o := range o {
		if slices.Contains(names, o.name) {
			list = append(list, o.value)
		}
	}
	return list
}
