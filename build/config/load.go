package config

// Input is all that a Config is made of.
type Input struct {
	// Words are the NAME=value words of the command line (IsWord), in order; as with make the last of a name counts.
	Words []string
	// Getenv is the environment; nil is an empty one. A variable that is set but empty counts as not set.
	Getenv func(string) string
	// Dir is the folder that the run is for: manymage.yaml is in it. It must be absolute.
	Dir string
	// Defaults are the importer's, in Go.
	Defaults Defaults
	// Extra are names of words that the importer reads itself: they are let through.
	Extra []string
	// Repository is what git says of Dir (build/git's Info).
	Repository Repository
}

// Repository is what git says that a Config can be made of; fields may be empty.
type Repository struct {
	// Version as `git describe` has it, and where it is from: "git tag v1.2.0".
	Version, Origin string
	// Name of the repository, from its remote; Prefix the path of Dir inside of it.
	Name, Prefix string
}

// Defaults are an importer's own values in Go; an empty field says nothing.
type Defaults struct {
	Img, Registry, Version        string
	Arches, Tags                  []string
	Child, Strategy               string
	Dockerfile, Target, Context   string
	BuildArgs                     map[string]string
	Labels, Annotations, Contexts map[string]string
	Secrets, SSH                  []string
	AllowForeign, AllowDrop       []string
	Syntax, Retry                 string
	Insecure                      bool
}

// FileName is the configuration file that is read from Input.Dir when it is there.
const FileName = "manymage.yaml"

// Load makes a Config, or tells everything that is wrong with the input at once: each error is a *UsageError.
func Load(in Input) (Config, error) { return Config{}, nil }

// IsWord tells whether an argument of the command line is a NAME=value word rather than a target or an option.
func IsWord(arg string) bool { return false }
