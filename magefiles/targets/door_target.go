package targets

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// target is what a program tells of one of its targets.
type target struct {
	name     string
	usage    string   // "inspect <ref> [-json=<bool>]"
	required []string // the names of the positional arguments
	options  []targetOption
	aliases  []string
}

type targetOption struct {
	name string // as people write it, without the first dash: dry-run
	kind string // string, int, float64, bool, time.Duration
}

// targets checks targets with their arguments and options, and writes them as Mage wants them: positional arguments before
// options, options as -name=value.
func (r *reader) targets(rest []string) ([]string, error) {
	var out []string
	var last *target
	for len(rest) > 0 {
		t, err := r.find(rest[0], last)
		if err != nil {
			return nil, err
		}
		args, n, err := r.arguments(t, rest[1:])
		if err != nil {
			return nil, err
		}
		out = append(append(out, rest[0]), args...)
		rest, last = rest[1+n:], t
		r.count++
		if name, own := r.own(t); own {
			r.runs = append(r.runs, name)
		}
	}
	return out, nil
}

// own is a target of this package without the name under which it was imported. An importer may have a push, too: ours has this
// package's other targets beside it.
func (r *reader) own(t *target) (name string, own bool) {
	at := strings.LastIndex(t.name, ":") + 1
	all, err := r.binary.list()
	for _, beside := range []string{"build", "push", "setarch", "why"} {
		own = slices.ContainsFunc(all, func(name string) bool { return strings.EqualFold(name, t.name[:at]+beside) })
		if !own || err != nil {
			return "", false
		}
	}
	return strings.ToLower(t.name[at:]), true
}

// arguments reads the arguments and options of a target from the front of rest, and tells how many words they took.
func (r *reader) arguments(t *target, rest []string) (args []string, n int, err error) {
	var given, set []string
	for n < len(rest) {
		word := rest[n]
		if !strings.HasPrefix(word, "-") || word == "-" {
			if len(given) == len(t.required) {
				break
			}
			given, n = append(given, word), n+1
			continue
		}
		option, took, err := r.argumentOption(t, rest[n:])
		if err != nil {
			return nil, 0, err
		}
		if option != "" {
			set = append(set, option)
		}
		n += took
	}
	if missing := t.required[len(given):]; len(missing) > 0 && !r.options.help {
		return nil, 0, refuse("%s needs %s: write %s %s", t.name, marked(missing), program(), t.usage)
	}
	return append(given, set...), n, nil
}

func marked(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "<" + name + ">"
	}
	return strings.Join(quoted, " and ")
}

// argumentOption reads an option behind a target: the target's own, or one of Mage's that stands late.
func (r *reader) argumentOption(t *target, rest []string) (string, int, error) {
	name, value, hasValue := strings.Cut(strings.TrimLeft(rest[0], "-"), "=")
	name = mageSpelling(name)
	i := slices.IndexFunc(t.options, func(o targetOption) bool { return mageSpelling(o.name) == name })
	if i < 0 {
		n, err := r.option(rest)
		if err == nil && n == 0 {
			typed, _, _ := strings.Cut(rest[0], "=")
			err = refuse("%s has no option %s%s", t.name, typed, t.choices(typed))
		}
		return "", n, err
	}
	n, o := 1, t.options[i]
	switch {
	case hasValue:
	case o.kind == "bool":
		value = "true"
	case len(rest) > 1:
		value, n = rest[1], 2
	default:
		return "", 0, refuse("option -%s of %s needs a value: write -%s=<%s>", o.name, t.name, o.name, o.kind)
	}
	if !o.accepts(value) {
		return "", 0, refuse("option -%s of %s: %q is no %s: write %s", o.name, t.name, value, o.kind, o.example())
	}
	return "-" + name + "=" + value, n, nil
}

// mageSpelling is -dryrun, which Mage makes of the parameter dryRun.
func mageSpelling(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "") }

// choices ends the sentence about an option that a target does not have.
func (t *target) choices(wrong string) string {
	names := make([]string, len(t.options))
	for i, o := range t.options {
		names[i] = o.name
	}
	if close := closest(mageSpelling(wrong), slices.Concat(names, slices.Sorted(maps.Keys(switches)))); close != "" {
		return ", did you mean -" + close + "?"
	}
	if len(names) == 0 {
		return ": " + cmp.Or(habit(wrong), "it has none")
	}
	return ": it has -" + strings.Join(names, ", -")
}

// accepts tells whether Mage will be able to read a value, so that it is refused before an earlier target has run.
func (o targetOption) accepts(value string) bool {
	var err error
	switch o.kind {
	case "int":
		_, err = strconv.Atoi(value)
	case "float64":
		_, err = strconv.ParseFloat(value, 64)
	case "bool":
		_, err = strconv.ParseBool(value)
	case "time.Duration":
		_, err = time.ParseDuration(value)
	}
	return err == nil
}

func (o targetOption) example() string {
	values := map[string]string{"int": "3", "float64": "0.5", "bool": "true", "time.Duration": "5m30s"}
	return "-" + o.name + "=" + values[o.kind]
}
