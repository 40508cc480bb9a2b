package platforms

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Mentioned are the platforms that the words of a text name, such as a file's name or an address, in their order. Only a word that can
// mean nothing else counts ("amd64", "x86_64", "armhf"), in small letters or capitals; "arm", "x86" and "386" are parts of other names.
func Mentioned(text string) []ocispec.Platform {
	var found []ocispec.Platform
	for {
		at := mention().FindStringSubmatchIndex(text)
		if at == nil {
			return found
		}
		if p, err := Parse(strings.ToLower(text[at[2]:at[3]])); err == nil {
			found = append(found, p)
		}
		text = text[at[3]:] // what is behind the word may be what is before the next
	}
}

// mention finds the first word that names an architecture. It is compiled when it is first asked, which builds do not do.
var mention = sync.OnceValue(func() *regexp.Regexp {
	var words []string
	for _, n := range names {
		for _, word := range append([]string{n.arch, n.uname, n.debian}, n.aliases...) {
			if word != "" && !vague(word) && !slices.Contains(words, word) {
				words = append(words, regexp.QuoteMeta(word))
			}
		}
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the first that fits is taken
	return regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(` + strings.Join(words, "|") + `)(?:$|[^a-z0-9])`)
})

// vague are the names that stand for other things, too, in the names of files: instruction sets of several sizes or byte orders.
func vague(word string) bool {
	return unclear(word) || strings.HasPrefix(word, "mips") || slices.Contains([]string{"arm", "386", "x86", "ia32"}, word)
}
