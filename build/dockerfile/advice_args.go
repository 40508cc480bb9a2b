package dockerfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// arguments looks at the ARGs that name one architecture, or are to name one, and that nobody gives.
func (a *adviser) arguments() {
	told := map[string]bool{"GOOS": true, goArch: true, "GOARM": true}
	for _, arg := range a.file.Args() {
		_, given := a.o.Args[arg.Name]
		if given || told[arg.Name] || isAutomatic(arg.Name) || !a.uses(arg) {
			continue
		}
		if text := a.unfit(arg); text != "" {
			a.say(arg.Line, "ARG %s %s", arg.Name, text)
			told[arg.Name] = true
		}
	}
}

// unfit says what is wrong with the value of an argument that nobody gives.
func (a *adviser) unfit(arg Arg) string {
	value, _, err := a.scope.expand(arg.Default)
	_, above := a.scope.values[arg.Name]
	p, other := a.other(value)
	_, notOne := platforms.Parse(value)
	switch {
	case err != nil:
	case other && notOne == nil:
		return fmt.Sprintf("is %s for all platforms: %s", value, a.give(arg.Name, value, p))
	case other && arg.Stage < 0 && a.isBase(arg.Name):
		return fmt.Sprintf("is %s for all platforms: %s", value, giveBase(arg.Name, value, p))
	case !arg.HasDefault && !above && arg.Stage >= 0 && arg.Name == addOnArch:
		return "has no value: BUILD_ARGS=" + addOnArch + "={hass} gives it each platform's"
	case !arg.HasDefault && !above && arg.Stage >= 0 && isArch(arg.Name):
		return fmt.Sprintf("has no value: BUILD_ARGS=%s={arch} gives it each platform's, or {uname}, {debian}, {docker} other words for it", arg.Name)
	}
	return ""
}

// addOnArch is the argument by which Home Assistant's builder tells an add-on its architecture, in words of its own.
const addOnArch = "BUILD_ARCH"

// addOnBase is the one by which it names the base.
const addOnBase = "BUILD_FROM"

// isArch tells names of architectures, as APP_ARCH and HOSTARCH, from words that end so.
func isArch(name string) bool {
	name = strings.ToUpper(name)
	return strings.HasSuffix(name, "ARCH") && !strings.HasSuffix(name, "SEARCH")
}

// uses tells whether a FROM or a stage that is needed uses an argument where it is declared.
func (a *adviser) uses(arg Arg) bool {
	name := regexp.QuoteMeta(arg.Name)
	use := regexp.MustCompile(`\$(\{` + name + `\}|` + name + `\b)`)
	used := func(in instruction) bool {
		_, label := in.command.(*instructions.LabelCommand)
		return !label && use.MatchString(whole(in))
	}
	for i, n := range a.nodes {
		_, declares := n.declares([]string{arg.Name})
		switch {
		case !a.reach[i]:
		case arg.Stage < 0 && use.MatchString(n.base+" "+n.stage.platform):
			return true
		case declares && (arg.Stage < 0 || arg.Stage == i) && slices.ContainsFunc(n.body, used):
			return true
		}
	}
	return false
}

// give is how an argument gets the word for each platform that it has for one.
func (a *adviser) give(name, value string, p ocispec.Platform) string {
	space := slices.ContainsFunc(a.nodes, func(n node) bool {
		return strings.HasPrefix(n.base, "$"+name+"/") || strings.HasPrefix(n.base, "${"+name+"}/")
	})
	for _, word := range wordsFor(name, p) {
		if word.is == value && (!space || word.placeholder == "{docker}") {
			return fmt.Sprintf("give each its own, as BUILD_ARGS=%s=%s does", name, word.placeholder)
		}
	}
	if strings.Contains(value, "/") {
		return "ARG TARGETPLATFORM in its place has each its own"
	}
	return "declare ARG TARGETARCH in its place, which has each platform's own"
}

// word is what a placeholder of BUILD_ARGS becomes.
type word struct{ placeholder, is string }

// wordsFor are those for a platform, the likelier first: for Home Assistant's arguments the words of its builder.
func wordsFor(name string, p ocispec.Platform) []word {
	own := word{"{hass}", platforms.HomeAssistant(p)}
	all := []word{{"{arch}", p.Architecture}, {"{uname}", platforms.Uname(p)}, {"{debian}", platforms.Debian(p)}, {"{docker}", platforms.Docker(p)}}
	if name == addOnArch || name == addOnBase {
		return append([]word{own}, all...)
	}
	return append(all, own)
}

// isBase tells whether the image is built on what an argument names.
func (a *adviser) isBase(name string) bool {
	return slices.ContainsFunc(a.nodes, func(n node) bool {
		return a.final[n.index] && n.kind == fromImage && (n.base == "$"+name || n.base == "${"+name+"}")
	})
}

// giveBase is how such an argument gets each platform's image, where one is named for its machine.
func giveBase(name, value string, p ocispec.Platform) string {
	var best word
	for _, word := range wordsFor(name, p) {
		if strings.Contains(value, word.is) && len(word.is) > len(best.is) {
			best = word
		}
	}
	if best.is == "" {
		return "take a base for all platforms"
	}
	return fmt.Sprintf("give each its own, as BUILD_ARGS=%s=%s does", name, strings.Replace(value, best.is, best.placeholder, 1))
}
