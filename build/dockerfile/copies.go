package dockerfile

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// Copy is a path of the context, or of a named one, that the build surely takes.
type Copy struct {
	Line int
	Text string // the instruction in one line, shortened
	From string // the named context, as Options have it; empty: the context
	Path string // below it, with slashes; empty where there are Patterns
	// Patterns are all by which the instruction takes files, where a classic builder wants one of them to fit.
	Patterns []string
}

// Copies are the paths of the contexts that building the target under the strategy takes by name, in the order of the file. What may be
// there or not, or elsewhere, is none of them: addresses, what stages and images have, --parents, --exclude, and values that a base may
// change. Nor are patterns: of one in a folder that is not there BuildKit fails or takes nothing, as it has looked
// through the context before or not; only a classic builder fails, too, where all are patterns and none fits.
func (f *File) Copies(s Strategy, o Options) ([]Copy, error) {
	g, _, err := f.under(s, o)
	if err != nil {
		return nil, err
	}
	var all []Copy
	err = g.built(func(n node, in instruction) error {
		c := Copy{Line: in.line(), Text: short(in.node.Original)}
		if c.Patterns = patterns(in, g.o.Every); g.o.Classic && len(c.Patterns) > 0 {
			all = append(all, c)
		}
		c.Patterns = nil
		if isVague(in) {
			return nil
		}
		for _, t := range taken(in) {
			if _, adds := in.command.(*instructions.AddCommand); adds && isAddress(t.path) {
				continue
			}
			if c.From = g.contextOf(in, t.from); t.from != "" && (c.From == "" || g.isStage(t.from)) {
				continue
			}
			var sure bool
			if c.Path, sure = g.copied(n, t.path); sure {
				all = append(all, c)
			}
		}
		return nil
	})
	return all, err
}

// contextOf is the named context that a --from means: by its name, or by the number of the stage in whose place it is.
func (g *graph) contextOf(in instruction, from string) string {
	at, err := strconv.Atoi(from)
	if _, isCopy := in.command.(*instructions.CopyCommand); isCopy && err == nil && at >= 0 && at < len(g.nodes) && g.nodes[at].kind == replaced {
		from = g.nodes[at].name
	}
	return g.context(from)
}

// taking is a word by which an instruction takes files, and the --from with it.
type taking struct{ from, path string }

// taken are the words by which an instruction takes files from a context, a stage or an image.
func taken(in instruction) (all []taking) {
	switch c := in.command.(type) {
	case *instructions.CopyCommand:
		for _, path := range c.SourcePaths {
			all = append(all, taking{c.From, path})
		}
	case *instructions.AddCommand:
		for _, path := range c.SourcePaths {
			all = append(all, taking{"", path})
		}
	case *instructions.RunCommand:
		for _, flag := range in.node.Flags {
			if mount, ok := strings.CutPrefix(flag, "--mount="); ok {
				all = append(all, bound(mount)...)
			}
		}
	}
	return all
}

// isVague tells of an instruction that may take less than its words say, or under other names.
func isVague(in instruction) bool {
	switch c := in.command.(type) {
	case *instructions.CopyCommand:
		return c.Parents || len(c.ExcludePatterns) > 0
	case *instructions.AddCommand:
		return len(c.ExcludePatterns) > 0
	}
	return false
}

// bound is what a bind mount takes, if it is one. The parser leaves all but its from for later: variables may stand there.
func bound(mount string) []taking {
	var t taking
	for field := range strings.SplitSeq(mount, ",") {
		key, value, _ := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "type":
			if strings.Contains(value, "$") { // nobody knows what is taken
				return []taking{{}}
			}
			if !strings.EqualFold(value, string(instructions.MountTypeBind)) {
				return nil
			}
		case "from":
			t.from = value
		case "source", "src":
			t.path = value
		}
	}
	return []taking{t}
}

// isAddress tells whether an ADD would fetch what it names.
func isAddress(source string) bool {
	return strings.Contains(source, "://") || strings.HasPrefix(source, "github.com/") || isGit(source)
}

// patterns are those by which an instruction takes files of the context, where it takes none in another way. Docker's classic builder
// compares them as they are written.
func patterns(in instruction, asWritten bool) (all []string) {
	var from instructions.SourcesAndDest
	switch c := in.command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			from = c.SourcesAndDest
		}
	case *instructions.AddCommand:
		from = c.SourcesAndDest
	}
	for _, word := range from.SourcePaths {
		if !strings.ContainsAny(word, "*?[") || strings.ContainsAny(word, `$\'"`) || isAddress(word) {
			return nil
		}
		if !asWritten {
			word = path.Join("/", word)
		}
		all = append(all, strings.TrimPrefix(strings.TrimPrefix(word, "/"), "./"))
	}
	return all
}

// copied is the path that a word of a stage names; not sure where it may name several, or another one than can be told here.
func (g *graph) copied(n node, word string) (name string, sure bool) {
	word, sure = g.plain(n, word)
	name = strings.TrimPrefix(path.Join("/", word), "/")
	return name, sure && name != ""
}

// special are the characters that make a word something else than a path.
const special = `*?[\'"`

// plain is a word of a stage with its variables filled in, where it is a path and no base can give them other values. BuildKit's own are
// taken for such: whoever names a variable of a base so means the same.
func (g *graph) plain(n node, word string) (text string, sure bool) {
	text, by, sure := g.told(n, word)
	sure = sure && !strings.ContainsAny(word+text, special)
	sure = sure && (g.onNothing(n) || !slices.ContainsFunc(by, func(name string) bool { return !isAutomatic(name) || g.isGiven(name) }))
	return text, sure
}
