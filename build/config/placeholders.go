package config

import (
	"regexp"
	"strings"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A knob that is a name (TAGS, CHILD, DOCKERFILE) has no use for braces, so that all of them are placeholders there. A build-arg's
// value, or a word of SCAN, may be anything, and only a word in braces is one:
//
//	{arch} {rsut}                        placeholders, the second a wrong one
//	{"a":1} {} {1,2} {a,b} ${x} {{x}}    the value's own, as are %{x} and whatever the environment gives for a name alone
var (
	braces   = regexp.MustCompile(`\{[^{}]*\}`)
	inBraces = regexp.MustCompile(`\{[A-Za-z][A-Za-z0-9_]*\}`)
)

// inArgument is what a build-arg may hold, as help lists it.
func inArgument() []string {
	return []string{"{arch}", "{variant}", "{goarm}", "{uname}", "{debian}", "{docker}", "{rust}", "{hass}"}
}

// placeholders are their words for a platform. {arch} and {variant} are GOARCH's here ("arm", "v7"), since they stand beside each
// other; in names (CHILD, DOCKERFILE) {arch} is both ("armv7").
func placeholders(p ocispec.Platform) map[string]string {
	p = platforms.Normalize(p)
	return map[string]string{
		"{arch}": p.Architecture, "{variant}": p.Variant, "{goarm}": platforms.GOARM(p),
		"{uname}": platforms.Uname(p), "{debian}": platforms.Debian(p), "{docker}": platforms.Docker(p),
		"{rust}": platforms.Rust(p), "{hass}": platforms.HomeAssistant(p),
	}
}

// alone is the origin of a build-arg that was given as a name without a value.
func alone(name string) string { return "environment " + name }

// fill is a build-arg's value with the platform's words in it.
func (p Pair) fill(platform ocispec.Platform) string {
	if p.Origin == alone(p.Name) {
		return p.Value
	}
	return fillIn(p.Value, placeholders(platform))
}

// fillIn is a value with the words of its placeholders.
func fillIn(value string, words map[string]string) string {
	var out strings.Builder
	last := 0
	for _, at := range places(value) {
		if text, ok := words[value[at[0]:at[1]]]; ok {
			out.WriteString(value[last:at[0]] + text)
			last = at[1]
		}
	}
	return out.String() + value[last:]
}

// badPlaceholder says what is wrong with the placeholders of a build-arg's value.
func (p Pair) badPlaceholder() string {
	if p.Origin == alone(p.Name) {
		return ""
	}
	return wrongPlaceholder(written(p.Value),
		"where the braces are the value's own, set it in the environment and write BUILD_ARGS="+p.Name, inArgument()...)
}

// written are the placeholders of a value, and what is written like them.
func written(value string) []string {
	var found []string
	for _, at := range places(value) {
		found = append(found, value[at[0]:at[1]])
	}
	return found
}

// places are where those stand.
func places(value string) [][]int {
	var places [][]int
	for _, at := range inBraces.FindAllStringIndex(value, -1) {
		before, behind := value[:at[0]], value[at[1]:]
		doubled := strings.HasSuffix(before, "{") && strings.HasPrefix(behind, "}")
		if !doubled && !strings.HasSuffix(before, "$") && !strings.HasSuffix(before, "%") {
			places = append(places, at)
		}
	}
	return places
}

// wrongPlaceholder says what is wrong with the first of those found that is not known, with otherwise to do where none is near.
func wrongPlaceholder(found []string, otherwise string, known ...string) string {
	names, filled := map[string]string{}, " is filled in: "
	for _, name := range known {
		names[name] = name
	}
	if len(known) > 1 {
		filled = " are filled in: "
	}
	for _, f := range found {
		if names[f] != "" {
			continue
		}
		problem := "holds " + f + ", and only " + sentence(known) + filled
		if near := nearest(strings.ToLower(f), names); near != "" {
			return problem + "did you mean " + near + "?"
		}
		return problem + otherwise
	}
	return ""
}

// badName says what is wrong with the placeholders of a name, which other tools write in two braces.
func badName(text string, known ...string) string {
	found := braces.FindAllString(text, -1)
	problem := wrongPlaceholder(found, "use no other", known...)
	for _, name := range found {
		if doubled := "{" + name + "}"; problem == "" && strings.Contains(text, doubled) {
			return "holds " + doubled + ": write " + name + ", with one brace at either end"
		}
	}
	return problem
}
