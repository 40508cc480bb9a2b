package image_test

import (
	"testing"

	"github.com/manymage/manymage/build/image"
)

const siteR = "/usr/local/lib/R/site-library/"

// debianR is R as Debian has it: a script, which here says only how it ends, and its own program in its home.
func debianR() []entry {
	return []entry{busybox("arm64"), musl("arm64"), exe("/usr/bin/R", "#!/bin/sh\nR_HOME_DIR=/usr/lib/R\nfor a; do x=\"${x} ${a}\"; done\nexec ${R_HOME_DIR}/bin/exec${x}/R \"$@\"\n"),
		elf("/usr/lib/R/bin/exec/R", "arm64"), elf("/usr/bin/Rscript", "arm64")}
}

// Each row declares linux/arm64.
var rChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"no packages", run("Rscript", "/app.R"), nil, "verified"},
	{"a right one", run("Rscript", "/app.R"), []entry{lib(siteR+"Rcpp/libs/Rcpp.so", "arm64"), text(siteR+"glue/DESCRIPTION", "")}, "verified"},
	{"a foreign one", run("Rscript", "/app.R"), []entry{lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:" + siteR + "Rcpp/libs/Rcpp.so"},
	{"... behind a right one of that name", run("Rscript", "/app.R"), []entry{lib(siteR+"Rcpp/libs/Rcpp.so", "arm64"), lib("/usr/lib/R/site-library/Rcpp/libs/Rcpp.so", "amd64")}, "verified"},
	{"... of R's script", run("R", "-e", "shiny::runApp()"), []entry{lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:" + siteR + "Rcpp/libs/Rcpp.so"},
	{"... where the environment says", run("Rscript", "/app.R").and("Env", []string{"R_LIBS=/x:/libs"}), []entry{lib("/libs/Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:/libs/Rcpp/libs/Rcpp.so"},
	{"... where nobody looks", run("Rscript", "/app.R"), []entry{lib("/libs/Rcpp/libs/Rcpp.so", "amd64")}, "verified"},
	{"an R of its own", run("/opt/conda/bin/Rscript", "/app.R"), []entry{elf("/opt/conda/bin/Rscript", "arm64"), lib("/opt/conda/lib/R/library/Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:/opt/conda/lib/R/library/Rcpp/libs/Rcpp.so"},
	{"... beside another's packages", run("/opt/conda/bin/Rscript", "/app.R"), []entry{elf("/opt/conda/bin/Rscript", "arm64"), lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "verified"},
	{"a foreign program behind R's script", run("R"), []entry{elf("/usr/lib/R/bin/exec/R", "amd64")}, "foreign:/usr/lib/R/bin/exec/R"},
	{"a health check's script", run("/app").and("Healthcheck", test("Rscript", "/ok.R")), []entry{elf("/app", "arm64"), lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:" + siteR + "Rcpp/libs/Rcpp.so"},
	{"a health check in one line", run("/app").and("Healthcheck", test("Rscript", "-e", "q()")), []entry{elf("/app", "arm64"), lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "verified"},
}

func TestRPackages(t *testing.T) {
	for _, check := range rChecks {
		t.Run(check.name, func(t *testing.T) {
			r, err := image.Check(check.config.bytes(), watched{MapFS: rootOf(append(debianR(), check.root...)...), t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != check.want || len(r.Notes) > 0 {
				t.Errorf("%s, want %s\n%v\nnotes: %q", got, check.want, err, r.Notes)
			}
		})
	}
}
