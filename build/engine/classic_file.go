package engine

import (
	"bytes"
	"fmt"
	"strings"
)

// classicFile is a Dockerfile as far as the classic road must know it: where
// each statement stands, so that bases, build arguments and COPY --from can
// be replaced and all other bytes stay.
type classicFile struct {
	src        []byte
	escape     byte
	syntax     string // of a # syntax= line
	statements []statement
	stages     []stage
}

// statement is one logical line.
type statement struct {
	start, end int    // bytes in the source, without the line end
	line       int    // of its first byte, from 1
	keyword    string // upper case
	text       string // behind the keyword, continuations joined, comments dropped
	stage      int    // index of its stage; -1 before the first FROM
	number     int    // within its stage, FROM is 1
}

// stage is what begins with a FROM.
type stage struct {
	from     int // index of its FROM
	image    string
	platform string // of --platform
	name     string
	size     int // statements, FROM included
}

var (
	directive    = pattern(`^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$`)
	hereDocument = pattern(`^\d*<<(-?)(?:"([^"\s]+)"|'([^'\s]+)'|([A-Za-z_][^\s<>()|&;'"]*))$`)
)

// readClassic scans a Dockerfile, and leaves all complaints to the builder.
func readClassic(src []byte) *classicFile {
	f := &classicFile{src: src, escape: '\\'}
	f.directives()
	f.split()
	f.findStages()
	return f
}

// directives reads the comment lines at the top that mean something.
func (f *classicFile) directives() {
	for line := range bytes.Lines(bytes.TrimPrefix(f.src, bom)) {
		found := directive().FindSubmatch(bytes.TrimSpace(line))
		if found == nil {
			return
		}
		switch strings.ToLower(string(found[1])) {
		case "escape":
			f.escape = found[2][0]
		case "syntax":
			f.syntax = string(found[2])
		}
	}
}

var bom = []byte("\ufeff")

// split finds the statements.
func (f *classicFile) split() {
	var open *statement
	var bodies []hereDoc // of the last statement, still to come
	offset := 0
	number := 0
	for raw := range bytes.Lines(f.src) {
		start, line := offset, raw
		offset += len(raw)
		number++
		if start == 0 {
			line = bytes.TrimPrefix(line, bom)
			start = len(raw) - len(line)
		}
		bare := bytes.TrimRight(line, "\r\n")
		if len(bodies) > 0 {
			f.statements[len(f.statements)-1].end = start + len(bare)
			if bodies[0].endsWith(string(bare)) {
				bodies = bodies[1:]
			}
			continue
		}
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue // allowed between the lines of an statement, too
		}
		if open == nil {
			f.statements = append(f.statements, statement{start: start, line: number})
			open = &f.statements[len(f.statements)-1]
		}
		joined, more := strings.CutSuffix(text, string(f.escape))
		open.text += joined
		open.end = start + len(bare)
		if !more {
			open.cutKeyword()
			bodies, open = open.hereDocs(), nil
		}
	}
	if open != nil {
		open.cutKeyword()
	}
}

func (in *statement) cutKeyword() {
	text := strings.TrimSpace(in.text)
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		end = len(text)
	}
	in.keyword, in.text = strings.ToUpper(text[:end]), strings.TrimSpace(text[end:])
}

// findStages numbers the statements by stage.
func (f *classicFile) findStages() {
	for i := range f.statements {
		in := &f.statements[i]
		if in.keyword == "FROM" {
			f.stages = append(f.stages, readFrom(i, in.text))
		}
		in.stage = len(f.stages) - 1
		if in.stage >= 0 {
			f.stages[in.stage].size++
			in.number = f.stages[in.stage].size
		}
	}
}

func readFrom(at int, text string) stage {
	s := stage{from: at}
	words := strings.Fields(text)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		if value, ok := strings.CutPrefix(words[0], "--platform="); ok {
			s.platform = value
		}
		words = words[1:]
	}
	if len(words) > 0 {
		s.image = words[0]
	}
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		s.name = words[2]
	}
	return s
}

// hereDoc is a here-document whose text stands behind the statement.
type hereDoc struct {
	word string // as it is written: <<-"EOF"
	tabs bool   // may stand before the last line
	last string
}

func (h hereDoc) endsWith(line string) bool {
	if h.tabs {
		line = strings.TrimLeft(line, "\t")
	}
	return line == h.last
}

// hereDocs are the statement's here-documents.
func (in statement) hereDocs() []hereDoc {
	if in.keyword != "RUN" && in.keyword != "COPY" && in.keyword != "ADD" {
		return nil
	}
	var out []hereDoc
	for _, word := range splitWords(in.text) {
		if m := hereDocument().FindStringSubmatch(word); m != nil {
			out = append(out, hereDoc{word, m[1] == "-", m[2] + m[3] + m[4]})
		}
	}
	return out
}

// refuse names the line of a here-document that the builder does not know: it
// would run the command without it, or take its text for statements.
func (f *classicFile) refuse(builder Info) error {
	for _, in := range f.statements {
		if docs := in.hereDocs(); len(docs) > 0 && builder.Refuses(in.keyword+" heredoc") {
			return fmt.Errorf("%w: line %d: the classic builder has no here-documents (%s); use BuildKit, or write the lines with && and a backslash", ErrUnsupported, in.line, docs[0].word)
		}
	}
	return nil
}

// until is the index of the last stage that a classic build of target builds.
func (f *classicFile) until(target string) int {
	for i, s := range f.stages {
		if strings.EqualFold(s.name, target) && target != "" || target == fmt.Sprint(i) {
			return i
		}
	}
	return len(f.stages) - 1
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

// title is an statement as BuildKit would call it: "[build 2/4] RUN make".
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
