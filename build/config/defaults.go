package config

import (
	"maps"
	"slices"
)

// Defaults are an importer's own values in Go; an empty field says nothing.
type Defaults struct {
	Img, Registry, Version        string
	Arches, Tags                  []string
	Child, Strategy               string
	Dockerfile, Target, Context   string
	BuildArgs                     map[string]string
	Labels, Annotations, Contexts map[string]string
	Nodes                         map[string]string
	Secrets, SSH                  []string
	CacheFrom, CacheTo            []string
	Scan                          []string
	AllowForeign, AllowDrop       []string
	Syntax, Retry                 string
	Insecure                      bool
}

const magefile = "magefile"

// Texts are the values by the knobs' names, written as on a command line.
func (d Defaults) Texts() map[string]string {
	out := map[string]string{}
	for name, s := range (&loader{in: Input{Defaults: d}}).fromDefaults() {
		out[name] = s.text
	}
	return out
}

// fromDefaults reads the importer's values.
func (l *loader) fromDefaults() map[string]setting {
	d := l.in.Defaults
	layer := map[string]setting{}
	for name, text := range map[string]string{
		"IMG": d.Img, "REGISTRY": d.Registry, "VERSION": d.Version, "CHILD": d.Child, "STRATEGY": d.Strategy, "DOCKERFILE": d.Dockerfile,
		"TARGET": d.Target, "CONTEXT": d.Context, "SYNTAX": d.Syntax, "RETRY": d.Retry,
	} {
		if knob, _ := find(name); text != "" {
			layer[name] = l.textual(knob, text, magefile)
		}
	}
	for name, texts := range map[string][]string{
		"ARCHES": d.Arches, "TAGS": d.Tags, "SECRETS": d.Secrets, "SSH": d.SSH, "CACHE_FROM": d.CacheFrom, "CACHE_TO": d.CacheTo, "SCAN": d.Scan, "ALLOW_FOREIGN": d.AllowForeign, "ALLOW_DROP": d.AllowDrop,
		"BUILD_ARGS": equations(d.BuildArgs), "LABELS": equations(d.Labels), "ANNOTATIONS": equations(d.Annotations), "CONTEXTS": equations(d.Contexts), "NODES": equations(d.Nodes),
	} {
		if knob, _ := find(name); len(texts) > 0 {
			layer[name] = itemised(knob, items(texts, magefile), magefile)
		}
	}
	if knob, _ := find("INSECURE"); d.Insecure {
		layer["INSECURE"] = l.textual(knob, "yes", magefile)
	}
	return layer
}

// equations are a map's NAME=value words, sorted.
func equations(m map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, name+"="+m[name])
	}
	return all
}

func items(texts []string, origin string) []item {
	var all []item
	for _, text := range texts {
		all = append(all, item{text, origin})
	}
	return all
}
