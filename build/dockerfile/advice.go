package dockerfile

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Advice is a line that holds for one architecture in a build for another: what it does, and what to do.
type Advice struct {
	Line int
	Text string
}

// Advice are the lines that mean one architecture whatever is asked for, or emulate without need:
//
//	FROM --platform=linux/amd64, FROM arm64v8/alpine, FROM x:1-amd64      under the final image
//	ARG ARCH=amd64, ARG TARGET_GOARCH                                     that nobody gives
//	GOARCH=amd64                                                          and no other in the whole file
//	RUN curl https://.../app-linux-amd64.tar.gz                           where nothing asks for the machine
//	COPY qemu-arm-static /usr/bin/                                        where no RUN speaks of it
//	FROM --platform=$BUILDPLATFORM golang, go build                       and no word of the target; the last one of what the image takes
//	FROM golang, ARG TARGETARCH, GOARCH=$TARGETARCH                       beside the final image
//
// Only what the file says for sure is told; whether the image is a lie for it, the build finds out. Native wants all to be the
// engine's, and gets none.
func (f *File) Advice(s Strategy, o Options) ([]Advice, error) {
	g, pins, err := f.under(s, o)
	if err != nil || s == Native {
		return nil, err
	}
	scope, err := f.scope(g.o)
	if err != nil {
		return nil, err
	}
	a := adviser{graph: g, pins: pins, scope: scope, words: words()}
	a.arguments()
	for i, n := range g.nodes {
		if g.reach[i] && n.kind != replaced {
			a.from(n)
			a.body(n)
		}
	}
	a.compilers()
	slices.SortStableFunc(a.found, func(x, y Advice) int { return cmp.Compare(x.Line, y.Line) })
	return a.found, nil
}

type adviser struct {
	*graph
	pins  map[int]bool
	scope *scope
	words vocabulary
	goes  []Advice // the lines that set GOARCH, to Text
	found []Advice
}

func (a *adviser) say(line int, format string, args ...any) {
	a.found = append(a.found, Advice{line, fmt.Sprintf(format, args...)})
}

// vocabulary is what the adviser knows by heart.
type vocabulary struct {
	asks     *regexp.Regexp // in a RUN that asks for its machine, or may go several ways
	download *regexp.Regexp
	foreign  *regexp.Regexp // other systems
	checks   *regexp.Regexp // a download's checksum or signature
	fixed    *regexp.Regexp // a GOARCH with a value, and what of Go it is for that makes no program of the image
	system   *regexp.Regexp // a GOOS likewise
	goBuild  *regexp.Regexp
	target   *regexp.Regexp
	qemu     *regexp.Regexp
}

// words are compiled when advice is first asked for, which builds do not do.
var words = sync.OnceValue(func() vocabulary {
	return vocabulary{
		asks:     regexp.MustCompile("`arch`|" + `\buname\b|print-arch|\$\(arch\)|\bcase\b|\bif\b|\[ |TARGETARCH|TARGETPLATFORM`),
		download: regexp.MustCompile(`https?://[^\s'"\\;|&<>()]+`),
		foreign:  regexp.MustCompile(`(?i)windows|darwin|macos|osx|mingw|freebsd|win([-_]|32|64)|\.(exe|msi|dmg)$`),
		checks:   regexp.MustCompile(`(?i)\.(sha\d+(sums?)?|md5(sum)?|asc|sig|minisig|pem|crt)$`),
		fixed:    regexp.MustCompile(`\bGOARCH=["']?([a-z0-9]+)["']?((?:\s+\w+=\S*)*\s+go\s+(?:generate|run|test|vet|env|list|mod|tool)\b)?`),
		system:   regexp.MustCompile(`\bGOOS=["']?([a-z0-9]+)`),
		goBuild:  regexp.MustCompile(`\bgo build\b`),
		target:   regexp.MustCompile(`GOARCH|TARGET`),
		qemu:     regexp.MustCompile(`^qemu-[a-z0-9_*-]+$`),
	}
})

