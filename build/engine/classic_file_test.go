package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// classicOf reads a Dockerfile that can be read.
func classicOf(t testing.TB, src string) *classicFile {
	t.Helper()
	file, err := readClassic([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClassicFileFindsWhatStandsWhere(t *testing.T) {
	const src = "# escape=`\n# a comment\nARG V=1\n\nfrom --platform=$BUILDPLATFORM golang:${V} AS build\n" +
		"RUN one && `\n  # why\n\n  two\nCOPY --from=0 a b\nFROM scratch\nCOPY \\windows /\n"
	file := classicOf(t, src)
	want := []string{
		"3: ARG V=1",
		"5: [build 1/3] FROM --platform=$BUILDPLATFORM golang:${V} AS build",
		"6: [build 2/3] RUN one &&   two",
		"10: [build 3/3] COPY --from=0 a b",
		"11: [stage-1 1/2] FROM scratch",
		`12: [stage-1 2/2] COPY \windows /`,
	}
	var got []string
	for _, in := range file.statements {
		got = append(got, fmt.Sprintf("%d: %s", in.line, file.title(in)))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s := file.stages[0]; s.image != "golang:${V}" || s.platform != "$BUILDPLATFORM" || s.name != "build" {
		t.Errorf("first stage: %+v", s)
	}
}

func TestClassicFileBeginsAndEndsAnyhow(t *testing.T) {
	file := classicOf(t, "\ufeffFROM scratch\nRUN x \\")
	if len(file.statements) != 2 || file.statements[0].keyword != "FROM" || file.statements[0].start != 3 || file.statements[1].keyword != "RUN" {
		t.Errorf("%+v", file.statements)
	}
}

func TestClassicFileKnowsEarlierStages(t *testing.T) {
	file := classicOf(t, "FROM a AS One\nFROM b AS two\nFROM c\n")
	if !file.stageNamed("ONE", 1) || file.stageNamed("two", 1) || file.stageNamed("", 2) {
		t.Error("only earlier stages have names")
	}
}

func TestClassicFileRefusesHereDocuments(t *testing.T) {
	for line, refused := range map[string]bool{
		"RUN <<EOF\necho\nEOF":            true,
		"RUN cat <<-'END' > /x\nEND":      true,
		"COPY <<\"a.txt\" /b\na.txt":      true,
		"RUN python3 <<EOF\nprint()\nEOF": true,
		"RUN 3<<X cat\nX":                 true,
		`RUN echo "a <<EOF b"`:            false,
		"RUN tr a b <<< abc":              false,
		"RUN echo $((1<<4)) '<<EOF'":      false,
		"RUN cat < /etc/passwd":           false,
		`LABEL a="<<EOF"`:                 false,
		"# RUN <<EOF":                     false,
	} {
		err := classicOf(t, "FROM scratch\n"+line+"\n").refuse(Info{Name: "Docker", Road: RoadClassic}, nil)
		if refused != errors.Is(err, ErrUnsupported) {
			t.Errorf("%q: %v", line, err)
		}
		if refused && err != nil && !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: the line is not named: %v", line, err)
		}
	}
}

// A here-document belongs to its statement, for the builders that know them.
func TestClassicFileKeepsHereDocuments(t *testing.T) {
	const src = "FROM scratch\nRUN <<EOF cat 3<<-'end' # x\nFROM one\n\tEOF\nEOF\nARG A\\\n\tend\nARG B\nCOPY <<a.txt <<b.txt /\na.txt\nCOPY x y\r\nb.txt\r\nARG C\n"
	file := classicOf(t, src)
	var got []string
	for _, in := range file.statements {
		got = append(got, fmt.Sprintf("%d %q", in.line, src[in.start:in.end]))
	}
	want := []string{`1 "FROM scratch"`, `2 "RUN <<EOF cat 3<<-'end' # x\nFROM one\n\tEOF\nEOF\nARG A\\\n\tend"`, `8 "ARG B"`,
		`9 "COPY <<a.txt <<b.txt /\na.txt\nCOPY x y\r\nb.txt"`, `13 "ARG C"`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := file.refuse(Info{Name: podman, Version: "5.5.0", Road: RoadClassic}, nil); err != nil {
		t.Error(err)
	}
	if err := file.refuse(Info{Name: podman, Version: "5.4.2", Road: RoadClassic}, nil); err == nil || !strings.Contains(err.Error(), "line 9") {
		t.Errorf("%v", err)
	}
	if err := file.refuse(Info{Name: podman, Version: "5.4.2", Road: RoadClassic}, []int{0}); err != nil {
		t.Errorf("of a stage that is not built: %v", err)
	}
}

// What cannot be read names its line before anything is sent.
func TestClassicRefusesWhatCannotBeRead(t *testing.T) {
	b := &classicBuilder{engine: &Engine{}, bases: newBases(&Engine{})}
	_, err := b.Solve(t.Context(), Solve{Dockerfile: []byte("FROM scratch\n\nRUN <<EOF\ntrue\n"), DockerfileName: "app.Dockerfile"}, nil, nil)
	var fault *StepError
	if !errors.As(err, &fault) || fault.Line != 3 || fault.Dockerfile != "app.Dockerfile" || !strings.Contains(err.Error(), "unterminated heredoc") {
		t.Errorf("%v", err)
	}
}

// Whatever the text: statements lie in it in their order, and editing each to
// itself changes nothing.
func FuzzClassicFile(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeffFROM x\n", "FROM scratch", "#escape=`\r\nFROM a`\r\n b\r\n", "FROM a\nRUN b \\", "\\\n\\\n", "FROM\nARG\nCOPY --from=\n",
		"ARG A='x y' B=\"$A\"\nFROM ${A:-$B} AS c\nCOPY --from=c . .\n", "# syntax=x\n# escape=\\\nFROM \\\n\n# c\n y\n",
		"RUN <<A <<-B\nx\nA\n\tB\nRUN <<C\n", "COPY <<A /\r\nA\r\nADD <<B",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := readClassic(src)
		if err != nil {
			return
		}
		last, env := 0, variables{}
		var same []edit
		for i, in := range file.statements {
			if in.start < last || in.end < in.start || in.end > len(src) || in.line < 1 {
				t.Fatalf("statement %d of %q: %+v", i, src, in)
			}
			last = in.end
			same = append(same, edit{i, string(src[in.start:in.end])})
			_ = file.title(in)
			if in.keyword == "ARG" {
				_ = file.declare(in, classicArgs{}, env)
			}
		}
		if got := file.with(same); string(got) != string(src) {
			t.Fatalf("%q became %q", src, got)
		}
	})
}
