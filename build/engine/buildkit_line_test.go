package engine

import "testing"

const someLines = `# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
WORKDIR /src
COPY go.mod \
    go.sum ./
# a comment
RUN go mod download && \
    # a comment inside
    go build -o /out/${NAME} ./...
RUN true
FROM scratch
RUN true
COPY --from=build /out /
RUN <<EOF
  set -e  
  cp $HOME/a /b
EOF
RUN <<EOF
true
EOF
RUN cat <<EOF >/c
d
EOF
RUN (echo $HOME) >a.b
`

func TestStepLine(t *testing.T) {
	for _, one := range []struct {
		step string
		want int
	}{
		{"[build 2/4] WORKDIR /src", 3},
		{"[build 3/4] COPY go.mod     go.sum ./", 4},
		{"[build 4/4] RUN go mod download &&     go build -o /out/app ./...", 7},
		{"[stage-1 1/1] COPY --from=build /out /", 13},
		{"[internal] load metadata for docker.io/library/golang:1.22", 2},
		{"[build 5/5] RUN true", 0}, // there are two
		{"[stage-1 2/4] RUN <<EOF (set -e  ...)", 14},
		{"[stage-1 3/4] RUN <<EOF (true)", 18},
		{"[stage-1 4/4] RUN cat <<EOF >/c", 21},
		{"[stage-1 5/5] RUN (echo /root) >a.b", 24},
		{"[stage-1 5/5] RUN (echo /root) >a-b", 0},
		{"[internal] load build context", 0},
		{"exporting to image", 0},
		{"", 0},
	} {
		if got := stepLine([]byte(someLines), one.step); got != one.want {
			t.Errorf("%q: line %d, want %d", one.step, got, one.want)
		}
	}
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"# syntax=docker/dockerfile:1\nFROM scratch":        "docker/dockerfile:1",
		"# escape=`\n# SYNTAX=a/b:c\nFROM scratch":          "a/b:c",
		"# a comment\n# syntax=docker/dockerfile:1\nFROM x": "",
		"FROM scratch\n# syntax=docker/dockerfile:1\n":      "",
	} {
		s := Solve{Dockerfile: []byte(text)}
		if got, _ := s.syntax(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		s.Builtin = true
		if got, _ := s.syntax(); got != "" {
			t.Errorf("%q: %q is to be ignored", text, got)
		}
	}
	s := Solve{BuildArgs: map[string]string{"BUILDKIT_SYNTAX": "a/b some words"}}
	if ref, cmdline := s.syntax(); ref != "a/b" || cmdline != "a/b some words" {
		t.Errorf("got %q %q", ref, cmdline)
	}
}

// Whatever the Dockerfile holds, the line is one of it.
func FuzzStepLine(f *testing.F) {
	f.Add(someLines, "[build 2/4] WORKDIR /src")
	f.Add("RUN a\\\n\n# x\nb", "[1/1] RUN ab")
	f.Add("FROM $X\nRUN [$", "[internal] load metadata for x")
	f.Fuzz(func(t *testing.T, dockerfile, step string) {
		got := stepLine([]byte(dockerfile), step)
		count := 1
		for _, c := range dockerfile {
			if c == '\n' {
				count++
			}
		}
		if got < 0 || got > count {
			t.Errorf("line %d of %d", got, count)
		}
	})
}
