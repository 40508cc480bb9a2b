package dockerfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/platforms"
)

// Each source is written as people write it; « marks where the flag must appear in the copy, and nothing else may differ.
func TestCrossInserts(t *testing.T) {
	rest := "\nFROM scratch\nCOPY --from=build /a /\n"
	for name, marked := range map[string]string{
		"plain":                 "FROM« golang AS build\nARG GOARCH" + rest,
		"lower case":            "from« golang as build\narg GOARCH" + rest,
		"mixed case":            "From« golang As build\nARG GOARCH" + rest,
		"indented with a tab":   "\t FROM«\tgolang AS build\nARG GOARCH" + rest,
		"blank lines, comments": "\n# FROM golang\n\n  # x\nFROM«   golang   AS   build  \nARG GOARCH" + rest,
		"windows line ends":     strings.ReplaceAll("# c\nFROM« golang AS build\nARG GOARCH"+rest, "\n", "\r\n"),
		"continuation":          "FROM« \\\n  golang \\\n# comment\n\n  AS build\nARG GOARCH" + rest,
		"continuation at once":  "FROM«\\\n golang AS build\nARG GOARCH" + rest,
		"escape directive":      "# escape=`\nFROM« `\n  golang AS build\nRUN dir c:\\ `\n && x\nARG GOARCH" + rest,
		"syntax directive":      "# syntax=docker/dockerfile:1\n# check=skip=all\nFROM« golang AS build\nARG GOARCH" + rest,
		"byte order mark":       "\xEF\xBB\xBFFROM« golang AS build\nARG GOARCH" + rest,
		"no line end":           "FROM« golang AS build\nARG GOARCH" + strings.TrimSuffix(rest, "\n"),
		"heredocs with FROM in": "FROM« golang AS build\nARG GOARCH\nCOPY <<-FROM /Dockerfile\n\tFROM golang\n\tARG GOARCH\n\tFROM\nRUN <<'E'\nFROM x\nE" + rest,
		"a string with FROM in": "FROM« golang AS build\nARG GOARCH\nRUN echo \\\n FROM golang" + rest,
		"variables and digests": "ARG G=golang\nFROM« ${G:-x}@sha256:" + strings.Repeat("a", 64) + " AS build\nARG GOARCH" + rest,
		"two roots":             "FROM« golang AS one\nARG GOARCH\nFROM alpine AS data\nFROM« golang:2 AS build\nARG GOARCH\nCOPY --from=one / /\nCOPY --from=data / /" + rest,
	} {
		t.Run(name, func(t *testing.T) {
			src := strings.ReplaceAll(marked, "«", "")
			rewrite, err := read(t, src).Cross(armOnAmd(t))
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(marked, "«", " --platform=$BUILDPLATFORM"); string(rewrite.Source) != want {
				t.Errorf("got\n%q\nwant\n%q", rewrite.Source, want)
			}
			if len(rewrite.Pins) != strings.Count(marked, "«") {
				t.Errorf("pins %+v", rewrite.Pins)
			}
		})
	}
}

func TestCrossRefusesSplitWord(t *testing.T) {
	_, err := read(t, "FR\\\nOM golang AS build\nARG GOARCH\nFROM scratch\nCOPY --from=build /a /\n").Cross(armOnAmd(t))
	at(t, err, 1, "split over lines")
}

func TestPinsSayWhat(t *testing.T) {
	rewrite, err := read(t, d("ARG V=1", "FROM golang:$V AS Build", "ARG GOARCH", "FROM scratch", "COPY --from=build /a /")).Cross(armOnAmd(t))
	want := Pin{Line: 2, Image: "golang:$V", Stage: "build"}
	if err != nil || len(rewrite.Pins) != 1 || rewrite.Pins[0] != want {
		t.Errorf("got %+v, %v, want %+v", rewrite.Pins, err, want)
	}
}

