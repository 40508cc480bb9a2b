package targets

import (
	"cmp"
	"strings"

	"github.com/manymage/manymage/build/config"
)

// habits are options of docker that mean another knob than the one of that name.
var habits = map[string]string{"tag": "IMG", "f": "DOCKERFILE"}

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
	knob, ok := config.Meant(cmp.Or(habits[name], strings.ToUpper(strings.ReplaceAll(name, "-", "_"))))
	switch {
	case !ok:
		return ""
	case knob.Example == "":
		return "it is the knob " + knob.Name
	}
	return "write it as a knob, such as " + knob.Example
}
