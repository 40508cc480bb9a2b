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
	// OnBuild are the instructions that wait in base images for whoever builds on them, by the images' names in full, where they are known.
	OnBuild map[string][]string
	// Classic is for builders without BuildKit: a stage knows those above it alone. Every is for those of them that build all stages down
	// to the target, needed or not, as Docker's does.
	Classic, Every bool
	// Unsure is for a file that a version of BuildKit's frontend reads which nobody knows here: what one refuses, another may take.
	Unsure bool
	// Build is the engine's platform; empty, it is linux on the architecture of this process. Platform is the one to build for;
	// empty, it is Build.
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
	// Hint says that the name may have been meant for a stage; empty when it can be an image's alone. It is Likely where a stage's
	// name is nearly this one.
	Hint   string
	Likely bool
}

// Context is a named context that the build starts from or copies from.
type Context struct {
	Name     string // as Options has it
	Platform ocispec.Platform
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
	// Name is "RUN heredoc", "RUN --mount", "COPY --link", "ADD --checksum", ...
	Name string
	Idle bool // in a stage that the target is built without
}

// Syntax is a `# syntax=` line: the frontend's image and where it is. Zero: there is none.
type Syntax struct {
	Image string
	Line  int
}
