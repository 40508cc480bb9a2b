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
		"... of one that nobody pulls":     {src: d("FROM a AS x", "ONBUILD COPY --from=$S /f /", "FROM x", "FROM a")},
		"... of a context's stage":         {src: d("FROM a AS x", "COPY --from=$S /f /", "FROM a"), o: Options{Contexts: []string{"x"}}},
		"no variable":                      {src: d("FROM a AS x", "FROM a", `COPY --from="x" /f /`, "COPY --from=1.2.3.4:5000/a /f /")},
		"a circle that nobody needs":       {src: d("FROM a AS x", "COPY --from=y / /", "FROM a AS y", "COPY --from=x / /", "FROM a"), want: circle},
		"... of mounts":                    {src: d("FROM a AS x", "RUN --mount=from=y,target=/t true", "FROM a AS y", "RUN --mount=type=cache,from=x,target=/t true", "FROM a"), want: circle},
		"... of one":                       {src: d("FROM a AS x", "COPY --from=x / /", "FROM a"), want: "stage x takes files from itself"},
		"... through a FROM":               {src: d("FROM a AS x", "RUN --mount=from=y,target=/t true", "FROM x AS y", "FROM a")},
		"... through a number of a mount":  {src: d("FROM a AS x", "RUN --mount=from=1,target=/t true", "FROM a", "COPY --from=0 / /", "FROM a")},
		"... through a trigger":            {src: d("FROM a AS x", "ONBUILD COPY --from=z / /", "FROM x AS y", "FROM a AS z", "COPY --from=y / /", "FROM a")},
		"a stage below that nobody needs":  {src: d("FROM b AS x", "COPY --from=b / /", "FROM a AS b", "FROM a")},
		"a stage below":                    {src: d("FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), want: "Dockerfile:2: " + below},
		"... by its number":                {src: d("FROM b AS x", "COPY --from=1 / /", "FROM a", "FROM x"), want: below},
		"... mounted":                      {src: d("FROM b AS x", "RUN --mount=from=y,target=/t true", "FROM a AS y", "FROM x"), want: below},
		"... and above":                    {src: d("FROM a AS y", "FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), want: "move that one above line 2"},
		"... that is a context":            {src: d("FROM b AS x", "COPY --from=y / /", "FROM a AS y", "FROM x"), o: Options{Contexts: []string{"y"}}},
		"a circle through a context":       {src: d("FROM a AS x", "COPY --from=y / /", "FROM a AS y", "COPY --from=x / /", "FROM a"), o: Options{Contexts: []string{"y"}}},
		"an image that has a stage's name": {src: d("FROM x AS x", "FROM x AS x", "FROM a")},
	} {
		f := read(t, test.src)
		for road, want := range map[bool]string{false: test.want, true: test.classic} {
			err := f.Refused(test.o, road)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, classic=%t: got %v, want %q", name, road, err, want)
			}
		}
	}
}
