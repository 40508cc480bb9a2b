package dockerfile

import (
	"strings"
	"testing"
)

// What an engine's builder refuses is refused before it is asked, and nothing else: BuildKit and Docker's classic builder were asked
// for each of these.
func TestRefused(t *testing.T) {
	const variable, circle = "holds a variable, which COPY does not fill in: write FROM", "in a circle, x from y from x: give one"
	const below = "stage x takes files from a stage below it: move that one above line 1"
	const quote, second = "has a quote without its end", "there is a stage "
	for name, test := range map[string]struct {
		src     string
		o       Options
		want    string
		classic string
	}{
		"a variable":                       {src: d("FROM a AS x", "FROM a", "ARG S=x", "COPY --from=$S /f /"), want: "Dockerfile:4: --from=$S " + variable + " $S AS name", classic: variable},
		"... with a default":               {src: d("FROM a AS x", "FROM a", "COPY --from=${S:-x} /f /"), want: variable, classic: variable},
		"... in a stage above":             {src: d("FROM a AS x", "COPY --from=$S /f /", "FROM a"), want: variable, classic: variable},
		"... in a stage below":             {src: d("FROM a AS x", "FROM a", "COPY --from=$S /f /"), o: Options{Target: "x"}, want: variable},
		"... of a trigger":                 {src: d("FROM a AS x", "ONBUILD COPY --from=$S /f /", "FROM x"), want: "Dockerfile:2: " + "--from=$S " + variable, classic: variable},
		"... of one that nobody pulls":     {src: d("FROM a AS x", "ONBUILD COPY --from=$S /f /", "FROM x", "FROM a"), classic: variable},
		"... of a context's stage":         {src: d("FROM a AS x", "COPY --from=$S /f /", "FROM a"), o: Options{Contexts: []string{"x"}}, want: variable, classic: variable},
		"no variable":                      {src: d("FROM a AS x", "FROM a", `COPY --from="x" /f /`, "COPY --from=1.2.3.4:5000/a /f /")},
		"a circle that nobody needs":       {src: d("FROM a AS x", "COPY --from=y / /", "FROM a AS y", "COPY --from=x / /", "FROM a"), want: circle},
		"... of mounts":                    {src: d("FROM a AS x", "RUN --mount=from=y,target=/t true", "FROM a AS y", "RUN --mount=type=cache,from=x,target=/t true", "FROM a"), want: circle},
		"... of one":                       {src: d("FROM a AS x", "COPY --from=x / /", "FROM a"), want: "stage x takes files from itself"},
		"... through a FROM":               {src: d("FROM a AS x", "RUN --mount=from=y,target=/t true", "FROM x AS y", "FROM a")},
		"... through a number of a mount":  {src: d("FROM a AS x", "RUN --mount=from=1,target=/t true", "FROM a", "COPY --from=0 / /", "FROM a")},
		"... through a trigger":            {src: d("FROM a AS x", "ONBUILD COPY --from=z / /", "FROM x AS y", "FROM a AS z", "COPY --from=y / /", "FROM a")},
		"a stage below that nobody needs":  {src: d("FROM b AS x", "COPY --from=b / /", "FROM a AS b", "FROM a")},
		"a stage below":                    {src: d("FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), want: "Dockerfile:2: " + below},
		"... by its number":                {src: d("FROM b AS x", "COPY --from=1 / /", "FROM a", "FROM x"), want: below, classic: below},
		"... mounted":                      {src: d("FROM b AS x", "RUN --mount=from=y,target=/t true", "FROM a AS y", "FROM x"), want: below},
		"... and above":                    {src: d("FROM a AS y", "FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), want: "move that one above line 2", classic: second + "y above (line 1)"},
		"... that is a context":            {src: d("FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), o: Options{Contexts: []string{"y"}}},
		"a circle through a context":       {src: d("FROM a AS x", "COPY --from=y / /", "FROM a AS y", "COPY --from=x / /", "FROM a"), o: Options{Contexts: []string{"y"}}, want: circle},
		"an image that has a stage's name": {src: d("FROM x AS x", "FROM x AS y", "FROM a")},
		"a context in capitals":            {src: d("FROM a", "COPY --from=Lib / /"), o: Options{Contexts: []string{"Lib"}}, want: "--from=Lib names neither a stage nor an image: "},
		"... that is asked for otherwise":  {src: d("FROM a", "COPY --from=lib / /"), o: Options{Contexts: []string{"Lib"}}},
		"two of one name":                  {src: d("FROM a AS x", "FROM a AS X"), classic: "Dockerfile:2: " + second + "x above (line 1)"},
		"... of which one is the target":   {src: d("FROM a AS x", "FROM a AS x", "FROM a"), o: Options{Target: "X"}},
		"... below the target":             {src: d("FROM a AS y", "FROM a AS x", "FROM a AS x"), o: Options{Target: "y"}},
		"a quote without an end":           {src: d("FROM a", `COPY "a b" /`), want: "Dockerfile:2: " + `"a has a quote without its end: `, classic: quote},
		"... in a list":                    {src: d("FROM a", `ADD ["it's", "/"]`), want: quote, classic: quote},
		"... of an argument":               {src: d("FROM a", `ARG A="b`), want: quote, classic: quote},
		"... that is given":                {src: d("FROM a", `ARG A="b`), o: Options{Args: map[string]string{"A": "b"}}},
		"... above the first FROM":         {src: d(`ARG A="b`, "FROM a"), want: quote, classic: quote},
		"... of a FROM":                    {src: d(`FROM "a`), want: quote, classic: quote},
		"... of a variable":                {src: d("FROM a", `ENV A="${B:?no}`), want: quote, classic: quote},
		"... that waits":                   {src: d("FROM a AS x", `ONBUILD COPY "a b" /`, "FROM x"), want: "Dockerfile:2: " + `"a has`, classic: quote},
		"... that nobody needs":            {src: d("FROM a AS x", `USER "x`, "FROM a"), classic: quote},
		"a circle for another version":     {src: d("FROM a AS x", "COPY --from=x / /", "FROM a"), o: Options{Unsure: true}, want: "takes files from itself"},
		"a variable for another version":   {src: d("FROM a AS x", "FROM a", "COPY --from=$S /f /"), o: Options{Unsure: true}},
		"a brace without an end":           {src: d("FROM a", "ENV A=${B"), want: "unsupported modifier", classic: "unsupported modifier"},
		"... of a default":                 {src: d("FROM a", "WORKDIR ${A:-it's}"), want: "Dockerfile:2: ${A:-it's} has a brace without its end, or a quote in braces: close it", classic: "has a brace without"},
		"... for another version":          {src: d("FROM a", "WORKDIR ${A:-it's}"), o: Options{Unsure: true}, want: "has a brace without its end", classic: "has a brace without"},
		"what no variable is":              {src: d("FROM a", "WORKDIR ${A^}"), want: "unsupported modifier (^) in substitution; correct it", classic: "modifier (^)"},
		"... for another version yet":      {src: d("FROM a", "WORKDIR ${A^}"), o: Options{Unsure: true}, classic: ""},
		"what all are":                     {src: d("FROM a", `WORKDIR ${A:-it\'s}${B:-"it's"}${C-d}${D#e}$(f`)},
		"a FROM in capitals":               {src: d("FROM a AS X", "FROM X"), want: "repository name (library/X) must be lowercase"},
		"quotes that end":                  {src: d("FROM a", `COPY "a" 'b' c\"d ${A:?no} /`, `RUN echo "it's`, `CMD "x`, `LABEL a="b c" d='"'`)},
		"a path that leaves":               {src: d("FROM a", "COPY b/../../c /"), classic: "Dockerfile:2: b/../../c leads out of the context: correct"},
		"... at the top":                   {src: d("FROM a", "ADD /../c /"), classic: "/../c leads out of the context"},
		"... a stage":                      {src: d("FROM a AS x", "FROM a", "COPY --from=x ../c /"), classic: "../c leads out of x: correct"},
		"... to nowhere":                   {src: d("FROM a", "COPY b/../c ../", "COPY ../c* $A/../../c /")},
		"... the image":                    {src: d("FROM a", "COPY b /c/../../d"), classic: "Dockerfile:2: /c/../../d leads out of the image: correct"},
		"... its folder":                   {src: d("FROM a", "WORKDIR /c", "COPY b ../../d", "ADD b /c/../d", "COPY b /$D/../../e")},
	} {
		f := read(t, test.src)
		for road, want := range map[bool]string{false: test.want, true: test.classic} {
			test.o.Classic, test.o.Every = road, road
			err := f.Refused(test.o)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, classic=%t: got %v, want %q", name, road, err, want)
			}
		}
	}
}

// Podman's builder passes over what the target does not need, takes the last stage of a name, and climbs no higher than the context.
func TestRefusedByPodman(t *testing.T) {
	for src, want := range map[string]string{
		d("FROM a AS x", "FROM a AS x"):                                 "",
		d("FROM a", "COPY ../c /"):                                      "",
		d("FROM a AS x", `COPY "a b" /`, "FROM a"):                      "",
		d("FROM a", `COPY "a b" /`):                                     "has a quote without its end",
		d("FROM a AS x", "COPY --from=$S / /", "FROM a"):                "holds a variable",
		d("FROM a", "ENV A=${B:-it's}"):                                 "has a brace without its end",
		d("FROM a", "ENV A=${#B}${C/d}"):                                "",
		d("FROM a", "COPY b /../c"):                                     "",
		d("FROM a AS X", "FROM a", "COPY --from=X / /"):                 "",
		d("FROM a AS X", "FROM a", "COPY --from=x / /"):                 "Dockerfile:3: stage x is called X in line 1, and Podman tells capitals apart: write both in the same letters",
		d("FROM a AS x", "FROM a", "RUN --mount=from=X,target=/t true"): "stage X is called x in line 1",
		d("FROM a AS X", "FROM X"):                                      "",
		d("FROM a AS X", "FROM x"):                                      "Dockerfile:2: stage x is called X",
		d("FROM a AS X", "FROM x AS y", "FROM a"):                       "",
		d("FROM a AS X", "FROM a AS x", "FROM x"):                       "",
		d("FROM a AS X", "COPY --from=0 / /", "FROM X"):                 "--from=0 is no other stage",
	} {
		err := read(t, src).Refused(Options{Classic: true})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", src, err, want)
		}
	}
}

// A FROM that names nothing is refused where the builder looks at it: BuildKit at each, Docker's classic builder at those down to the
// target, and Podman at what the target needs, and whether it can fill in the variables of those above it.
func TestRefusedFrom(t *testing.T) {
	kit, docker, podman := Options{}, Options{Classic: true, Every: true}, Options{Classic: true}
	for name, test := range map[string]struct {
		src, target string
		refused     []bool // by BuildKit, Docker and Podman
	}{
		"no value below":           {d("FROM a AS x", "FROM $NONE"), "x", []bool{true, false, false}},
		"... above":                {d("FROM $NONE", "FROM a AS x"), "", []bool{true, true, false}},
		"... needed":               {d("FROM $NONE AS b", "FROM a AS x", "COPY --from=b / /"), "", []bool{true, true, true}},
		"... through a stage":      {d("FROM $NONE AS b", "FROM b"), "", []bool{true, true, true}},
		"no name below":            {d("FROM a AS x", "FROM A/B"), "x", []bool{true, false, false}},
		"... and above":            {d("FROM A/B", "FROM a AS x"), "", []bool{true, true, false}},
		"no platform below":        {d("FROM a AS x", "FROM --platform=$NONE a"), "x", []bool{true, false, false}},
		"an open brace below":      {d("FROM a AS x", "FROM ${A:-it's}"), "x", []bool{true, false, false}},
		"... brace above":          {d("FROM ${A:-it's}", "FROM a AS x"), "", []bool{true, true, true}},
		"... below a wrong TARGET": {d("FROM a AS x", "FROM ${A:-it's}"), "y", []bool{true, true, true}},
	} {
		for i, o := range []Options{kit, docker, podman} {
			o.Target = test.target
			if err := read(t, test.src).Refused(o); (err != nil) != test.refused[i] {
				t.Errorf("%s, for %+v: %v", name, o, err)
			}
		}
	}
}
