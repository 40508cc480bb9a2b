package targets

import (
	"cmp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/config"
)

// habits are options of docker build, buildx and make, and the knobs that say the same here.
var habits = map[string]string{
	"platform": "ARCHES", "tag": "IMG", "f": "DOCKERFILE", "file": "DOCKERFILE", "build-arg": "BUILD_ARGS", "build-context": "CONTEXTS",
	"secret": "SECRETS", "label": "LABELS", "annotation": "ANNOTATIONS", "builder": "NODES",
}

// deeds are options for what a target does, or does anyway.
var deeds = map[string]string{
	"push": "the target push does that", "dry-run": "the target plan shows what would be done", "n": "the target plan shows what would be done",
	"load": "the target build leaves the images in the engine",
}

// habit says how a wish that was written as an option is written here; "" when it is not known.
func habit(option string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(option, "-"), "=")
	if deed := deeds[name]; deed != "" {
		return deed
	}
	name = cmp.Or(habits[name], strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
	knobs := config.Knobs()
	i := slices.IndexFunc(knobs, func(k config.Knob) bool { return k.Name == name || slices.Contains(k.Synonyms, name) })
	switch {
	case i < 0:
		return ""
	case knobs[i].Example == "":
		return "it is the knob " + name
	}
	return "write it as a knob, such as " + knobs[i].Example
}
