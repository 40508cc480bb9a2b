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

// renvR runs a script in a project's folder.
func renvR() config { return run("Rscript", "app.R").and("WorkingDir", "/app") }

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
	{"renv's", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), lib("/app/renv/library/R-4.3/aarch64-unknown-linux-gnu/Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:/app/renv/library/R-4.3/aarch64-unknown-linux-gnu/Rcpp/libs/Rcpp.so"},
	{"... by links to its cache", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), link("/app/renv/library/linux-debian-bookworm/R-4.3/aarch64-unknown-linux-gnu/Rcpp", "/cache/Rcpp/1.0/0/Rcpp"), lib("/cache/Rcpp/1.0/0/Rcpp/libs/Rcpp.so", "amd64")}, "foreign-module:/cache/Rcpp/1.0/0/Rcpp/libs/Rcpp.so"},
	{"... a right one before the system's", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), lib("/app/renv/library/R-4.3/aarch64-unknown-linux-gnu/Rcpp/libs/Rcpp.so", "arm64"), lib(siteR+"Rcpp/libs/Rcpp.so", "amd64")}, "verified"},
	{"... for another machine", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", "")}, "foreign-module:/app/renv/library/R-4.3/x86_64-pc-linux-gnu"},
	{"... for both", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", ""), text("/app/renv/library/R-4.3/aarch64-unknown-linux-gnu/glue/DESCRIPTION", "")}, "verified"},
	{"... of a Mac", renvR(), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), text("/app/renv/library/R-4.3/x86_64-apple-darwin20/glue/DESCRIPTION", "")}, "verified"},
	{"... where the environment says", renvR().and("Env", []string{"RENV_PATHS_LIBRARY=/lib/renv"}), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), lib("/lib/renv/R-4.3/aarch64-unknown-linux-gnu/Rcpp/libs/Rcpp.so", "amd64"), text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", "")}, "foreign-module:/lib/renv/R-4.3/aarch64-unknown-linux-gnu/Rcpp/libs/Rcpp.so"},
	{"... that is left off", renvR().and("Env", []string{"RENV_CONFIG_AUTOLOADER_ENABLED=FALSE"}), []entry{text("/app/.Rprofile", "source(\"renv/activate.R\")\n"), text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", "")}, "verified"},
	{"... in a comment alone", renvR(), []entry{text("/app/.Rprofile", "options(x = 1)\n# source(\"renv/activate.R\")\n"), text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", "")}, "verified"},
	{"... that nobody starts", renvR(), []entry{text("/app/renv/library/R-4.3/x86_64-pc-linux-gnu/glue/DESCRIPTION", "")}, "verified"},
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
