package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// SCAN is a command in a shell's words, with the image, its platform and the version filled in; other braces are the command's own.
func TestScan(t *testing.T) {
	for text, want := range map[string]string{
		"grype {image}": "[grype me/app@sha256:1]",
		`sh -c 'syft {image} -o json=sbom-{arch}.json' {platform} {version}`: "[sh -c syft me/app@sha256:1 -o json=sbom-armv7.json linux/arm/v7 7]",
		"x --format={{.Severity}} ${HOME} {image}":                           "[x --format={{.Severity}} ${HOME} me/app@sha256:1]",
		"": "[]",
	} {
		c := line("SCAN="+text, "VERSION=7", "ARCHES=arm/v7").mustLoad(t)
		if got := fmt.Sprint(c.ScanFor(c.Platforms[0], "me/app@sha256:1")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	c := say{yaml: "scan: [grype, --fail-on, high, '{image}']", defaults: Defaults{Scan: []string{"other", "{image}"}}}.mustLoad(t)
	if got := c.Value("SCAN"); got.Text != "grype --fail-on high {image}" || got.Origin != "manymage.yaml:1" {
		t.Errorf("of the file: %+v", got)
	}
}

// The image is named by its digest, so that scanners need no version of Windows, which they would not read as it is written here.
func TestScanForWindows(t *testing.T) {
	p := ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1"}
	if got := fmt.Sprint(Config{Scan: []string{"{platform}"}}.ScanFor(p, "")); got != "[windows/amd64]" {
		t.Errorf("got %s", got)
	}
}

// What is shown of a command can be pasted into a shell, which makes the same words of it.
func TestShell(t *testing.T) {
	for _, test := range []struct {
		command []string
		want    string
	}{
		{[]string{"grype", "--fail-on=high", "ghcr.io/me/app@sha256:1…"}, "grype --fail-on=high ghcr.io/me/app@sha256:1…"},
		{[]string{"sh", "-c", `x "$HOME" | y`}, `sh -c 'x "$HOME" | y'`},
		{[]string{"a b", "", "it's", "~", "{a,b}", "ä"}, `'a b' '' 'it'\''s' '~' '{a,b}' 'ä'`},
	} {
		if got := Shell(test.command); got != test.want {
			t.Errorf("%q: %s, want %s", test.command, got, test.want)
		}
	}
}

func TestScanRefuses(t *testing.T) {
	for text, problem := range map[string]string{
		"grype":                    "does not say which image is to be scanned: put {image} where the command wants its name",
		"grype {image} {plaftorm}": "holds {plaftorm}, and only {image}, {platform}, {arch} and {version} are filled in: did you mean {platform}?",
		"grype {image} {severity}": "where the braces are the command's own, put it into a script",
		"grype 'x":                 "has a quote that is not closed",
		"snyk {image} ghp_0123456789abcdefghijklmnopqrstuvwxyz": "holds what looks like a secret, which plan would show",
	} {
		if _, err := line("SCAN=" + text).load(t); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: got %v, want %q", text, err, problem)
		}
	}
}
