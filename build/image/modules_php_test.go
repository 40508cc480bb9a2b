package image_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

const (
	phpExt  = "/usr/local/lib/php/extensions/no-debug-non-zts-20230831/"
	phpConf = "/usr/local/etc/php/conf.d/"
)

// php are the interpreters of the php images, of Debian and of Alpine.
func php(root fstest.MapFS) {
	for _, name := range []string{"/usr/local/bin/php", "/usr/local/sbin/php-fpm", "/usr/sbin/php-fpm8.2", "/usr/bin/php8.2", "/usr/bin/php83", "/usr/bin/php-zts", "/usr/sbin/php-fpm-zts", "/usr/sbin/apache2"} {
		elf(name, "arm64")(root)
	}
}

// Each row declares linux/arm64 and has right programs.
var phpChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"no extensions", run("php", "/app.php"), nil, "verified"},
	{"a right one", run("php-fpm"), []entry{text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "arm64")}, "verified"},
	{"a foreign one", run("php-fpm"), []entry{text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "foreign-module:" + phpExt + "gd.so"},
	{"... of Zend's kind", run("php", "/app.php"), []entry{text(phpConf+"x.ini", "zend_extension = \"xdebug.so\" ; slow\n"), lib(phpExt+"xdebug.so", "amd64")}, "foreign-module:" + phpExt + "xdebug.so"},
	{"... by its path", run("php", "/app.php"), []entry{text(phpConf+"x.ini", "zend_extension=/opt/ioncube.so\n"), lib("/opt/ioncube.so", "amd64")}, "foreign-module:/opt/ioncube.so"},
	{"... in a folder of one's own", run("php", "/app.php"), []entry{text("/usr/local/etc/php/php.ini", "extension_dir = '/opt/ext'\nextension=x\n"), lib("/opt/ext/x.so", "amd64")}, "foreign-module:/opt/ext/x.so"},
	{"compiled on Alpine", run("php", "/app.php"), []entry{elf("/usr/local/bin/php", "arm64", elftest.Interp(glibcLoader)), lib(glibcLoader, "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "arm64", elftest.Needs("libc.musl-aarch64.so.1"))}, "foreign-module:" + phpExt + "gd.so"},
	{"... where it belongs", run("php", "/app.php"), []entry{elf("/usr/local/bin/php", "arm64", elftest.Interp(muslLoader)), lib(muslLoader, "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "arm64", elftest.Needs("libc.musl-aarch64.so.1"))}, "verified"},
	{"... that nothing has loaded", run("php", "/app.php"), []entry{text(phpConf+"gd.ini", ";extension=gd\n[PHP]\nextension=\n"), lib(phpExt+"gd.so", "amd64")}, "verified"},
	{"... that is not there", run("php", "/app.php"), []entry{text(phpConf+"gd.ini", "extension=gd\n")}, "verified"},
	{"... that this way to start PHP does not load", run("php", "-n", "/app.php"), []entry{text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "verified"},
	{"one for each of two versions of PHP", run("php", "/app.php"), []entry{text(phpConf+"gd.ini", "extension=gd\n"), lib("/usr/local/lib/php/extensions/no-debug-non-zts-20220829/gd.so", "amd64"), lib(phpExt+"gd.so", "arm64")}, "verified"},
	{"a server with PHP in it", run("apache2"), []entry{text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "foreign-module:" + phpExt + "gd.so"},
	{"a folder that the environment names", run("php", "/app.php").and("Env", []string{"PHP_INI_SCAN_DIR=:/conf"}), []entry{text("/conf/x.ini", "extension=x"), lib(phpExt+"x.so", "amd64")}, "foreign-module:" + phpExt + "x.so"},

	{"... that replaces its own", run("php", "/app.php").and("Env", []string{"PHP_INI_SCAN_DIR=/conf"}), []entry{text(phpConf+"x.ini", "extension=x"), lib(phpExt+"x.so", "amd64")}, "verified"},
	{"a php.ini of one's own", run("php-fpm", "-c", "/app/php.ini"), []entry{text("/app/php.ini", "extension=x"), lib(phpExt+"x.so", "amd64")}, "foreign-module:" + phpExt + "x.so"},
	{"... in a folder that the environment names", run("php-fpm").and("Env", []string{"PHPRC=/app"}), []entry{text("/app/php.ini", "extension=x"), lib(phpExt+"x.so", "amd64")}, "foreign-module:" + phpExt + "x.so"},
	{"... instead of the usual one", run("php-fpm", "-c", "/app/php.ini"), []entry{text("/app/php.ini", ""), text("/usr/local/etc/php/php.ini", "extension=x"), lib(phpExt+"x.so", "amd64")}, "verified"},
	{"an extension on the command line", run("php", "-dextension=x", "-d", "a=b", "/app.php"), []entry{lib(phpExt+"x.so", "amd64")}, "foreign-module:" + phpExt + "x.so"},
	{"a fitting copy where this PHP does not look", run("php", "/app.php"), []entry{text(phpConf+"gd.ini", "extension=gd"), lib(phpExt+"gd.so", "amd64"), lib("/usr/lib/php/20230831/gd.so", "arm64")}, "foreign-module:" + phpExt + "gd.so"},
	{"PHP below a folder of its own", run("/opt/php/bin/php", "/app.php"), []entry{elf("/opt/php/bin/php", "arm64"), text("/opt/php/etc/php.ini", "extension=x"), lib("/opt/php/lib/php/extensions/a/x.so", "amd64")}, "foreign-module:/opt/php/lib/php/extensions/a/x.so"},
	{"... beside another's extensions", run("/opt/php/bin/php", "/app.php"), []entry{elf("/opt/php/bin/php", "arm64"), text(phpConf+"gd.ini", "extension=gd"), lib(phpExt+"gd.so", "amd64")}, "verified"},

	{"Debian's", run("php-fpm8.2", "-F"), []entry{text("/etc/php/8.2/mods-available/gd.ini", "; priority=20\nextension=gd.so\n"), link("/etc/php/8.2/fpm/conf.d/20-gd.ini", "/etc/php/8.2/mods-available/gd.ini"), lib("/usr/lib/php/20220829/gd.so", "amd64")}, "foreign-module:/usr/lib/php/20220829/gd.so"},
	{"... of another way to start it", run("php8.2", "/app.php"), []entry{text("/etc/php/8.2/fpm/conf.d/20-gd.ini", "extension=gd.so\n"), lib("/usr/lib/php/20220829/gd.so", "amd64")}, "verified"},
	{"... of another version", run("php8.2", "/app.php"), []entry{text("/etc/php/8.3/cli/conf.d/20-gd.ini", "extension=gd.so\n"), lib("/usr/lib/php/20230831/gd.so", "amd64")}, "verified"},
	{"... for its Apache", run("apache2"), []entry{text("/etc/php/8.2/apache2/conf.d/20-gd.ini", "extension=gd.so\n"), lib("/usr/lib/php/20220829/gd.so", "amd64")}, "foreign-module:/usr/lib/php/20220829/gd.so"},
	{"Alpine's", run("php83", "/app.php"), []entry{text("/etc/php83/conf.d/00_gd.ini", "extension=gd\n"), lib("/usr/lib/php83/modules/gd.so", "amd64")}, "foreign-module:/usr/lib/php83/modules/gd.so"},

	{"PHP for threads", run("php-zts", "/app.php"), []entry{text("/etc/php-zts/conf.d/gd.ini", "extension=gd\n"), lib("/usr/lib/php-zts/modules/gd.so", "amd64")}, "foreign-module:/usr/lib/php-zts/modules/gd.so"},
	{"... and its server", run("php-fpm-zts"), []entry{text("/etc/php-zts/php.ini", "extension=gd\n"), lib("/usr/lib/php-zts/modules/gd.so", "amd64")}, "foreign-module:/usr/lib/php-zts/modules/gd.so"},
	{"PHP is not run", run("/app"), []entry{elf("/app", "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "verified"},
	{"a health check's script", run("/app").and("Healthcheck", test("php", "-d", "x=1", "-f", "/check.php")), []entry{elf("/app", "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "foreign-module:" + phpExt + "gd.so"},
	{"a health check of one line", run("/app").and("Healthcheck", test("php", "-r", "exit(0);")), []entry{elf("/app", "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "amd64")}, "verified"},
}

func TestPHPModules(t *testing.T) {
	for _, test := range phpChecks {
		t.Run(test.name, func(t *testing.T) {
			root := watched{MapFS: rootOf(append([]entry{php}, test.root...)...), t: t}
			r, err := image.Check(test.config.bytes(), root, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

// An extension costs two requests, one for what it is and one for what it needs: there are many of them.
func TestPHPExtensionsOpenedTwice(t *testing.T) {
	opened := map[string]int{}
	root := rootOf(elf("/usr/local/bin/php", "arm64", elftest.Interp("/lib/ld-linux-aarch64.so.1")), lib("/lib/ld-linux-aarch64.so.1", "arm64"), text(phpConf+"gd.ini", "extension=gd\n"), lib(phpExt+"gd.so", "arm64"))
	r, err := image.Check(run("php", "/app.php").bytes(), watched{MapFS: root, t: t, opened: func(name string) { opened["/"+name]++ }}, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || opened[phpExt+"gd.so"] > 2 || opened[phpConf+"gd.ini"] != 1 {
		t.Error(got, opened, err)
	}
}