// FuzzCross: whatever file can be rewritten, taking the flags out again gives the file back byte for byte, every line that is
// no pinned FROM is untouched, the copy reads as the same stages, and rewriting the copy changes nothing more.
func FuzzCross(f *testing.F) {
	for _, seed := range []string{
		d(`ARG GOARCH=amd64`, `FROM golang:1.12 AS build`, `ARG GOARCH`, `RUN GOARCH=${GOARCH} go build -o /app .`, `FROM scratch`, `COPY --from=build /app /app`),
		"# escape=`\r\nfrom `\r\n golang as b\r\narg GOARCH\r\nfrom scratch\r\ncopy --from=b / /\r\n",
		d(`FROM golang AS b`, `ARG GOARCH`, `RUN <<EOF`, `FROM x`, `EOF`, `FROM b AS c`, `FROM a`, `COPY --from=c / /`, `RUN --mount=from=b,target=/b true`),
		d(`FROM a AS b`, `ARG TARGETARCH`, `FROM scratch`, `COPY --from=0 / /`, `ONBUILD RUN x`),
		d(`ARG ARCH=amd64`, `FROM amd64/a:x64 AS b`, `ONBUILD ADD https://x/a-x86_64 /`, `FROM b`, `RUN <<E`, `GOARCH=386 go build`, `E`, `COPY qemu-arm-static $ARCH`),
		"\xEF\xBB\xBFFROM a AS b\nARG GOARCH\nFROM scratch\nCOPY --from=b / /",
		d(`FROM a AS b`, `ARG GOARCH`, `FROM --platform=x c`, `COPY --from=b / /`),
		"FROM a AS b\nARG GOARCH\n\u00a0FROM c AS d\nARG GOARCH\nFROM scratch\nCOPY --from=b / /\nCOPY --from=d / /",
	} {
		f.Add(seed)
	}
	build, _ := platforms.Parse("amd64")
	target, _ := platforms.Parse("arm64")
	o := Options{Build: build, Platform: target}
	f.Fuzz(func(t *testing.T, src string) {
		file, err := Read([]byte(src), "Dockerfile")
		if err != nil {
			return
		}
		choice, err := file.Choose(Auto, o)
		if err != nil {
			return
		}
		if _, err := file.ForeignRuns(choice.Strategy, o); err != nil && choice.Strategy == Native {
			t.Errorf("native: %v", err)
		}
		if _, err := file.Advice(choice.Strategy, o); err != nil {
			t.Errorf("a file that can be built has no advice: %v", err)
		}
		rewrite, err := file.Cross(o)
		if err != nil {
			return
		}
		untouched(t, src, rewrite)
		again, err := Read(rewrite.Source, "Dockerfile")
		if err != nil {
			t.Fatalf("the copy does not read: %v", err)
		}
		if fmt.Sprint(labels(again), again.Args()) != fmt.Sprint(labels(file), file.Args()) {
			t.Errorf("the copy has other stages or arguments:\n%q\n%q", src, rewrite.Source)
		}
		if second, err := again.Cross(o); err != nil || !bytes.Equal(second.Source, rewrite.Source) {
			t.Errorf("the second rewrite changed the first (%v):\n%q\n%q", err, rewrite.Source, second.Source)
		}
	})
}

// untouched compares line by line.
func untouched(t *testing.T, src string, rewrite Rewrite) {
	t.Helper()
	before, after := strings.Split(src, "\n"), strings.Split(string(rewrite.Source), "\n")
	if len(before) != len(after) {
		t.Fatalf("%d lines became %d", len(before), len(after))
	}
	for i := range before {
		pinned := slices.ContainsFunc(rewrite.Pins, func(p Pin) bool { return p.Line == i+1 })
		if pinned {
			if strings.Replace(after[i], flag, "", 1) != before[i] {
				t.Errorf("line %d: %q became %q", i+1, before[i], after[i])
			}
		} else if before[i] != after[i] {
			t.Errorf("line %d is not pinned and changed: %q became %q", i+1, before[i], after[i])
		}
	}
}
