package image_test

import (
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

const (
	carton   = "/app/local/lib/perl5/"
	sitePerl = "/usr/local/lib/perl5/site_perl/"
)

// starman is a program of an application's, with the Perl that this names.
func starman(perl string) entry {
	return func(root fstest.MapFS) {
		elf(perl, "arm64")(root)
		exe("/bin/starman", "#!"+perl+" -w\n")(root)
		exe("/bin/carton", "#!"+perl+"\n")(root)
	}
}

// bare runs starman and says which folders Perl is given.
func bare(env ...string) config { return run("/bin/starman").and("WorkingDir", "/app").and("Env", env) }

// Each row declares linux/arm64.
var perlChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"no extensions", bare(), []entry{starman("/usr/bin/perl"), text("/usr/local/share/perl/5.36.0/Mojo.pm", "")}, "verified"},
	{"Debian's, a right one", bare(), []entry{starman("/usr/bin/perl"), lib("/usr/local/lib/aarch64-linux-gnu/perl/5.36.0/auto/DBI/DBI.so", "arm64")}, "verified"},
	{"Debian's, a foreign one", bare(), []entry{starman("/usr/bin/perl"), lib("/usr/local/lib/aarch64-linux-gnu/perl/5.36.0/auto/JSON/XS/XS.so", "amd64")}, "foreign-module:/usr/local/lib/aarch64-linux-gnu/perl/5.36.0/auto/JSON/XS/XS.so"},
	{"Debian's, for another machine", bare(), []entry{starman("/usr/bin/perl"), lib("/usr/local/lib/x86_64-linux-gnu/perl/5.36.0/auto/DBI/DBI.so", "amd64")}, "foreign-module:/usr/local/lib/x86_64-linux-gnu/perl/5.36.0"},
	{"Debian's, for two machines", bare(), []entry{starman("/usr/bin/perl5.36-aarch64-linux-gnu"), lib("/usr/local/lib/x86_64-linux-gnu/perl/5.36.0/auto/DBI/DBI.so", "amd64"), lib("/usr/local/lib/aarch64-linux-gnu/perl/5.36.0/auto/DBI/DBI.so", "arm64")}, "verified"},
	{"Alpine's, a foreign one", bare(), []entry{starman("/usr/bin/perl"), lib(sitePerl+"auto/DBI/DBI.so", "amd64")}, "foreign-module:" + sitePerl + "auto/DBI/DBI.so"},
	{"Perl's own image, a right one", bare(), []entry{starman("/usr/local/bin/perl"), lib(sitePerl+"5.40.0/aarch64-linux-gnu/auto/DBI/DBI.so", "arm64")}, "verified"},
	{"Perl's own image, for another machine", bare(), []entry{starman("/usr/local/bin/perl5.40.0"), lib(sitePerl+"5.40.0/x86_64-linux-thread-multi/auto/DBI/DBI.so", "amd64")}, "foreign-module:" + sitePerl + "5.40.0/x86_64-linux-thread-multi"},
	{"perlbrew's", bare(), []entry{starman("/opt/perlbrew/perls/perl-5.38.0/bin/perl"), lib("/opt/perlbrew/perls/perl-5.38.0/lib/site_perl/5.38.0/aarch64-linux/auto/EV/EV.so", "amd64")}, "foreign-module:/opt/perlbrew/perls/perl-5.38.0/lib/site_perl/5.38.0/aarch64-linux/auto/EV/EV.so"},
	{"another machine's folder without an extension", bare(), []entry{starman("/usr/local/bin/perl"), text(sitePerl+"5.40.0/x86_64-linux-gnu/auto/Moo/.packlist", "")}, "verified"},
	{"what belongs to Perl itself", bare(), []entry{starman("/usr/local/bin/perl"), lib("/usr/local/lib/perl5/5.40.0/x86_64-linux-gnu/auto/POSIX/POSIX.so", "amd64")}, "verified"},

	{"PERL5LIB", bare("PERL5LIB=/nowhere:/app/local/lib/perl5"), []entry{starman("/usr/bin/perl"), lib(carton+"x86_64-linux-gnu-thread-multi/auto/EV/EV.so", "amd64")}, "foreign-module:" + carton + "x86_64-linux-gnu-thread-multi"},
	{"nobody names the folder", bare(), []entry{starman("/usr/bin/perl"), lib(carton+"x86_64-linux-gnu-thread-multi/auto/EV/EV.so", "amd64")}, "verified"},
	{"-I", run("perl", "-Ilocal/lib/perl5", "app.pl").and("WorkingDir", "/app").and("Env", []string{"PATH=/usr/bin"}), []entry{starman("/usr/bin/perl"), lib(carton+"aarch64-linux-gnu-thread-multi/auto/EV/EV.so", "amd64")}, "foreign-module:" + carton + "aarch64-linux-gnu-thread-multi/auto/EV/EV.so"},
	{"carton", run("/bin/carton", "exec", "starman").and("WorkingDir", "/app"), []entry{starman("/usr/bin/perl"), lib(carton+"x86_64-linux-gnu-thread-multi/auto/EV/EV.so", "amd64")}, "foreign-module:" + carton + "x86_64-linux-gnu-thread-multi"},
	{"use lib", run("/usr/bin/perl", "/app/x.pl"), []entry{starman("/usr/bin/perl"), text("/app/x.pl", "#!/usr/bin/perl\nuse strict; # x\n  use lib '/app/local/lib/perl5';\n"), lib(carton+"auto/EV/EV.so", "amd64")}, "foreign-module:" + carton + "auto/EV/EV.so"},
	{"... from where the script lies", run("/app/bin/x"), []entry{starman("/usr/bin/perl"), exe("/app/bin/x", "#!/usr/bin/perl\nuse FindBin qw($Bin);\nuse lib \"$Bin/../local/lib/perl5\";\n"), lib(carton+"auto/EV/EV.so", "amd64")}, "foreign-module:" + carton + "auto/EV/EV.so"},
	{"... that is worked out", run("/usr/bin/perl", "/app/x.pl"), []entry{starman("/usr/bin/perl"), text("/app/x.pl", "use lib \"$ENV{X}/app/local/lib/perl5\";\n# use lib '/app/local/lib/perl5';\n"), lib(carton+"auto/EV/EV.so", "amd64")}, "verified"},
	{"a health check in one line", run("/app/ok").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/usr/bin/perl", "-e", "1", "x"}}), []entry{starman("/usr/bin/perl"), elf("/app/ok", "arm64"), lib(sitePerl+"auto/DBI/DBI.so", "amd64")}, "verified"},
	{"a health check's script", run("/app/ok").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/bin/starman"}}), []entry{starman("/usr/bin/perl"), elf("/app/ok", "arm64"), lib(sitePerl+"auto/DBI/DBI.so", "amd64")}, "foreign-module:" + sitePerl + "auto/DBI/DBI.so"},
}

func TestPerlExtensions(t *testing.T) {
	for _, test := range perlChecks {
		r, err := image.Check(test.config.bytes(), rootOf(test.root...), platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