// other finds the machine that a text names, where it is not the one that the build is for and no second one is named.
func (a *adviser) other(text string) (p ocispec.Platform, found bool) {
	all := platforms.Mentioned(text)
	if len(all) == 0 {
		return p, false
	}
	p = all[0]
	several := slices.ContainsFunc(all, func(other ocispec.Platform) bool { return other.Architecture != p.Architecture })
	return p, !several && p.Architecture != a.o.Platform.Architecture
}

// from looks at what a stage is built on.
func (a *adviser) from(n node) {
	switch p, cure, named := a.named(n); {
	case n.kind != fromImage:
	case !a.final[n.index]:
		a.emulated(n)
	case n.pinned != "":
		if p, err := platforms.ParseAny(n.pinned); err == nil && p.Architecture != a.o.Platform.Architecture && !a.given(n.stage.platform) {
			a.say(n.line, "FROM --platform=%s puts the image on a base for %s: leave the flag out", n.stage.platform, platforms.Format(p))
		}
	case named && !a.given(n.base):
		a.say(n.line, "FROM %s is for %s by its name: %s", short(n.base), platforms.Format(p), cure)
	}
}

// given tells whether a word of a FROM has its value from an argument, which is looked at by itself.
func (a *adviser) given(word string) bool {
	for name := range a.scope.used(word) {
		if !isAutomatic(name) {
			return true
		}
	}
	return false
}

// named finds the other machine that an image is for by its name: one of Docker's official images for it alone, or a tag.
func (a *adviser) named(n node) (p ocispec.Platform, cure string, found bool) {
	ref, err := reference.ParseNormalizedNamed(n.written)
	if n.kind != fromImage || err != nil {
		return p, "", false
	}
	space, _, _ := strings.Cut(reference.Path(ref), "/")
	if p, found = a.other(space); found && reference.Domain(ref) == "docker.io" && space == platforms.Docker(p) {
		_, plain, _ := strings.Cut(n.base, space+"/")
		return p, "FROM " + plain + " has each platform's own", true
	}
	if tagged, ok := ref.(reference.Tagged); ok {
		p, found = a.other(tagged.Tag())
		return p, "take a base for all platforms, or write a Dockerfile for each (DOCKERFILE=Dockerfile.{arch})", found
	}
	return p, "", false
}

// emulated tells of a stage that could compile for the platform on the engine's own, and does not.
func (a *adviser) emulated(n node) {
	_, told := n.declares([]string{"TARGETARCH", "TARGETPLATFORM"})
	sets := func(in instruction) bool { return strings.Contains(whole(in), goArch+"=$") }
	if told && n.pinned == "" && !a.pins[n.index] && !n.varies && !platforms.Equal(a.o.Build, a.o.Platform) && slices.ContainsFunc(n.body, sets) {
		a.say(n.line, "FROM --platform=$BUILDPLATFORM lets stage %s compile without emulation", n.label())
	}
}

// body looks at what a stage does. One that is not of the build's platform may well take another's programs.
func (a *adviser) body(n node) {
	p, err := a.platform(n.index, a.pins)
	_, _, named := a.named(a.nodes[a.root(n.index)])
	here := err == nil && p.Architecture == a.o.Platform.Architecture && (a.final[n.index] || !named)
	if slices.ContainsFunc(n.body, func(in instruction) bool { return a.right(whole(in)) }) {
		here = false // a stage that has both, and chooses later
	}
	built := 0 // the line of the last go build: those before it may make tools for this one
	for _, in := range n.body {
		text := whole(in)
		switch c := in.command.(type) {
		case *instructions.RunCommand:
			a.compiles(in.line(), text)
			if here && !a.words.asks.MatchString(text) {
				a.downloads(in.line(), text)
			}
			if a.words.goBuild.MatchString(text) {
				built = in.line()
			}
		case *instructions.EnvCommand:
			a.compiles(in.line(), text)
			if here {
				a.downloads(in.line(), text)
			}
		case *instructions.AddCommand:
			if here {
				a.downloads(in.line(), strings.Join(c.SourcePaths, " "))
			}
		case *instructions.CopyCommand:
			if a.final[n.index] {
				a.emulator(in.line(), c.SourcePaths)
			}
		}
	}
	if built > 0 && err == nil && p.Architecture != a.o.Platform.Architecture && a.taken(n.index) && !a.knows(n) {
		a.say(built, "go build compiles for %s here: declare ARG TARGETARCH, and set GOARCH=$TARGETARCH", platforms.Format(p))
	}
}

