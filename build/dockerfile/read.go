package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// File is a Dockerfile that was read. It is immutable.
type File struct {
	name   string
	src    []byte
	escape rune
	global []instruction
	stages []stage
}

// stage is a FROM and what follows it.
type stage struct {
	index    int
	name     string // in lower case, "" when it has none
	spelled  string // the same as it is written
	base     string // as written, ARGs not expanded
	platform string // of its --platform flag, likewise
	line     int
	body     []instruction
}

// label is what people call the stage.
func (s stage) label() string {
	if s.name == "" {
		return strconv.Itoa(s.index)
	}
	return s.name
}

// instruction is one that BuildKit's instruction parser took, with the node that it was made of.
type instruction struct {
	command instructions.Command
	node    *parser.Node
}

func (i instruction) line() int { return i.node.StartLine }

// ErrNoFrom is what Read says of arguments alone. No such file is to be sent: Docker 20.10 ends where its own frontend reads one.
var ErrNoFrom = errors.New("there is no FROM: begin with FROM and a base image, or FROM scratch")

// Read parses src; name is what errors call it. Errors are *Error.
func Read(src []byte, name string) (*File, error) {
	result, err := parser.Parse(bytes.NewReader(src))
	if err != nil {
		return nil, &Error{Name: name, Line: lineOf(err), Err: oneLine(err)}
	}
	f := &File{name: name, src: bytes.Clone(src), escape: result.EscapeToken}
	for _, node := range result.AST.Children {
		if err := f.add(node); err != nil {
			return nil, f.fault(node.StartLine, "%w", oneLine(err))
		}
	}
	if len(f.stages) == 0 {
		return nil, f.fault(0, "%w", ErrNoFrom)
	}
	return f, nil
}

// add puts the node where it belongs: a FROM opens a stage, an ARG before the first is global.
func (f *File) add(node *parser.Node) error {
	parsed, err := instructions.ParseInstruction(node)
	if err != nil {
		return err
	}
	switch c := parsed.(type) {
	case *instructions.Stage:
		s := stage{index: len(f.stages), name: c.Name, base: c.BaseName, platform: c.Platform, line: node.StartLine}
		if c.Name != "" {
			s.spelled = node.Next.Next.Next.Value // behind the base and AS
		}
		f.stages = append(f.stages, s)
	case instructions.Command:
		return f.addCommand(instruction{c, node})
	}
	return nil
}

func (f *File) addCommand(i instruction) error {
	if len(f.stages) > 0 {
		last := &f.stages[len(f.stages)-1]
		last.body = append(last.body, i)
		return nil
	}
	if _, isArg := i.command.(*instructions.ArgCommand); !isArg {
		return fmt.Errorf("%s stands before the first FROM: only ARG may", strings.ToUpper(i.node.Value))
	}
	f.global = append(f.global, i)
	return nil
}

// DetectSyntax reads the `# syntax=` line alone, which works for files that only that frontend can read.
func DetectSyntax(src []byte) Syntax {
	image, _, where, found := parser.DetectSyntax(src)
	if !found {
		return Syntax{}
	}
	s := Syntax{Image: image, Line: 1}
	if len(where) > 0 && where[0].Start.Line > 0 {
		s.Line = where[0].Start.Line
	}
	return s
}

// fault is an *Error at a line of the file.
func (f *File) fault(line int, format string, args ...any) error {
	return &Error{Name: f.name, Line: line, Err: fmt.Errorf(format, args...)}
}

// lineOf is the line that BuildKit's parser gives an error, 0 when it gives none.
func lineOf(err error) int {
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		return located.Locations[0][0].Start.Line
	}
	return 0
}

// oneLine keeps an error's identity and puts its text in one line: the parser quotes the file, line ends and all.
func oneLine(err error) error {
	if !strings.ContainsAny(err.Error(), "\r\n") {
		return err
	}
	return &flat{err}
}

type flat struct{ error }

func (f *flat) Error() string { return strings.Join(strings.Fields(f.error.Error()), " ") }

func (f *flat) Unwrap() error { return f.error }
