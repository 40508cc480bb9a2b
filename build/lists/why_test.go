package lists

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
)

func TestWhy(t *testing.T) {
	amd64, arm64 := imageFor("linux/amd64"), imageFor("linux/arm64")
	for name, c := range map[string]struct {
		push  func(s *scene, ref string)
		on    string
		kinds string // of the findings
		runs  bool
		says  []string // in the text
	}{
		"a list that is right": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64, arm64) },
			on:   "linux/arm64", runs: true,
			says: []string{"resolved to an index with 2 entries", "found linux/arm64", "its config agrees: linux/arm64", "it runs on linux/arm64"},
		},
		"one image that is right": {
			push: func(s *scene, ref string) { s.push(ref, arm64) },
			on:   "linux/arm64", runs: true, says: []string{"resolved to one image, no list"},
		},
		"one image of another architecture": {
			push: func(s *scene, ref string) { s.push(ref, amd64) },
			on:   "linux/arm64", kinds: "not-a-list foreign",
			says: []string{"WRONG: it is one image for linux/amd64 and no list", "WRONG: /app is", "do: ", "it does not run on linux/arm64"},
		},
		"one image whose label lies": {
			push: func(s *scene, ref string) { s.push(ref, arm64.holding("amd64")) },
			on:   "linux/amd64", kinds: "config-and-programs-disagree",
			says: []string{"the config says linux/arm64, and the programs are made for linux/amd64", "do: put the label right (setarch one.example/app:1 amd64 -registry)"},
		},
		"one image for a later variant": {
			push: func(s *scene, ref string) { s.push(ref, imageFor("linux/amd64/v3")) },
			on:   "linux/amd64", kinds: "not-a-list",
			says: []string{"WRONG: it is one image, labelled linux/amd64/v3, and this machine asks for linux/amd64\n", "look with -platform=linux/amd64/v3; put the label right (setarch one.example/app:1 amd64 -registry) only if"},
		},
		"one image for a later variant, on such a machine": {
			push: func(s *scene, ref string) { s.push(ref, imageFor("linux/amd64/v3")) },
			on:   "linux/amd64/v3", runs: true, says: []string{"it runs on linux/amd64/v3"},
		},
		"one image for the next arm64": {
			push: func(s *scene, ref string) { s.push(ref, imageFor("linux/arm64/v9")) },
			on:   "linux/arm64", kinds: "not-a-list", says: []string{"labelled linux/arm64/v9, and this machine asks for linux/arm64\n"},
		},
		"a list that is right, asked for in full": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64, arm64) },
			on:   "linux/arm64/v8", runs: true,
			says: []string{"looking for linux/arm64/v8", "found linux/arm64,", "it runs on linux/arm64/v8"},
		},
		"a list without the platform": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64, imageFor("linux/s390x")) },
			on:   "linux/arm64", kinds: "platform-absent", says: []string{"it has images for linux/amd64, linux/s390x"},
		},
		"an older variant": {
			push: func(s *scene, ref string) { s.pushList(ref, imageFor("linux/arm/v6")) },
			on:   "linux/arm/v7", kinds: "compatible-platform", runs: true, says: []string{"there is no image for linux/arm/v7; the one for linux/arm/v6"},
		},
		"a config that says otherwise": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64.holding("arm64").listed("linux/arm64")) },
			on:   "linux/arm64", kinds: "config-and-entry-disagree", says: []string{"the list calls it linux/arm64, its own config says linux/amd64"},
		},
		"a binary of another architecture": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64, arm64.holding("amd64")) },
			on:   "linux/arm64", kinds: "foreign", says: []string{"/app"},
		},
		"a script without #!": {
			push: func(s *scene, ref string) { s.push(ref, arm64.running("echo hello\n")) },
			on:   "linux/arm64", kinds: "no-shebang", says: []string{"/app"},
		},
		"a script with CRLF": {
			push: func(s *scene, ref string) { s.push(ref, arm64.running("#!/bin/sh\r\necho hello\r\n")) },
			on:   "linux/arm64", kinds: "shebang-crlf", says: []string{"/app"},
		},
		"a script behind a byte order mark": {
			push: func(s *scene, ref string) { s.push(ref, arm64.running("\xef\xbb\xbf#!/bin/sh\necho\n")) },
			on:   "linux/arm64", kinds: "byte-order-mark", says: []string{"/app"},
		},
		"a child that is gone": {
			push: func(s *scene, ref string) {
				ix := s.pushList(ref, arm64)
				if err := s.client.DeleteManifest(s.Context(), named(ref), ix.Entries[0].Digest); err != nil {
					s.Fatal(err)
				}
			},
			on: "linux/arm64", kinds: "missing-content", says: []string{"push that image again"},
		},
		"an entry that names no platform": {
			push: func(s *scene, ref string) {
				ix := s.listOf(ref, amd64, arm64)
				ix.Entries[1].Platform = nil
				s.pushIndex(ref, ix)
			},
			on: "linux/arm64", runs: true, says: []string{"1 entry without a platform", "the config of sha256:", "says linux/arm64", "it runs on linux/arm64"},
		},
		"a config that is gone": {
			push: func(s *scene, ref string) { s.lose(s.push(ref, arm64).config.Digest) },
			on:   "linux/arm64", kinds: "missing-content", says: []string{"its config is not in the registry", "do: push the image again"},
		},
		"the config of a list's image that is gone": {
			push: func(s *scene, ref string) {
				img := s.push(ref, arm64)
				s.pushIndex(ref, index.Index{Entries: []index.Entry{img.entry}})
				s.lose(img.config.Digest)
			},
			on: "linux/arm64", kinds: "missing-content", says: []string{"its config is not in the registry"},
		},
		"a layer that is gone": {
			push: func(s *scene, ref string) { s.lose(digest.FromBytes(s.push(ref, arm64).layer)) },
			on:   "linux/arm64", kinds: "missing-content", says: []string{"a layer is not in the registry"},
		},
		"a list inside the list that is gone": {
			push: func(s *scene, ref string) {
				s.pushNested(ref, false, arm64)
				s.lose(s.index(ref).Entries[0].Digest)
			},
			on: "linux/arm64", kinds: "missing-content", says: []string{"push the image again and publish the list anew"},
		},
		"a list inside the list": {
			push: func(s *scene, ref string) { s.pushNested(ref, false, amd64, arm64) },
			on:   "linux/arm64", kinds: "list-in-list", runs: true,
			says: []string{"is a list inside the list: containerd and newer Docker look into it, Docker 20.10 and Podman refuse it",
				"resolved to an index with 1 entry: linux/arm64", "note: the image is in a list inside the list", "do: make one list of all its images: manifest:create TARGET one.example/app:1",
				"its config agrees: linux/arm64", "it runs on linux/arm64"},
		},
		"lists inside the list that name no platform": {
			push: func(s *scene, ref string) { s.pushNested(ref, true, amd64, arm64) },
			on:   "linux/arm64", kinds: "list-in-list", runs: true, says: []string{"2 entries without a platform", "it runs on linux/arm64"},
		},
		"lists inside the list without the platform": {
			push: func(s *scene, ref string) { s.pushNested(ref, true, amd64, arm64) },
			on:   "linux/s390x", kinds: "platform-absent", says: []string{"it has images for linux/amd64, linux/arm64"},
		},
		"a Windows image whose base lies with its owner": {
			push: func(s *scene, ref string) { s.pushList(ref, amd64, amd64.windows("10.0.1").foreign()) },
			on:   "windows/amd64", kinds: "unverified", runs: true,
			says: []string{"its config agrees: windows(10.0.1)/amd64", "note: its programs cannot be looked at: layer sha256:", "nothing speaks against it on windows/amd64"},
		},
		"one Windows image whose base lies with its owner": {
			push: func(s *scene, ref string) { s.push(ref, amd64.windows("10.0.1").foreign()) },
			on:   "linux/amd64", kinds: "not-a-list unverified", says: []string{"it does not run on linux/amd64"},
		},
		"an artifact": {
			push: func(s *scene, ref string) { s.artifact(ref, nil) },
			on:   "linux/arm64", kinds: "not-an-image", says: []string{"no container image but application/vnd.oci.empty.v1+json"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.push(s, "one.example/app:1")
			p, err := ParsePlatform(c.on)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Why(t.Context(), s.client, "one.example/app:1", WhyOptions{Platform: p})
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := got.Write(&text); err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, f := range got.Findings {
				if f.Kind != KindNote && !slices.Contains(kinds, f.Kind) {
					kinds = append(kinds, f.Kind)
				}
				if f.Fatal && f.Cure == "" {
					t.Errorf("no cure for %q", f.Says)
				}
			}
			if strings.Join(kinds, " ") != c.kinds || got.Runs != c.runs || !containsAll(text.String(), c.says...) {
				t.Errorf("kinds %q, runs %v; want %q, %v and %q in\n%s", kinds, got.Runs, c.kinds, c.runs, c.says, text.String())
			}
			if err := got.Err(); (err == nil) != c.runs || err != nil && !errors.Is(err, image.ErrRefused) {
				t.Errorf("as an error: %v", err)
			}
		})
	}
}