// taken tells whether files of a stage get into the image, but for those that a stage takes which compiles for the target itself: these
// are its tools and sources.
func (a *adviser) taken(at int) bool {
	return a.final[at] || slices.ContainsFunc(a.nodes, func(n node) bool {
		uses := a.reach[n.index] && (n.parent() == at || slices.Contains(n.sources, at))
		return uses && (a.final[n.index] || !a.knows(n) && a.taken(n.index))
	})
}

// right tells whether a text names the machine that the build is for.
func (a *adviser) right(text string) bool {
	return slices.ContainsFunc(platforms.Mentioned(text), func(p ocispec.Platform) bool { return p.Architecture == a.o.Platform.Architecture })
}

// knows tells whether a stage, or one that it is built on, has any word for what it is to compile for.
func (a *adviser) knows(n node) bool {
	for at := n.index; at >= 0; at = a.nodes[at].parent() {
		if slices.ContainsFunc(a.nodes[at].body, func(in instruction) bool { return a.words.target.MatchString(whole(in)) }) {
			return true
		}
	}
	return false
}

// compiles collects what sets GOARCH for an image of Linux, without a line what is one way of several.
func (a *adviser) compiles(line int, text string) {
	if os := a.words.system.FindStringSubmatch(text); os != nil && os[1] != platforms.Linux {
		return
	}
	if a.words.asks.MatchString(text) {
		line = 0
	}
	for _, m := range a.words.fixed.FindAllStringSubmatch(text, -1) {
		if m[2] == "" {
			a.goes = append(a.goes, Advice{line, m[1]})
		}
	}
}

// compilers tells of a file that sets GOARCH to one value. One that compiles for several knows what it does.
func (a *adviser) compilers() {
	if len(a.goes) == 0 {
		return
	}
	first := a.goes[0]
	several := slices.ContainsFunc(a.goes, func(g Advice) bool { return g.Text != first.Text })
	if p, err := platforms.Parse(first.Text); err == nil && !several && first.Line > 0 && p.Architecture != a.o.Platform.Architecture {
		a.say(first.Line, "GOARCH=%s compiles for %s: declare ARG GOARCH in its place, which has each platform's own", first.Text, platforms.Format(p))
	}
}

func (a *adviser) downloads(line int, text string) {
	if _, alone := a.other(text); !alone {
		return
	}
	for _, address := range a.words.download.FindAllString(text, -1) {
		name := path.Base(address)
		p, found := a.other(name)
		if !found || a.words.foreign.MatchString(address) || a.words.checks.MatchString(address) {
			continue
		}
		if !strings.ContainsAny(name, ".") {
			name = address
		}
		a.say(line, "%s is for %s: choose it by ARG TARGETARCH or uname -m", name, platforms.Format(p))
		return
	}
}

// emulator tells of QEMU in the image, where nobody runs it.
func (a *adviser) emulator(line int, sources []string) {
	spoken := slices.ContainsFunc(a.nodes, func(n node) bool {
		return a.final[n.index] && slices.ContainsFunc(n.body, func(in instruction) bool {
			_, run := in.command.(*instructions.RunCommand)
			return run && strings.Contains(whole(in), "qemu")
		})
	})
	for _, source := range sources {
		if name := path.Base(source); a.words.qemu.MatchString(name) && !spoken && !platforms.Equal(a.o.Build, a.o.Platform) {
			a.say(line, "%s is for the engine, and refused in the image: leave it out, the QEMU that `emulation` registers needs no copy", name)
			return
		}
	}
}

// whole is an instruction's text with its heredocs.
func whole(in instruction) string {
	text := in.node.Original
	for _, h := range in.node.Heredocs {
		text += "\n" + h.Content
	}
	return text
}
