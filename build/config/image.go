package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/distribution/reference"
)

// image reads IMG and REGISTRY, which make the repository, and leaves IMG's tag to VERSION:
//
//	IMG                       REGISTRY      repository
//	ghcr.io/me/app[:tag]      -             ghcr.io/me/app
//	me/app                    -             docker.io/me/app
//	app                       ghcr.io/me    ghcr.io/me/app
//	app                       -             refused: Docker would take it for one of its own
//	-                         ghcr.io/me    ghcr.io/me/NAME
//	-                         -             NAME in the embedded registry
func (l *loader) image() {
	img, registry := l.get("IMG"), l.get("REGISTRY")
	l.record("REGISTRY", registry.text, registry.origin)
	if !img.said() {
		l.unnamed(registry)
		return
	}
	l.record("IMG", img.text, img.origin)
	repository, tag := cutTag(img.text)
	if problem := badImage(img.text, repository); problem != "" {
		l.fail(img.wrong(problem))
		return
	}
	if registry.said() {
		if repository = l.join(img, registry, repository); repository == "" {
			return
		}
	} else if !strings.Contains(repository, "/") {
		l.fail(img.wrong("names no registry: write where it goes, as in IMG=docker.io/me/" + repository + ", or set REGISTRY, or leave IMG out for the embedded registry"))
		return
	}
	l.repository(img, repository)
	l.versionOf(img, tag)
}

// join puts REGISTRY before an image that names none itself. Where both name one the stronger origin wins. A REGISTRY that cannot
// be gives nothing.
func (l *loader) join(img, registry setting, repository string) string {
	prefix := strings.TrimRight(registry.text, "/")
	switch {
	case !namesHost(repository):
		if problem := badRegistry(prefix); problem != "" {
			l.fail(registry.wrong(problem))
			return ""
		}
		return prefix + "/" + repository
	case strings.HasPrefix(repository, prefix+"/") || img.level > registry.level:
		return repository
	}
	l.fail(img.wrong(fmt.Sprintf("names another registry than REGISTRY=%s (%s): leave one of them out", registry.text, registry.origin)))
	return repository
}

// unnamed is the image without IMG.
func (l *loader) unnamed(registry setting) {
	name, origin := l.in.Repository.Name, "git remote"
	if name == "" {
		name, origin = filepath.Base(l.in.Dir), "folder name"
	} else if l.in.Repository.Prefix != "" {
		name += "/" + l.in.Repository.Prefix
	}
	name = sanitise(name)
	l.record("IMG", name, origin)
	l.versionOf(setting{}, "")
	if !registry.said() {
		l.config.Image, l.config.path, l.config.Embedded = name, name, true
		return
	}
	prefix := strings.TrimRight(registry.text, "/")
	if problem := badRegistry(prefix); problem != "" {
		l.fail(registry.wrong(problem))
		return
	}
	l.repository(registry, prefix+"/"+name)
}

// repository is the last word on the whole name: the reference grammar's.
func (l *loader) repository(s setting, name string) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		l.fail(&UsageError{Knob: s.knob.Name, Text: s.text, Origin: s.origin, Err: err,
			Problem: "names no repository: " + err.Error() + "; write it as in ghcr.io/me/app"})
		return
	}
	if problem := BadPort(name, named); problem != "" {
		l.fail(s.wrong("has " + problem))
		return
	}
	l.config.Image = reference.TrimNamed(named).Name()
}

// BadPort says what is wrong with the port in a reference, showing the place; nothing when all is right. The grammar of references
// takes any number.
func BadPort(text string, ref reference.Named) string {
	host := reference.Domain(ref)
	colon := strings.LastIndexByte(host, ':')
	if colon < strings.IndexByte(host, ']') { // of an IPv6 address without a port
		return ""
	}
	port := host[colon+1:]
	if n, err := strconv.ParseUint(port, 10, 16); colon < 0 || err == nil && n > 0 {
		return ""
	}
	return fmt.Sprintf("the port %s at character %d: ports go from 1 to 65535", port, strings.Index(text, ":"+port)+2)
}

// cutTag takes the tag off. A colon before the last slash is a port's.
func cutTag(text string) (repository, tag string) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 || strings.Contains(text[colon:], "/") {
		return text, ""
	}
	return text[:colon], text[colon+1:]
}

// namesHost tells whether the first part of a name is a registry, by Docker's rule.
func namesHost(name string) bool {
	first, _, more := strings.Cut(name, "/")
	return more && (strings.ContainsAny(first, ".:") || first == "localhost")
}

// badRegistry says what is wrong with REGISTRY.
func badRegistry(prefix string) string {
	switch {
	case strings.Contains(prefix, "://"):
		return "is an address: leave " + prefix[:strings.Index(prefix, "://")+3] + " out"
	case !namesHost(prefix + "/"):
		return "names no host: write it as in ghcr.io/me, docker.io/me or localhost:5000"
	}
	if ref, err := reference.ParseNormalizedNamed(prefix + "/name"); err == nil {
		if problem := BadPort(prefix, ref); problem != "" {
			return "has " + problem
		}
	}
	if !strings.Contains(prefix, "/") {
		return ""
	}
	return badPlace(prefix, prefix)
}

// badImage says what is wrong with IMG, showing the place.
func badImage(text, repository string) string {
	switch {
	case strings.Contains(text, "://"):
		return "is an address: leave " + text[:strings.Index(text, "://")+3] + " out"
	case strings.Contains(text, "@"):
		return "has a digest, which only a published image can have: write the repository, and the tag if you like"
	case strings.HasSuffix(text, ":"):
		return "ends in a colon: write a tag behind it, or leave it out"
	}
	return badPlace(text, repository)
}

// badPlace finds the first character of a repository's path that cannot be there.
func badPlace(text, repository string) string {
	start := 0
	if namesHost(repository) {
		start = strings.IndexByte(repository, '/')
	}
	for i, r := range repository[start:] {
		at := start + i
		if r >= 'A' && r <= 'Z' {
			return fmt.Sprintf("has a capital %q at character %d, and a repository is in small letters: write %s", r, at+1, strings.ToLower(repository)+text[len(repository):])
		}
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r) {
			return fmt.Sprintf("has a %q at character %d: a repository has small letters, digits, and . _ - / between them", r, at+1)
		}
	}
	return badParts(repository, start)
}

var part = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)

// badParts finds a part between slashes that is empty or begins, ends or repeats its separators wrongly.
func badParts(repository string, start int) string {
	if repository == "" {
		return "names no repository: write it as in ghcr.io/me/app"
	}
	path := repository
	if start > 0 {
		path = repository[start+1:]
	}
	for p := range strings.SplitSeq(path, "/") {
		if !part.MatchString(p) {
			return fmt.Sprintf("has the part %q, which is none: between slashes are small letters and digits, and . _ - only between them", p)
		}
	}
	return ""
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// sanitise makes a repository's path of a folder's or a remote's name.
func sanitise(name string) string {
	var parts []string
	for p := range strings.SplitSeq(strings.ToLower(name), "/") {
		if part.MatchString(p) {
			parts = append(parts, p)
		} else if p = strings.Trim(notInName.ReplaceAllString(p, "-"), "-"); p != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return "image"
	}
	return strings.Join(parts, "/")
}
