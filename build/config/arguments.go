package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// arguments reads the knobs that hold pairs.
func (l *loader) arguments() {
	l.config.BuildArgs = l.pairs("BUILD_ARGS", l.badArgument)
	l.config.Labels = l.pairs("LABELS", l.badLabel)
	l.config.Annotations = l.pairs("ANNOTATIONS", l.badAnnotation)
	l.config.Contexts = l.pairs("CONTEXTS", l.badContext)
	for i := range l.config.Contexts {
		c := &l.config.Contexts[i]
		if localContext(c.Value) {
			c.Value = l.absolute(c.Value)
		}
	}
	l.secrets()
	l.agents()
	l.config.CacheFrom, l.config.CacheTo = l.caches("CACHE_FROM"), l.caches("CACHE_TO")
	l.scan()
}

// pairs reads NAME=value items; of one name the last counts. check sees whether there was a value, and may put one in or correct the name.
func (l *loader) pairs(name string, check func(p *Pair, valued bool) string) []Pair {
	s := l.get(name)
	if l.torn(s) {
		return nil
	}
	byName := map[string]Pair{}
	for _, i := range s.items {
		key, value, valued := strings.Cut(i.text, "=")
		p := Pair{Name: key, Value: value, Origin: i.origin}
		problem := "has a value without a name: write NAME=value"
		if key != "" {
			problem = check(&p, valued)
		}
		if problem != "" { // without the value, which may be what nobody should read
			l.fail(&UsageError{Knob: name, Text: key, Origin: i.origin, Problem: problem})
			continue
		}
		byName[p.Name] = p
	}
	all := sortedPairs(byName)
	l.recordPairs(name, all)
	return all
}

// torn finds a secret that white space took apart, whose parts would be shown as words that make no sense.
func (l *loader) torn(s setting) bool {
	for _, i := range s.items {
		if name, value, _ := strings.Cut(i.text, "="); leaks(name, value) {
			return false // it is whole, and will be told with its name
		}
	}
	if !leaks("", strings.Join(s.texts(), " ")) {
		return false
	}
	l.fail(&UsageError{Knob: s.knob.Name, Origin: s.origin, Problem: "holds what looks like a secret, which would stay in the image: use SECRETS"})
	return true
}

func sortedPairs(byName map[string]Pair) []Pair {
	var all []Pair
	for _, p := range byName {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// recordPairs keeps pairs for plan with each of their origins.
func (l *loader) recordPairs(name string, all []Pair) {
	var texts, origins []string
	for _, p := range all {
		texts = append(texts, p.Name+"="+p.Value)
		if !slices.Contains(origins, p.Origin) {
			origins = append(origins, p.Origin)
		}
	}
	l.record(name, joinQuoted(texts, pairs), strings.Join(origins, ", "))
}

var argument = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// badArgument checks a build-arg. A name alone takes its value from the environment, as with docker build.
func (l *loader) badArgument(p *Pair, valued bool) string {
	if !valued {
		if p.Value = l.getenv(p.Name); p.Value == "" {
			l.later(&UsageError{Knob: "BUILD_ARGS", Text: p.Name, Origin: p.Origin, Problem: "has no value, and the environment has none: write " + p.Name + "=value"})
		}
		p.Origin = alone(p.Name)
	}
	switch {
	case !argument.MatchString(p.Name):
		return "is no name of an ARG: use letters, digits and _"
	case perPlatform(p.Name):
		return "is set for each platform: say which with ARCHES"
	case leaks(p.Name, p.Value):
		return "looks like a secret, which would stay in the image's history: give it as SECRETS=" + strings.ToLower(p.Name) + "=env:" + p.Name +
			" and read it with RUN --mount=type=secret,id=" + strings.ToLower(p.Name)
	}
	return p.badPlaceholder()
}

// perPlatform tells whether an argument is given by the builder, for each platform its own value.
func perPlatform(name string) bool {
	switch name {
	case "GOOS", "GOARCH", "GOARM":
		return true
	}
	for _, prefix := range []string{"TARGET", "BUILD"} {
		switch strings.TrimPrefix(name, prefix) {
		case "PLATFORM", "OS", "ARCH", "VARIANT", "OSVERSION":
			return strings.HasPrefix(name, prefix)
		}
	}
	return false
}

// badLabel checks a label or annotation: it is published, so it must not hold a secret either.
func (l *loader) badLabel(p *Pair, valued bool) string {
	switch {
	case !valued:
		return "has no value: write " + p.Name + "=value"
	case leaks("", p.Value):
		return "looks like a secret, which everybody could read in the image: leave it out"
	}
	return ""
}

// badAnnotation checks an annotation, before which docker buildx and docker/metadata-action write what it is of: index:NAME=value.
func (l *loader) badAnnotation(p *Pair, valued bool) string {
	if of, name, found := strings.Cut(p.Name, ":"); found {
		first, _, _ := strings.Cut(of, "[") // of one platform: manifest[linux/arm64]
		levels := strings.Split(first, ",")
		switch {
		case slices.Contains(levels, "index"):
			p.Name = name
		case slices.Contains([]string{"manifest", "manifest-descriptor", "index-descriptor"}, levels[0]):
			return "is for " + of + ", and these are the list's: write index:" + name + " or " + name + " alone, and LABELS for what is said of each image"
		}
	}
	return l.badLabel(p, valued)
}

// badContext checks that a named context names something.
func (l *loader) badContext(p *Pair, _ bool) string {
	if p.Value == "" {
		return "has no value: write " + p.Name + "=folder or " + p.Name + "=docker-image://image"
	}
	return ""
}

// localContext tells a named context's folder from what only BuildKit can fetch.
func localContext(value string) bool {
	return !strings.Contains(value, "://") && !strings.HasPrefix(value, "target:") && !strings.HasPrefix(value, "git@")
}

// absolute is a path from the run's folder.
func (l *loader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(l.in.Dir, path)
}
