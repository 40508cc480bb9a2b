// Package config makes one valid Config of the command line, the environment, manymage.yaml, an importer's defaults, and
// what git and the folder say; every value knows where it came from.
//
//	NAME=value words  >  MANYMAGE_NAME  >  NAME  >  manymage.yaml  >  Defaults  >  git and folder
//
// The names are those of Knobs. A value that cannot be meant is a *UsageError that names the knob, its origin and the way out;
// all of them are reported at once (errors.Join).
package config

import (
	"slices"
	"strings"
	"time"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Config is what one run was asked for, valid. It is a plain value; its slices are not shared with Input.
type Config struct {
	// Dir is the absolute folder that the run is for; relative paths count from it.
	Dir string
	// Image is the repository without tag in its full form ("docker.io/me/app"). When Embedded, it is the path alone ("app"):
	// the registry inside the process is put before it once its port is known, with WithRegistry.
	Image    string
	Embedded bool
	// Version is a valid tag; "dev" when nobody knows better.
	Version string
	// Platforms is ARCHES, normalised, in the order given; Only is ONLY, a subset of it, or empty.
	Platforms []ocispec.Platform
	Only      []ocispec.Platform
	// Tags are the tags of the list; Version when none were asked for. Series are the last of them, which stand for all releases of a
	// series ({major}.{minor}) and go to newer ones alone; Unreleased are templates of such tags, where Version is no release.
	Tags       []string
	Series     []Series
	Unreleased []string
	// Child is the template of a platform's tag; ChildTag fills it in.
	Child string
	// Strategy is auto, cross, target or native.
	Strategy string
	// Dockerfile is an absolute path that may hold {arch}; DockerfileFor fills it in. Context is an absolute folder.
	Dockerfile string
	Context    string
	// Nodes are the engines of platforms that are not built on the run's own; NodeFor finds one.
	Nodes []Node
	// Target is the stage to build, the last when empty.
	Target string
	// BuildArgs may hold placeholders in their values; BuildArgsFor fills them in. Sorted by name, as Labels, Annotations, Contexts are.
	BuildArgs   []Pair
	Labels      []Pair
	Annotations []Pair
	// Contexts are named contexts: a name, and a folder (absolute) or what BuildKit takes, such as docker-image://alpine.
	Contexts []Pair
	Secrets  []Secret
	SSH      []Agent
	// CacheFrom and CacheTo may hold placeholders; CachesFor fills them in.
	CacheFrom []Cache
	CacheTo   []Cache
	// Scan is the command that each platform's image is scanned with, in words that may hold placeholders; ScanFor fills them in.
	Scan []string
	// Verbose is V.
	Verbose bool
	// NoCache builds without the engine's cache.
	NoCache bool
	// AllowForeign are absolute paths in the image that may be of another architecture; AllowDrop platforms that the tag may lose.
	AllowForeign []string
	AllowDrop    []ocispec.Platform
	// Syntax is "auto" (the file's `# syntax=` line counts) or "builtin" (the engine's own frontend).
	Syntax string
	// Retry bounds the time that one operation on a registry is retried. Zero: never again.
	Retry time.Duration
	// Username and Password are REGISTRY_USER and REGISTRY_PASSWORD, for the image's registry. Both or none.
	Username string
	Password Password

	values  []Value
	words   map[string]string
	hosts   hosts   // of INSECURE
	path    string  // the embedded image's name without registry
	unready []error // what a build lacks and other targets do not
}

// Pair is one NAME=value of a knob that holds many.
type Pair struct {
	Name, Value string
	// Origin as in Value.
	Origin string
}

// Secret is one secret of a build: a file, or an environment variable.
type Secret struct {
	ID string
	// File is an absolute path; Env the name of a variable. One of them is empty.
	File, Env string
}

// Agent is one ssh agent or set of keys that a build may use.
type Agent struct {
	ID string
	// Paths are a socket, or key files; none: SSH_AUTH_SOCK.
	Paths []string
}

// Value is one knob as it was set, for plan and for error sentences.
type Value struct {
	Knob string
	// Text is the value as it was written; lists joined by spaces, passwords hidden.
	Text string
	// Origin says where from: "command line", "environment MANYMAGE_IMG", "manymage.yaml:3", "magefile", "git tag v1.2.0",
	// "folder name", "default".
	Origin string
}

// byDefault is the origin of what nobody said and nothing else told.
const byDefault = "default"

// IsDefault tells that nobody said the value.
func (v Value) IsDefault() bool { return v.Origin == byDefault }

// Password is a string that does not print.
type Password string

// String hides the password, so that no format verb shows it.
func (Password) String() string { return "(hidden)" }

// GoString hides the password from %#v.
func (Password) GoString() string { return "(hidden)" }

// MarshalText hides the password from JSON and YAML.
func (Password) MarshalText() ([]byte, error) { return []byte("(hidden)"), nil }

// Value is the knob's value and origin; a synonym is as good as the name. A knob that nobody set and that has no default is zero
// but for its name.
func (c Config) Value(knob string) Value {
	if k, known := find(knob); known {
		knob = k.Name
	}
	for _, v := range c.values {
		if v.Knob == knob {
			return v
		}
	}
	return Value{Knob: knob}
}

// Values are all knobs that have a value, in the order of Knobs.
func (c Config) Values() []Value { return slices.Clone(c.values) }

// Run are the platforms that this run is about: Only when it narrows, else all.
func (c Config) Run() []ocispec.Platform {
	if c.Partial() {
		return slices.Clone(c.Only)
	}
	return slices.Clone(c.Platforms)
}

// Partial tells that this run leaves platforms out, so that the list tags must not move.
func (c Config) Partial() bool { return len(c.Only) > 0 && len(c.Only) < len(c.Platforms) }

// WithRegistry is the Config of an embedded image once its registry's host:port is known. Any other Config is as it was.
func (c Config) WithRegistry(host string) Config {
	if c.Embedded {
		c.Image = host + "/" + c.path
	}
	return c
}

// ChildTag is the tag of a platform's own image, "arm64-1.2.0"; LatestTag the moving one beside it, "arm64-latest".
func (c Config) ChildTag(p ocispec.Platform) string { return childTag(c.Child, p, c.Version) }

// LatestTag is ChildTag with "latest" for the version.
func (c Config) LatestTag(p ocispec.Platform) string { return childTag(c.Child, p, latest) }

func childTag(template string, p ocispec.Platform, version string) string {
	return strings.NewReplacer("{arch}", platforms.Short(p), "{version}", version).Replace(template)
}

// ChildRef is Image with ChildTag.
func (c Config) ChildRef(p ocispec.Platform) string { return c.Image + ":" + c.ChildTag(p) }

// ListRefs are Image with each of Tags, in order.
func (c Config) ListRefs() []string {
	refs := make([]string, len(c.Tags))
	for i, tag := range c.Tags {
		refs[i] = c.Image + ":" + tag
	}
	return refs
}

// DockerfileFor is the platform's Dockerfile.
func (c Config) DockerfileFor(p ocispec.Platform) string {
	return strings.ReplaceAll(c.Dockerfile, "{arch}", platforms.Short(p))
}

// BuildArgsFor are BuildArgs with their placeholders filled in for the platform.
func (c Config) BuildArgsFor(p ocispec.Platform) []Pair {
	filled := slices.Clone(c.BuildArgs)
	for i := range filled {
		filled[i].Value = filled[i].fill(p)
	}
	return filled
}

// PlaceholderArgs are the names of the build-args whose value depends on the platform.
func (c Config) PlaceholderArgs() []string {
	var names []string
	for _, arg := range c.BuildArgs {
		if arg.fill(ocispec.Platform{OS: "none", Architecture: "none", Variant: "none"}) != arg.Value {
			names = append(names, arg.Name)
		}
	}
	return names
}

// Getenv is next with the words of the command line before it (DOCKER_HOST=... and its like), for what is no knob.
func (c Config) Getenv(next func(string) string) func(string) string { return overlay(c.words, next) }
