package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	passwordKnob = "REGISTRY_PASSWORD"
	// defaultRetry outlasts a registry's restart and stays below the patience of somebody who looks on.
	defaultRetry = "2m"
	// longestRetry is beyond what anybody waits for; more is a slip of units.
	longestRetry = 24 * time.Hour
)

// build reads the knobs that say how to build.
func (l *loader) build() {
	l.config.Strategy = l.enum("STRATEGY", "auto", "cross", "target", "native")
	l.config.Syntax = l.enum("SYNTAX", "auto", "builtin")
	l.config.Target = l.scalar("TARGET", "").text
	context := l.scalar("CONTEXT", ".")
	if problem := noFolder(withoutLogin(context.text)); problem != "" {
		l.fail(context.wrong(problem))
	}
	l.config.Context = l.absolute(context.text)
	l.dockerfile()
	l.foreign()
}

// enum is a knob of few words, the first of them the default.
func (l *loader) enum(name string, words ...string) string {
	s := l.scalar(name, words[0])
	text := strings.ToLower(s.text)
	if problem, ok := oneOf(text, words...); !ok {
		l.fail(s.wrong(problem))
	}
	return text
}

// dockerfile counts from the run's folder, as docker build -f does; without a word of anybody it is in the context, in small letters
// where there is no other, as docker build has it.
func (l *loader) dockerfile() {
	s := l.get("DOCKERFILE")
	if !s.said() {
		name := "Dockerfile"
		if small := strings.ToLower(name); !l.inContext(name) && l.inContext(small) {
			name = small
		}
		l.record("DOCKERFILE", name, byDefault)
		l.config.Dockerfile = filepath.Join(l.config.Context, name)
		return
	}
	l.record("DOCKERFILE", s.text, s.origin)
	if problem := badName(s.text, "{arch}"); problem != "" {
		l.fail(s.wrong(problem))
	}
	l.config.Dockerfile = l.absolute(s.text)
}

// inContext tells whether the context has a file of that name.
func (l *loader) inContext(name string) bool {
	_, err := os.Lstat(filepath.Join(l.config.Context, name))
	return err == nil
}

// foreign reads ALLOW_FOREIGN.
func (l *loader) foreign() {
	s := l.get("ALLOW_FOREIGN")
	if !s.said() {
		return
	}
	l.record("ALLOW_FOREIGN", s.text, s.origin)
	for _, i := range s.items {
		if !strings.HasPrefix(i.text, "/") {
			l.fail(&UsageError{Knob: "ALLOW_FOREIGN", Text: i.text, Origin: i.origin, Problem: "is no path in the image: begin it with a slash"})
			continue
		}
		l.config.AllowForeign = append(l.config.AllowForeign, i.text)
	}
}

// registry reads what is about the registry.
func (l *loader) registry() {
	l.retry()
	user, password := l.get("REGISTRY_USER"), l.get(passwordKnob)
	l.record("REGISTRY_USER", user.text, user.origin)
	switch {
	case user.said() && !password.said():
		l.fail(user.wrong("has no password: set " + passwordKnob + " in the environment"))
	case password.said() && !user.said():
		l.fail(&UsageError{Knob: passwordKnob, Origin: password.origin, Problem: "has no user: set REGISTRY_USER too"})
	case password.said():
		l.config.Username, l.config.Password = user.text, Password(password.text)
		l.record(passwordKnob, l.config.Password.String(), password.origin)
	}
}

// retry reads a duration; a number alone is seconds.
func (l *loader) retry() {
	s := l.scalar("RETRY", defaultRetry)
	text := s.text
	if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > longestRetry {
		l.fail(s.wrong("is no length of time up to a day: write it as in 30s or 5m, or 0 for never"))
	}
	l.config.Retry = d
}

// switches reads the knobs for yes and no.
func (l *loader) switches() {
	l.insecure()
	l.config.NoCache = l.truth("NO_CACHE")
	l.config.Verbose = l.truth("V")
}

func (l *loader) truth(name string) bool {
	s := l.get(name)
	if !s.said() {
		return false
	}
	l.record(name, s.text, s.origin)
	yes, known := yesOrNo(s.text)
	if !known {
		l.fail(s.wrong("is neither yes nor no: write 1 or 0"))
	}
	return yes
}

func yesOrNo(text string) (yes, known bool) {
	switch strings.ToLower(text) {
	case "1", "true", "t", "yes", "y", "on":
		return true, true
	case "0", "false", "f", "no", "n", "off":
		return false, true
	}
	return false, false
}
