package engine

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// classicFile is a Dockerfile as BuildKit's parser reads it, and where in its
// bytes each statement stands: so bases, build arguments and COPY --from can be
// replaced, and all other bytes stay.
type classicFile struct {
	src        []byte
	escape     rune
	syntax     string // of a # syntax= line
	statements []statement
	stages     []stage
}

// statement is one instruction, here-documents and all.
type statement struct {
	node       *parser.Node
	start, end int    // bytes in the source, without the line end
	line       int    // of its first byte, from 1
	keyword    string // upper case
	text       string // behind the keyword, continuations joined, comments dropped
	stage      int    // index of its stage; -1 before the first FROM
	number     int    // within its stage, FROM is 1
}

// stage is what begins with a FROM.
type stage struct {
	image    string
	platform string // of --platform
	name     string
	size     int // statements, FROM included
}

var bom = []byte("\ufeff")

// readClassic reads a Dockerfile, and leaves to the builder to complain of what the parser takes.
func readClassic(src []byte) (*classicFile, error) {
	result, err := parser.Parse(bytes.NewReader(src))
	if err != nil {
		return nil, err
	}
	f := &classicFile{src: src, escape: result.EscapeToken}
	f.syntax, _, _, _ = parser.DetectSyntax(src)
	lines := lineStarts(src)
	for _, node := range result.AST.Children {
		start := lines[node.StartLine-1]
		end := start + len(bytes.TrimRight(src[start:lines[node.EndLine]], "\r\n"))
		f.add(statement{node: node, start: start, end: end, line: node.StartLine, keyword: strings.ToUpper(node.Value)})
	}
	return f, nil
}

// lineStarts are the places where lines begin, and at last the end of the source.
func lineStarts(src []byte) []int {
	var starts []int
	at := 0
	for line := range bytes.Lines(src) {
		starts = append(starts, at)
		at += len(line)
	}
	if bytes.HasPrefix(src, bom) {
		starts[0] = len(bom)
	}
	return append(starts, at)
}

// add puts the statement into its stage.
func (f *classicFile) add(in statement) {
	in.text = strings.TrimSpace(strings.TrimSpace(in.node.Original)[len(in.node.Value):])
	if in.keyword == "FROM" {
		f.stages = append(f.stages, readFrom(in.node))
	}
	in.stage = len(f.stages) - 1
	if in.stage >= 0 {
		f.stages[in.stage].size++
		in.number = f.stages[in.stage].size
	}
	f.statements = append(f.statements, in)
}

func readFrom(node *parser.Node) stage {
	var s stage
	for _, flag := range node.Flags {
		if value, ok := strings.CutPrefix(flag, "--platform="); ok {
			s.platform = value
		}
	}
	words := wordsOf(node)
	if len(words) > 0 {
		s.image = words[0]
	}
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		s.name = words[2]
	}
	return s
}

// wordsOf are the words behind the keyword and its flags, as they are written.
func wordsOf(node *parser.Node) []string {
	var words []string
	for word := node.Next; word != nil; word = word.Next {
		words = append(words, word.Value)
	}
	return words
}

// refuse names the line of a here-document that the builder does not know: it
// would run the command without it, or take its text for statements.
func (f *classicFile) refuse(builder Info, unneeded []int) error {
	for _, in := range f.statements {
		if docs := in.node.Heredocs; len(docs) > 0 && builder.Refuses(in.keyword+" heredoc", slices.Contains(unneeded, in.stage)) {
			return fmt.Errorf("%w: line %d: the classic builder has no here-documents (<<%s); use BuildKit, or write the lines with && and a backslash", ErrUnsupported, in.line, docs[0].Name)
		}
	}
	return nil
}

// stageNamed finds an earlier stage.
func (f *classicFile) stageNamed(name string, before int) bool {
	for _, s := range f.stages[:before] {
		if s.name != "" && strings.EqualFold(s.name, name) {
			return true
		}
	}
	return false
}

// title is a statement as BuildKit would call it: "[build 2/4] RUN make".
func (f *classicFile) title(in statement) string {
	text := strings.TrimSpace(in.keyword + " " + in.text)
	if in.stage < 0 {
		return text
	}
	s := f.stages[in.stage]
	place := fmt.Sprintf("%d/%d", in.number, s.size)
	switch {
	case s.name != "":
		place = s.name + " " + place
	case len(f.stages) > 1:
		place = fmt.Sprintf("stage-%d %s", in.stage, place)
	}
	return fmt.Sprintf("[%s] %s", place, text)
}

// expand replaces the variables of a word and takes its quotes away.
func (f *classicFile) expand(word string, env variables) (string, error) {
	value, _, err := shell.NewLex(f.escape).ProcessWord(word, env)
	return value, err
}

// variables are what a word may refer to.
type variables map[string]string

func (v variables) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

func (v variables) Keys() []string { return slices.Sorted(maps.Keys(v)) }

// edit is new text for one statement.
type edit struct {
	at   int // index of the statement
	text string
}

// with returns the source with some statements replaced, in their order.
func (f *classicFile) with(edits []edit) []byte {
	var out []byte
	last := 0
	for _, e := range edits {
		in := f.statements[e.at]
		out = append(append(out, f.src[last:in.start]...), e.text...)
		last = in.end
	}
	return append(out, f.src[last:]...)
}
