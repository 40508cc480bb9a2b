// Package dockerfile reads a Dockerfile: which strategy builds it for another platform, which of its lines would need
// emulation, and the copy of it that cross-builds.
//
//	strategy  solve's platform  stages                                          build-args
//	target    the target        each FROM as it is written                      GOOS, GOARCH, GOARM where declared
//	cross     the target        compiling stages pinned to $BUILDPLATFORM       GOOS, GOARCH, GOARM where declared
//	native    none              all on the engine's platform, relabelled after  GOOS, GOARCH, GOARM where declared
//
// BuildKit's own parser does the reading, so that what is read here is what will be built.
package dockerfile

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Strategy is how a Dockerfile is built for a platform.
type Strategy string

// The strategies; Auto is decided by Choose.
const (
	Auto   Strategy = "auto"
	Target Strategy = "target"
	Cross  Strategy = "cross"
	Native Strategy = "native"
)

// Options is what of a build decides how its Dockerfile is understood.
type Options struct {
	// Target is the stage to build; the last when empty.
	Target string
	// Args are the build-args that the user gives (BUILD_ARGS, filled in for Platform).
	Args map[string]string
	// Arch are names of Args whose value depends on the platform: under an asked-for Cross they mark compiling stages as GOARCH does.
	Arch []string
	// Contexts are the names of the named contexts.
	Contexts []string
	// Build is the engine's platform, Platform the one to build for. Empty: a placeholder that equals nothing else.
	Build, Platform ocispec.Platform
}

// Choice is a decided strategy.
type Choice struct {
	Strategy Strategy
	// Why is a clause for people: "stage build declares ARG GOARCH (line 4)".
	Why string
}

// Pin is a FROM that the cross rewrite pinned to the build platform.
type Pin struct {
	Line         int
	Image, Stage string
}

// Rewrite is a Dockerfile's copy for cross-building.
type Rewrite struct {
	Source []byte
	Pins   []Pin
}

// Run is a RUN instruction of a stage.
type Run struct {
	Line  int
	Text  string // the instruction in one line, shortened
	Stage string // the stage's name, or its index
	// Platform is what it runs on.
	Platform ocispec.Platform
}

// Base is an image that the build starts from or copies from.
type Base struct {
	Image    string // in full form, "docker.io/library/golang:1.12"
	Platform ocispec.Platform
	Line     int
	Stage    string
}

// Arg is a declared ARG.
type Arg struct {
	Name       string
	Default    string
	HasDefault bool
	Line       int
	// Stage is the index of the stage, -1 before the first FROM.
	Stage int
}

// Feature is something in the file that not every builder has.
type Feature struct {
	Line int
	// Name is "heredoc", "RUN --mount", "COPY --link", "ADD --checksum", ...
	Name string
}

// Syntax is a `# syntax=` line: the frontend's image and where it is. Zero: there is none.
type Syntax struct {
	Image string
	Line  int
}

// File is a Dockerfile that was read. It is immutable.
type File struct {
	name string
	src  []byte
}

// Read parses src; name is what errors call it. Errors are *Error.
func Read(src []byte, name string) (*File, error) { return &File{name: name, src: src}, nil }

// DetectSyntax reads the `# syntax=` line alone, which works for files that only that frontend can read.
func DetectSyntax(src []byte) Syntax { return Syntax{} }

// Syntax is the file's `# syntax=` line.
func (f *File) Syntax() Syntax { return Syntax{} }

// Choose decides Auto, and says why of any strategy. A strategy that was asked for and cannot be is an *Error that says why.
func (f *File) Choose(want Strategy, o Options) (Choice, error) { return Choice{Strategy: Target}, nil }

// Cross is the copy of the file in which exactly the compiling roots got --platform=$BUILDPLATFORM; every other byte is as it was.
// A root that is needed for both platforms is an *Error that says why.
func (f *File) Cross(o Options) (Rewrite, error) { return Rewrite{Source: f.src}, nil }

// ForeignRuns are the RUN instructions that the target needs and that run on another platform than o.Build under the strategy,
// in the order of the file.
func (f *File) ForeignRuns(s Strategy, o Options) ([]Run, error) { return nil, nil }

// Bases are the images that building the target under the strategy pulls, each once per platform, in the order of the file.
func (f *File) Bases(s Strategy, o Options) ([]Base, error) { return nil, nil }

// BuildArgs are the arguments to give for the platform, besides the user's: GOOS, GOARCH, GOARM where the file declares them.
// TARGET* and BUILD* are never among them: an explicit value would override BuildKit's own.
func (f *File) BuildArgs(p ocispec.Platform) map[string]string { return nil }

// Args are all declared ARGs in the order of the file.
func (f *File) Args() []Arg { return nil }

// Stages are the names of the stages in order; a stage without a name is its index.
func (f *File) Stages() []string { return nil }

// BuildKitOnly are the features that the classic builder refuses, by line.
func (f *File) BuildKitOnly() []Feature { return nil }

// Heredocs are the here-documents, by line: the frontend inside Docker 20.10 does not know them.
func (f *File) Heredocs() []Feature { return nil }

// OnBuild are the ONBUILD instructions, by line.
func (f *File) OnBuild() []Feature { return nil }
