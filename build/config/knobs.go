package config

import (
	"slices"
	"strings"
)

// Knob is one thing that can be set, as help and README show it.
type Knob struct {
	// Name as on the command line; the environment has it too, and MANYMAGE_ before it; manymage.yaml in lower case.
	Name     string
	Synonyms []string
	// Help is one line without a full stop; Example a word of the command line; Default what counts when nobody says anything.
	Help, Example, Default string

	form form
}

// form is how a knob's text is read.
type form int

const (
	one   form = iota // one text
	truth             // a word for yes or no
	list              // words between commas or spaces
	paths             // the same, quoted as in a shell
	pairs             // NAME=value words between spaces, quoted as in a shell; those of all origins together
	words             // words between spaces, quoted as in a shell
)

// Knobs is the table of all knobs, in the order in which people meet them.
func Knobs() []Knob { return slices.Clone(knobs) }

// knobs is a variable because it is looked into for every knob: made anew each time, it was a tenth of what a short run allocates.
var knobs = []Knob{
	{Name: "IMG", Help: "the image's repository; a :tag on it is VERSION", Example: "IMG=ghcr.io/me/app:1.2.0", Default: "git remote or folder name, in the embedded registry"},
	{Name: "REGISTRY", Help: "put before IMG, or before the default name", Example: "REGISTRY=ghcr.io/me"},
	{Name: "VERSION", Help: "the version, which is the list's tag", Example: "VERSION=1.2.0", Default: "git describe, else dev"},
	{Name: "ARCHES", Synonyms: []string{"PLATFORMS"}, form: list, Help: "all platforms of the image, in the list's order", Example: `ARCHES="amd64 arm64 arm/v7"`, Default: "amd64 arm64"},
	{Name: "ONLY", form: list, Help: "the platforms of this run; the list's tags then stay where they are", Example: "ONLY=arm64"},
	{Name: "NODES", form: pairs, Help: "engines that build their own platforms: addresses or docker contexts", Example: `NODES="arm64,arm/v7=ssh://pi@pi4"`},
	{Name: "TAGS", form: list, Help: "the list's tags; may hold {version}, and for releases {major} {minor}", Example: `TAGS="{version} {major}.{minor} latest"`, Default: "{version}"},
	{Name: "CHILD", Help: "template of each platform's own tag", Example: "CHILD={version}-{arch}", Default: defaultChild},
	{Name: "STRATEGY", Help: "how another platform is built: auto, cross, target or native", Example: "STRATEGY=cross", Default: "auto"},
	{Name: "DOCKERFILE", Help: "the Dockerfile; {arch} in it stands for the platform's name", Example: "DOCKERFILE=Dockerfile.{arch}", Default: "Dockerfile in CONTEXT"},
	{Name: "TARGET", Help: "the stage to build", Example: "TARGET=release", Default: "the last stage"},
	{Name: "CONTEXT", Help: "the folder that is sent to the engine", Example: "CONTEXT=services/api", Default: "."},
	{Name: "CONTEXTS", form: pairs, Help: "named contexts: folders or images by name", Example: "CONTEXTS=base=docker-image://alpine:3.20"},
	{Name: "BUILD_ARGS", form: pairs, Help: "build-args: {arch} {variant} {goarm} {uname} {debian} {docker} {rust} {hass}", Example: `BUILD_ARGS="TRIPLE={rust} DEBUG=0"`},
	{Name: "SECRETS", form: words, Help: "secrets of RUN --mount=type=secret: id=file or id=env:NAME", Example: "SECRETS=npm=env:NPM_TOKEN"},
	{Name: "SSH", form: words, Help: "ssh agents of RUN --mount=type=ssh: id, id=socket or id=key,key", Example: "SSH=default"},
	{Name: "LABELS", form: pairs, Help: "labels of each image, beside those from git", Example: `LABELS="org.opencontainers.image.licenses=MIT"`},
	{Name: "ANNOTATIONS", form: pairs, Help: "annotations of the list", Example: `ANNOTATIONS='org.opencontainers.image.description="My app"'`},
	{Name: "CACHE_FROM", form: words, Help: "build cache to begin with, as docker buildx takes it; with {arch} {version}", Example: "CACHE_FROM=ghcr.io/me/app:latest"},
	{Name: "CACHE_TO", form: words, Help: "where each platform's build cache is written; with {arch} {version}", Example: "CACHE_TO=type=inline"},
	{Name: "NO_CACHE", form: truth, Help: "build without the engine's cache", Example: "NO_CACHE=1", Default: "no"},
	{Name: "SYNTAX", Help: "auto: a # syntax= line counts; builtin: the engine's own frontend", Example: "SYNTAX=builtin", Default: "auto"},
	{Name: "ALLOW_FOREIGN", form: paths, Help: "paths in the image that may be of another architecture", Example: "ALLOW_FOREIGN=/opt/qemu-arm"},
	{Name: "ALLOW_DROP", form: list, Help: "platforms that the tag has and may lose", Example: "ALLOW_DROP=linux/arm/v7"},
	{Name: "SCAN", form: words, Help: "a scanner's command for each image: {image} {platform} {arch} {version}", Example: `SCAN="trivy image --exit-code 1 --platform {platform} {image}"`},
	{Name: "INSECURE", form: list, Help: "registries allowed plain HTTP or unknown certificates; yes: all", Example: "INSECURE=reg.lan:5000", Default: "no"},
	{Name: "RETRY", Help: "how long a failing registry is tried again", Example: "RETRY=30s", Default: defaultRetry},
	{Name: "REGISTRY_USER", Help: "user name for the image's registry; it wins over any login there"},
	{Name: "REGISTRY_PASSWORD", Help: "password or token of REGISTRY_USER; from the environment only"},
	{Name: "V", form: truth, Help: "tell everything that happens", Example: "V=1", Default: "no"},
}

