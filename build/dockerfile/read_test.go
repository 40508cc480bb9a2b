package dockerfile

import (
	"reflect"
	"testing"
)

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		src  string
		o    Options
		line int
		says []string
	}{
		{name: "empty", src: "", line: 0, says: []string{"no instructions"}},
		{name: "only comments", src: d("# nothing"), line: 1, says: []string{"no instructions"}},
		{name: "no FROM", src: d("ARG A=1"), line: 0, says: []string{"there is no FROM"}},
		{name: "misspelt instruction", src: d("FROM scratch", "", "COYP a /"), line: 3, says: []string{"unknown instruction: COYP", "did you mean COPY"}},
		{name: "RUN before FROM", src: d("RUN true", "FROM scratch"), line: 1, says: []string{"RUN stands before the first FROM"}},
		{name: "FROM with too many words", src: d("FROM a b"), line: 1, says: []string{"one or three arguments"}},
		{name: "unknown flag", src: d("FROM scratch", "COPY --chwon=1 a /"), line: 2, says: []string{"chwon"}},
		{name: "unterminated heredoc", src: d("FROM a", "RUN <<EOF", "x"), line: 2, says: []string{"unterminated heredoc"}},
		{name: "bad escape directive", src: d("# escape=x", "FROM a"), line: 0, says: []string{"invalid escape token"}},
		{name: "stage name", src: d("FROM a AS 1x"), line: 1, says: []string{"invalid name for build stage"}},
		{name: "base without a value", src: d("FROM a AS x", "FROM $BASE"), line: 2, says: []string{"$BASE has no value", "BUILD_ARGS=BASE="}},
		{name: "base with an empty value", src: d("ARG BASE=", "FROM $BASE"), line: 2, says: []string{"$BASE is empty"}},
		{name: "ARG inside a stage is not global", src: d("FROM a AS x", "ARG B=1", "FROM y:$B AS z", "FROM $B"), line: 3, says: []string{"as B has no value"}},
		{name: "no image", src: d("FROM UPPER/Case"), line: 1, says: []string{"FROM UPPER/Case names no image"}},
		{name: "bad modifier", src: d("FROM ${A:?needed}"), line: 1, says: []string{"needed"}},
		{name: "platform without a value", src: d("FROM --platform=$P a"), line: 1, says: []string{"$P has no value"}},
		{name: "no such stage by index", src: d("FROM a", "COPY --from=3 / /"), line: 2, says: []string{"--from=3 is no other stage"}},
		{name: "itself by index", src: d("FROM a", "COPY --from=0 / /"), line: 2, says: []string{"--from=0 is no other stage"}},
		{name: "stages in a circle", src: d("FROM a AS x", "FROM x AS y", "COPY --from=z / /", "FROM a AS z", "RUN --mount=from=y true", "FROM a", "COPY --from=z / /"), line: 2, says: []string{"in a circle, y from z from y: give one"}},
		{name: "a stage that is built on what it gives", src: d("FROM a AS x", "COPY --from=y / /", "FROM x AS y"), line: 1, says: []string{"x from y from x"}},
		{name: "itself by name", src: d("FROM a AS x", "COPY --from=x / /"), line: 1, says: []string{"stage x takes files from itself"}},
		{name: "from is no image", src: d("FROM a", "COPY --from=No/One / /"), line: 2, says: []string{"neither a stage nor an image"}},
		{name: "ONBUILD that cannot be read", src: d("FROM a AS b", "ONBUILD COYP x", "FROM b"), line: 2, says: []string{"unknown instruction: COYP"}},
		{name: "no such target", src: d("FROM a AS build"), o: Options{Target: "biuld"}, says: []string{"no stage is called biuld", "did you mean build"}},
		{name: "target of a file without names", src: d("FROM a"), o: Options{Target: "app"}, says: []string{"none has a name", "AS app"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Read([]byte(test.src), "Dockerfile")
			if err == nil {
				_, err = f.Choose(Auto, test.o)
			}
			at(t, err, test.line, test.says...)
		})
	}
	_, err := read(t, d("FROM --platform=lunix/amd64/x/y a", "RUN true")).ForeignRuns(Target, Options{})
	at(t, err, 1, "--platform")
}

