package config

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// SCAN is the command of a scanner, which is run for each platform's image and does not pass it with an exit code other than 0:
//
//	trivy image --exit-code 1 --platform {platform} {image}
//	grype --fail-on high {image}
//	sh -c 'syft {image} -o spdx-json=sbom-{arch}.json'
//
// Its words are a shell's, and no shell reads them; {image} is the image by its digest. Braces of other forms are the command's own,
// as they are a build-arg's.

// inScan is what SCAN may hold, as its sentences list it.
func inScan() []string { return []string{"{image}", "{platform}", "{arch}", "{version}"} }

// ScanFor is SCAN with its placeholders filled in for the image of a platform; empty where nothing is to be scanned.
func (c Config) ScanFor(p ocispec.Platform, image string) []string {
	plain := ocispec.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant} // a Windows version is written otherwise by each tool
	values := map[string]string{"{image}": image, "{platform}": platforms.Format(plain), "{arch}": platforms.Short(p), "{version}": c.Version}
	command := slices.Clone(c.Scan)
	for i, word := range command {
		command[i] = fillIn(word, values)
	}
	return command
}

// Shell writes a command so that a POSIX shell runs the same words.
func Shell(command []string) string {
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// shellWord quotes what is more to a shell than letters, or may be: an image's digest stays as people know it.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:@%+,=…", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// scan reads SCAN.
func (l *loader) scan() {
	s := l.get("SCAN")
	if !s.said() {
		return
	}
	var found []string
	for _, word := range s.texts() {
		if leaks("", word) { // told without the text
			l.fail(&UsageError{Knob: "SCAN", Origin: s.origin, Problem: "holds what looks like a secret, which plan would show: scanners read theirs from the environment"})
			return
		}
		found = append(found, written(word)...)
	}
	problem := wrongPlaceholder(found, "where the braces are the command's own, put it into a script", inScan()...)
	if problem == "" && !slices.Contains(found, "{image}") {
		problem = "does not say which image is to be scanned: put {image} where the command wants its name"
	}
	if problem != "" {
		l.fail(s.wrong(problem))
		return
	}
	l.config.Scan = s.texts()
	l.record("SCAN", s.text, s.origin)
}