// Environment are the variables of other tools that keep their meaning. They may stand on the command line too.
func Environment() []Knob {
	return []Knob{
		{Name: "DOCKER_HOST", Help: "the engine's address", Example: "DOCKER_HOST=ssh://pi"},
		{Name: "DOCKER_CONTEXT", Help: "the engine by the name of a docker context", Example: "DOCKER_CONTEXT=pi"},
		{Name: "DOCKER_CONFIG", Help: "the folder of Docker's configuration and credentials"},
		{Name: "DOCKER_BUILDKIT", Help: "0: the classic builder", Example: "DOCKER_BUILDKIT=0"},
		{Name: "DOCKER_TLS", Help: "TLS to the engine, whoever answers"},
		{Name: "DOCKER_TLS_VERIFY", Help: "TLS to the engine, verified"},
		{Name: "DOCKER_CERT_PATH", Help: "the folder of the certificates for it"},
		{Name: "DOCKER_API_VERSION", Help: "the newest version of the engine's API that is spoken", Example: "DOCKER_API_VERSION=1.44"},
		{Name: "SOURCE_DATE_EPOCH", Help: "the image's time in seconds since 1970", Example: "SOURCE_DATE_EPOCH=0"},
		{Name: "NO_COLOR", Help: "no colours"},
		{Name: "CI", Help: "set by CI systems: plain log"},
	}
}

// find looks a name or a synonym up.
func find(name string) (Knob, bool) {
	at := slices.IndexFunc(knobs, func(k Knob) bool { return k.Name == name || slices.Contains(k.Synonyms, name) })
	if at < 0 {
		return Knob{}, false
	}
	return knobs[at], true
}

// isEnvironment tells whether the name is one of another tool's variables.
func isEnvironment(name string) bool {
	return strings.HasPrefix(name, "GITHUB_") || slices.ContainsFunc(Environment(), func(k Knob) bool { return k.Name == name })
}

// unknown is the end of the sentence about a name that is no knob.
func unknown(name string) string {
	switch upper := strings.ToUpper(name); upper {
	case "GOARCH", "GOARM", "GOOS":
		return `is no knob: it would compile the magefile itself for another machine; the image's platforms are ARCHES, such as ARCHES="amd64 arm64"`
	default:
		if near := nearest(strings.TrimPrefix(upper, "MANYMAGE_"), candidates()); near != "" {
			return "is no knob: did you mean " + near + "?"
		}
	}
	return "is no knob: the target help lists them"
}

// Meant finds the knob that a name stands for: its own, a synonym, or what other tools call it.
func Meant(name string) (Knob, bool) {
	if k, ok := find(name); ok {
		return k, true
	}
	return find(elsewhere()[name])
}

// elsewhere is what people call the knobs, and variables of other tools, in make, in docker and in CI.
func elsewhere() map[string]string {
	return map[string]string{
		"IMAGE": "IMG", "REPO": "IMG", "REPOSITORY": "IMG", "ARCH": "ARCHES", "PLATFORM": "ARCHES", "TAG": "TAGS", "FILE": "DOCKERFILE",
		"STAGE": "TARGET", "BUILDARGS": "BUILD_ARGS", "BUILD_ARG": "BUILD_ARGS", "ARGS": "BUILD_ARGS", "VERBOSE": "V", "DIR": "CONTEXT", "HOST": "DOCKER_HOST", "BUILDER": "NODES",
		"USER": "REGISTRY_USER", "PASSWORD": "REGISTRY_PASSWORD", "SECRET": "SECRETS", "CACHE": "CACHE_FROM",
		"SCANNER": "SCAN", "LABEL": "LABELS", "ANNOTATION": "ANNOTATIONS", "BUILD_CONTEXT": "CONTEXTS",
	}
}

// candidates are all names that can be meant.
func candidates() map[string]string {
	all := elsewhere()
	for _, k := range knobs {
		for _, name := range append([]string{k.Name}, k.Synonyms...) {
			all[name] = name
		}
	}
	for _, k := range Environment() {
		all[k.Name] = k.Name
	}
	return all
}