func TestSyntax(t *testing.T) {
	for src, want := range map[string]Syntax{
		d("FROM a"): {},
		d("# syntax=docker/dockerfile:1", "FROM a"):                     {"docker/dockerfile:1", 1},
		d("# escape=`", "#  SyNtAx = docker/dockerfile:1.4", "FROM a"):  {"docker/dockerfile:1.4", 2},
		d("# a comment", "# syntax=docker/dockerfile:1", "FROM a"):      {},
		d("FROM a", "# syntax=docker/dockerfile:1"):                     {},
		"\xEF\xBB\xBF" + d("# syntax=docker/dockerfile:1", "FROM a"):    {"docker/dockerfile:1", 1},
		"#syntax=a\r\nFROM b\r\n":                                       {"a", 1},
		d("#!/usr/bin/env builder", "// syntax=other/language:1", "{}"): {"other/language:1", 2},
	} {
		if got := DetectSyntax([]byte(src)); got != want {
			t.Errorf("%q: got %+v, want %+v", src, got, want)
		}
	}
}

// labels are what the stages are called.
func labels(f *File) (names []string) {
	for _, s := range f.stages {
		names = append(names, s.label())
	}
	return names
}

func TestArgsAndStages(t *testing.T) {
	f := read(t, d(`ARG A=1 B`, `FROM a AS First`, `ARG B=${A}x`, `FROM b`, `ARG C=`))
	want := []Arg{
		{Name: "A", Default: "1", HasDefault: true, Line: 1, Stage: -1}, {Name: "B", Line: 1, Stage: -1},
		{Name: "B", Default: "${A}x", HasDefault: true, Line: 3}, {Name: "C", HasDefault: true, Line: 5, Stage: 1},
	}
	if got := f.Args(); !reflect.DeepEqual(got, want) {
		t.Errorf("args %+v, want %+v", got, want)
	}
	if got := labels(f); !reflect.DeepEqual(got, []string{"first", "1"}) {
		t.Errorf("stages %v", got)
	}
}

func TestFeatures(t *testing.T) {
	f := read(t, d(
		`FROM --platform=linux/amd64 alpine AS a`,
		`RUN --mount=type=cache,target=/a --mount=type=ssh --network=none true`,
		`COPY --from=b --chown=1:1 a /`,
		`COPY --link --chmod=755 a /`,
		`ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://x/y /`,
		`ADD https://github.com/a/b.git#v1 /src`,
		`ADD --chown=1 https://x/y.tar /`,
		`COPY <<one <<two /`, `1`, `one`, `2`, `two`,
		`RUN <<EOF`, `true`, `EOF`,
		`HEALTHCHECK --interval=1s CMD true`,
		`HEALTHCHECK --retries=2 --start-interval=1s CMD true`,
		`ONBUILD COPY . /src`,
		`ADD git@github.com:a/b /src`, `ADD git://github.com/a/b /src`, `ADD b.git https://x/git /src`,
	))
	want := []Feature{
		{Line: 2, Name: "RUN --mount"}, {Line: 2, Name: "RUN --network"}, {Line: 4, Name: "COPY --link"}, {Line: 4, Name: "COPY --chmod"},
		{Line: 5, Name: "ADD --checksum"}, {Line: 6, Name: "ADD of a git repository"}, {Line: 8, Name: "COPY heredoc"}, {Line: 13, Name: "RUN heredoc"},
		{Line: 17, Name: "HEALTHCHECK --start-interval"}, {Line: 19, Name: "ADD of a git repository"}, {Line: 20, Name: "ADD of a git repository"},
	}
	if got := f.BuildKitOnly(nil); !reflect.DeepEqual(got, want) {
		t.Errorf("BuildKit only:\ngot  %v\nwant %v", got, want)
	}
	two := read(t, d(`FROM alpine AS One`, `RUN --mount=type=cache,target=/a true`, `FROM alpine AS two`, `COPY --link a /`))
	want = []Feature{{Line: 2, Name: "RUN --mount"}, {Line: 4, Name: "COPY --link", Idle: true}}
	if got := two.BuildKitOnly([]int{1}); !reflect.DeepEqual(got, want) {
		t.Errorf("BuildKit only of two stages:\ngot  %v\nwant %v", got, want)
	}
}
