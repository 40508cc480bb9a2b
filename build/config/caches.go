package config

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// CACHE_FROM and CACHE_TO take what docker buildx build --cache-from and --cache-to do:
//
//	ghcr.io/me/app:cache-{arch}                       type=registry with that ref
//	type=registry,ref=ghcr.io/me/app:cache,mode=max   attributes are passed on to BuildKit
//	type=inline                                       in the image itself; read back by the image's reference
//	type=local,src=.cache   type=local,dest=.cache    a folder from the run's, as CONTEXT is
//	type=gha,scope=app                                of GitHub Actions; without a scope, one of each platform
//
// Every platform is a solve of its own and writes a cache of its own, so that {arch} has to be in what they are written to.

// Cache is a place that build cache is read from or written to.
type Cache struct {
	Type  string            // registry, inline, local or gha
	Attrs map[string]string // its attributes as buildx has them
}

// String is the cache as it is written on the command line.
func (c Cache) String() string {
	if ref := c.Attrs["ref"]; c.Type == "registry" && len(c.Attrs) == 1 {
		return ref
	}
	text := "type=" + c.Type
	for _, key := range slices.Sorted(maps.Keys(c.Attrs)) {
		text += "," + key + "=" + c.Attrs[key]
	}
	return text
}

// CachesFor are CACHE_FROM and CACHE_TO with their placeholders filled in for the platform. NO_CACHE reads none, and writes one anew.
func (c Config) CachesFor(p ocispec.Platform) (from, to []Cache) {
	if !c.NoCache {
		from = c.fill(c.CacheFrom, p)
	}
	return from, c.fill(c.CacheTo, p)
}

// CacheFolders are the folders of type=local, those of every platform.
func (c Config) CacheFolders() []string {
	var all []string
	for _, p := range c.Platforms {
		for _, cache := range c.fill(slices.Concat(c.CacheFrom, c.CacheTo), p) {
			folder := cache.Attrs["src"] + cache.Attrs["dest"]
			if cache.Type == "local" && !slices.Contains(all, folder) {
				all = append(all, folder)
			}
		}
	}
	return all
}

func (c Config) fill(caches []Cache, p ocispec.Platform) []Cache {
	var filled []Cache
	for _, cache := range caches {
		attrs := make(map[string]string, len(cache.Attrs))
		for key, value := range cache.Attrs {
			attrs[key] = childTag(value, p, c.Version)
		}
		filled = append(filled, Cache{cache.Type, attrs})
	}
	return filled
}

// caches reads CACHE_FROM or CACHE_TO.
func (l *loader) caches(knob string) []Cache {
	s := l.get(knob)
	var all []Cache
	for _, i := range s.items {
		if leaking(i.text) { // told without the text
			l.fail(&UsageError{Knob: knob, Origin: i.origin, Problem: "holds what looks like a secret: leave it out; registries take what docker login knows, type=gha the environment's ACTIONS_RUNTIME_TOKEN"})
			return nil
		}
		found, problem := cachesIn(i.text)
		for j := 0; j < len(found) && problem == ""; j++ {
			problem = l.badCache(found[j], knob == "CACHE_TO")
		}
		if problem != "" {
			l.fail(&UsageError{Knob: knob, Text: i.text, Origin: i.origin, Problem: problem})
		}
		all = append(all, found...)
	}
	l.record(knob, s.text, s.origin)
	return all
}

func leaking(text string) bool {
	return slices.ContainsFunc(strings.Split(text, ","), func(field string) bool {
		key, value, _ := strings.Cut(field, "=")
		return leaks(key, value)
	})
}

// cachesIn takes a word apart: attributes, or references alone.
func cachesIn(text string) ([]Cache, string) {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, fmt.Sprintf("cannot be taken apart at its commas (%v): write type=registry,ref=ghcr.io/me/app:cache", err)
	}
	if !strings.Contains(text, "=") {
		var all []Cache
		for _, ref := range fields {
			all = append(all, Cache{"registry", map[string]string{"ref": ref}})
		}
		return all, ""
	}
	c := Cache{Attrs: map[string]string{}}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok && strings.ContainsAny(field, "/:") {
			return nil, "has " + field + " among what belongs to one cache: put a blank between two of them"
		}
		if value == "" {
			return nil, "has " + field + " without a value: write " + strings.TrimSuffix(field, "=") + "=value, or leave it out"
		}
		c.Attrs[strings.ToLower(strings.TrimSpace(key))] = value
	}
	c.Type = c.Attrs["type"]
	delete(c.Attrs, "type")
	return []Cache{c}, ""
}

// badCache checks one cache, and makes its path absolute.
func (l *loader) badCache(c Cache, written bool) string {
	if c.Type == "" {
		return "has no type: begin it with type=registry, type=local or type=gha"
	}
	if problem, ok := oneOf(c.Type, "registry", "inline", "local", "gha"); !ok {
		return "has a type that " + problem
	}
	if problem := badName(c.String(), "{arch}", "{version}"); problem != "" {
		return problem
	}
	where, other := map[string]string{"registry": "ref", "local": "src", "gha": "scope"}[c.Type], "dest"
	switch {
	case c.Type == "inline" && written:
		return ""
	case c.Type == "inline":
		return "is only written: read it by the reference of the image that it is in"
	case c.Type == "local" && written:
		where, other = "dest", "src"
	case c.Type == "gha" && c.Attrs[where] == "":
		c.Attrs[where] = "buildkit-{arch}" // BuildKit's own default is one for all
	}
	if c.Attrs[where] == "" {
		return "does not say where: add " + where + "="
	}
	if c.Attrs[other] != "" {
		return "has " + other + "=, which is for the other of CACHE_FROM and CACHE_TO: leave it out"
	}
	return l.badPlace(c, where, written)
}

// badPlace checks where a cache is: where is the attribute that says it.
func (l *loader) badPlace(c Cache, where string, written bool) string {
	place, own := c.Attrs[where], "-{arch}"
	if c.Type == "local" {
		c.Attrs[where], own = l.absolute(place), "/{arch}"
	}
	if c.Type == "registry" {
		for _, p := range l.config.Platforms {
			ref, err := reference.ParseNormalizedNamed(childTag(place, p, l.config.Version))
			switch {
			case err != nil:
				return "names " + place + ", which is no reference: write one such as ghcr.io/me/app:cache"
			case written && l.config.publishes(reference.TagNameOnly(ref).String()):
				return "would be written over the image itself: choose another tag, such as cache-{arch}"
			case reference.IsNameOnly(ref):
				own = ":cache-{arch}"
			}
		}
	}
	if written && len(l.config.Platforms) > 1 && !strings.Contains(place, "{arch}") {
		return "would be written by every platform over the others': write " + where + "=" + place + own + ", in CACHE_FROM too"
	}
	return ""
}

// publishes tells whether a reference is one of the image's own.
func (c Config) publishes(ref string) bool {
	own := c.ListRefs()
	for _, p := range c.Platforms {
		own = append(own, c.ChildRef(p), c.Image+":"+c.LatestTag(p))
	}
	return slices.Contains(own, ref)
}
