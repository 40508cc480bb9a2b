package image_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

// nginx is one that is started, with the main part of its configuration.
func nginx(conf string) []entry {
	return []entry{elf("/usr/sbin/nginx", "arm64"), text("/etc/nginx/nginx.conf", conf)}
}

// apache is Debian's, with the main part of its configuration.
func apache(conf string) []entry {
	return []entry{elf("/usr/sbin/apache2", "arm64"), text("/etc/apache2/apache2.conf", conf)}
}

// own is a server at any path.
func own(name string, more ...entry) []entry { return append(more, elf(name, "arm64")) }

// modsEnabled has one file of a module's, as Debian enables it.
func modsEnabled(conf string) []entry {
	return []entry{text("/etc/apache2/mods-available/x.load", conf), link("/etc/apache2/mods-enabled/x.load", "../mods-available/x.load")}
}

const (
	nginxMods  = "/usr/lib/nginx/modules/"
	apacheMods = "/usr/lib/apache2/modules/"
	pgLib      = "/usr/lib/postgresql/16/lib/"
	postgres   = "/usr/lib/postgresql/16/bin/postgres"
)

// Each row declares linux/arm64 and has an amd64 module x.so in each of the folders where servers have theirs, and /x.so.
var servedChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"nginx without modules", run("nginx"), nginx("events {\n}\n"), ""},
	{"nginx", run("nginx", "-g", "daemon off;"), nginx("user x;\nload_module /x.so;\nevents {}\n"), "/x.so"},
	{"... below its prefix", run("nginx"), append(nginx("load_module \"modules/x.so\";"), link("/etc/nginx/modules", "/usr/lib/nginx/modules")), nginxMods + "x.so"},
	{"... below Debian's", run("nginx"), append(nginx("load_module modules/x.so;"), link("/usr/share/nginx/modules", "../../lib/nginx/modules")), nginxMods + "x.so"},
	{"... in a comment", run("nginx"), nginx("# load_module /x.so;\nevents {}"), ""},
	{"... in a text of nginx's own", run("nginx"), nginx("pid '/run/a; load_module /x.so;';"), ""},
	{"... behind a block, which nginx refuses", run("nginx"), nginx("events {}\nload_module /x.so;"), ""},
	{"... in a file that is included", run("nginx"), append(nginx("include modules-enabled/*.conf;\nevents {}"), text("/etc/nginx/modules-enabled/x.conf", "load_module /x.so;")), "/x.so"},
	{"... by its whole path, and by a link", run("nginx"), append(nginx("include /etc/nginx/modules-enabled/*.conf;"), text("/usr/share/x.conf", "load_module /x.so;"), link("/etc/nginx/modules-enabled/x.conf", "/usr/share/x.conf")), "/x.so"},
	{"... from a folder above", run("nginx"), append(nginx("include ../m.conf;"), text("/etc/m.conf", "load_module /x.so;")), "/x.so"},
	{"... in files that include each other", run("nginx"), append(nginx("include a.conf;"), text("/etc/nginx/a.conf", "include a.conf;include nginx.conf;load_module /x.so;")), "/x.so"},
	{"... in a file of one's own", run("nginx", "-c", "/app/n.conf"), append(nginx(""), text("/app/n.conf", "load_module /x.so;")), "/x.so"},
	{"... instead of the usual one", run("nginx", "-c", "/app/n.conf"), append(nginx("load_module /x.so;"), text("/app/n.conf", "")), ""},
	{"... on the command line", run("nginx", "-g", "load_module /x.so; daemon off;"), nginx(""), "/x.so"},
	{"... with a prefix of one's own", run("nginx", "-p", "/app", "-c", "n.conf"), append(nginx(""), text("/app/n.conf", "load_module m/x.so;"), lib("/app/m/x.so", "amd64")), "/app/m/x.so"},
	{"... that fits where it looks", run("nginx"), append(nginx("load_module modules/ok.so;"), lib("/etc/nginx/modules/ok.so", "arm64"), lib("/usr/share/nginx/modules/ok.so", "amd64")), ""},
	{"... that is not there", run("nginx"), nginx("load_module /no.so;"), ""},
	{"... that is none of a machine's", run("nginx"), append(nginx("load_module /no.so;"), text("/no.so", "x")), ""},
	{"... that waits for who wants it", run("nginx"), append(nginx("include modules-available/*.conf.off;"), text("/etc/nginx/modules-available/x.conf", "load_module /x.so;")), ""},
	{"its own build", run("/usr/local/nginx/sbin/nginx"), own("/usr/local/nginx/sbin/nginx", text("/usr/local/nginx/conf/nginx.conf", "load_module modules/x.so;"), lib("/usr/local/nginx/modules/x.so", "amd64")), "/usr/local/nginx/modules/x.so"},
	{"... by a link, from the link's folder", run("nginx"), own("/usr/sbin/nginx", link("/etc/nginx/nginx.conf", "/app/nginx.conf"), text("/app/nginx.conf", "include m/*.conf;"), text("/etc/nginx/m/x.conf", "load_module /x.so;")), "/x.so"},
	{"the official image's, for finding faults", run("nginx-debug", "-g", "daemon off;"), own("/usr/sbin/nginx-debug", text("/etc/nginx/nginx.conf", "load_module modules/x.so;"), link("/etc/nginx/modules", "/usr/lib/nginx/modules")), nginxMods + "x.so"},
	{"OpenResty", run("/usr/local/openresty/bin/openresty"), own("/usr/local/openresty/nginx/sbin/nginx", link("/usr/local/openresty/bin/openresty", "/usr/local/openresty/nginx/sbin/nginx"), text("/usr/local/openresty/nginx/conf/nginx.conf", "load_module /x.so;")), "/x.so"},
	{"nginx that nobody starts", run("/app"), append(nginx("load_module /x.so;"), elf("/app", "arm64")), ""},
	{"... but the health check, to test it", run("/app").and("Healthcheck", test("nginx", "-t")), append(nginx("load_module /x.so;"), elf("/app", "arm64")), ""},

	{"Apache without modules", run("apache2"), apache("Listen 80\n"), ""},
	{"Apache", run("apache2", "-D", "FOREGROUND"), apache("LoadModule x_module /x.so\n"), "/x.so"},
	{"... by a path with blanks", run("apache2"), append(apache("LoadModule x_module \"/a b/x.so\"\n"), lib("/a b/x.so", "amd64")), "/a b/x.so"},
	{"... where a file is there", run("apache2"), append(apache("<IfFile \"/a b.conf\">\nLoadModule x_module /x.so\n</IfFile>\n"), text("/a b.conf", "")), "/x.so"},
	{"... where a folder is there", run("apache2"), apache("<IfFile /etc>\nLoadModule x_module /x.so\n</IfFile>\n"), "/x.so"},
	{"... where a file is not there", run("apache2"), apache("<IfFile /b.conf>\nLoadModule x_module /x.so\n</IfFile>\n<IfFile !/etc>\nLoadModule x_module /x.so\n</IfFile>\n"), ""},
	{"... where none must be there", run("apache2"), apache("<IfFile !/b.conf>\nLoadModule x_module /x.so\n</IfFile>\n"), "/x.so"},
	{"... by a macro", run("apache2"), apache("<Macro load $name $file>\n  LoadModule $name_module $file\n</Macro>\nUse LOAD x \"/x.so\"\n"), "/x.so"},
	{"... by one that nobody uses", run("apache2"), apache("<Macro load $file>\nLoadModule x_module /x.so\n</Macro>\nUse other /x.so\n"), ""},
	{"... by one in another", run("apache2"), apache("<Macro a $f>\nLoadModule x_module $f\n</Macro>\n<Macro b>\nUse a /x.so\n</Macro>\nUse b\n"), "/x.so"},
	{"... Debian's modules", run("apache2", "-DFOREGROUND"), append(apache("IncludeOptional mods-enabled/*.load\n"), modsEnabled("# Depends: y\nLoadModule x_module "+apacheMods+"x.so\n")...), apacheMods + "x.so"},
	{"... a folder", run("apache2"), append(apache("Include mods-enabled\n"), modsEnabled("loadmodule x_module "+apacheMods+"x.so\n")...), apacheMods + "x.so"},
	{"... under a condition", run("apache2"), apache("<IfDefine X>\nLoadModule x_module /x.so\n</IfDefine>\n"), ""},
	{"... behind one", run("apache2"), apache("<IfModule !a>\n  Include x\n</IfModule>\n  LoadModule x_module \\\n  \"/x.so\"\n"), "/x.so"},
	{"... in a comment", run("apache2"), apache("#LoadModule x_module /x.so\n"), ""},
	{"... with line ends of Windows", run("apache2"), apache("LoadModule x_module \\\r\n  /x.so\r\n"), "/x.so"},
	{"... by a variable", run("apache2"), apache("LoadModule x_module ${MODS}/x.so\n"), ""},
	{"... and a library", run("apache2"), apache("LoadFile /x.so\n"), "/x.so"},
	{"... on the command line", run("apache2", "-c", "LoadModule x_module /x.so"), apache(""), "/x.so"},
	{"... first for what the command line defines", run("apache2", "-D", "X"), apache("<IfDefine X>\nLoadModule x_module /x.so\n</IfDefine>\n"), "/x.so"},
	{"... and not", run("apache2", "-DX"), apache("<IfDefine !X>\nLoadModule x_module /x.so\n</IfDefine>\n"), ""},
	{"... as nothing defines", run("apache2"), apache("<IfDefine !X>\nLoadModule x_module /x.so\n</IfDefine>\n"), "/x.so"},
	{"... unless whoever starts it does", sh("apache2 $OPTS"), append(apache("<IfDefine !X>\nLoadModule x_module /x.so\n</IfDefine>\n"), busybox("arm64"), musl("arm64")), ""},
	{"... as a line defines", run("apache2"), apache("Define X\n<IfDefine X>\n  LoadModule x_module /x.so\n</IfDefine>\n"), "/x.so"},
	{"... and one takes back", run("apache2"), apache("Define X\nUnDefine X\n<IfDefine X>\nLoadModule x_module /x.so\n</IfDefine>\n"), ""},
	{"... beside a module", run("apache2"), apache("LoadModule y_module /y.so\n<IfModule mod_y.c>\nLoadModule x_module /x.so\n</IfModule>\n"), "/x.so"},
	{"... by its other name", run("apache2"), apache("LoadModule y_module /y.so\n<IfModule y_module>\n<IfModule !z_module>\nLoadModule x_module /x.so\n</IfModule>\n</IfModule>\n"), "/x.so"},
	{"... that comes later", run("apache2"), apache("<IfModule y_module>\nLoadModule x_module /x.so\n</IfModule>\nLoadModule y_module /y.so\n"), ""},
	{"... instead of one", run("apache2"), apache("LoadModule y_module /y.so\n<IfModule !mod_y.c>\nLoadModule x_module /x.so\n</IfModule>\n"), ""},
	{"... of another file", run("apache2"), append(apache("Include /a.conf\n<IfModule mod_y.c>\nInclude /b.conf\n</IfModule>\n"), text("/a.conf", "LoadModule y_module /y.so\n"), text("/b.conf", "LoadModule x_module /x.so\n")), "/x.so"},
	{"... that may be built in", run("apache2"), apache("<IfModule !mpm_prefork_module>\nLoadModule x_module /x.so\n</IfModule>\n"), ""},
	{"... that surely is", run("apache2"), apache("<IfModule mod_so.c>\nLoadModule x_module /x.so\n</IfModule>\n"), "/x.so"},
	{"... of a version", run("apache2"), apache("<IfVersion >= 2.4>\nLoadModule x_module /x.so\n</IfVersion>\n"), "/x.so"},
	{"... of another", run("apache2"), apache("<IfVersion < 2.4>\nLoadModule x_module /x.so\n</IfVersion>\n<IfVersion = 2.2>\nLoadModule x_module /x.so\n</IfVersion>\n"), ""},
	{"... of a part of one", run("apache2"), apache("<IfVersion >= 2.4.50>\nLoadModule x_module /x.so\n</IfVersion>\n<IfVersion !>= 2.4.50>\nLoadModule x_module /x.so\n</IfVersion>\n"), ""},
	{"... where nobody may", run("apache2"), apache("<Directory />\n<IfVersion > 2>\nLoadModule x_module /x.so\n</IfVersion>\n</Directory>\n"), ""},
	{"... of a site's", run("apache2"), apache("<VirtualHost *:80>\nLoadModule x_module /x.so\n</VirtualHost>\n"), "/x.so"},
	{"... by a variable of its own", run("apache2"), apache("Define D /usr/lib\nDefine MODS ${D}/apache2/modules\nLoadModule x_module ${MODS}/x.so\n"), apacheMods + "x.so"},
	{"... by one of the environment", run("apache2").and("Env", []string{"ROOT=/usr/lib/apache2"}), apache("ServerRoot ${ROOT}\nLoadModule x_module modules/x.so\n"), apacheMods + "x.so"},
	{"... of Debian's script", run("/start"), append(apache("Include ${CONF}/*.load\n"), busybox("arm64"), musl("arm64"), text("/etc/apache2/envvars", "export CONF=/c$SUFFIX\n"), text("/c/x.load", "LoadModule x_module /x.so\n"),
		exe("/start", "#!/bin/sh\nset -e\nunset SUFFIX\n. /etc/apache2/envvars\nexec apache2 -DFOREGROUND\n")), "/x.so"},
	{"... that has its name from another", run("apache2"), append(apache("LoadModule x_module /ok.so\nLoadModule x_module /x.so\n"), lib("/ok.so", "arm64")), ""},
	{"... among libraries", run("apache2"), apache("LoadFile /x.so /no.so\n"), "/x.so"},
	{"the image httpd", run("httpd"), own("/usr/local/apache2/bin/httpd", link("/usr/bin/httpd", "/usr/local/apache2/bin/httpd"), text("/usr/local/apache2/conf/httpd.conf", "ServerRoot \"/usr/local/apache2\"\nLoadModule x_module modules/x.so\n"), lib("/usr/local/apache2/modules/x.so", "amd64")), "/usr/local/apache2/modules/x.so"},
	{"Alpine's", run("httpd"), own("/usr/sbin/httpd", text("/etc/apache2/httpd.conf", "ServerRoot /var/www\nIncludeOptional /etc/apache2/conf.d/*.conf\n"), text("/etc/apache2/conf.d/x.conf", "LoadModule x_module modules/x.so\n"), link("/var/www/modules", "/usr/lib/apache2/modules")), apacheMods + "x.so"},
	{"Red Hat's", run("httpd"), own("/usr/sbin/httpd", text("/etc/httpd/conf/httpd.conf", "ServerRoot \"/etc/httpd\"\nInclude conf.modules.d/*.conf\n"), text("/etc/httpd/conf.modules.d/00-x.conf", "LoadModule x_module modules/x.so\n"), link("/etc/httpd/modules", "../../usr/lib64/httpd/modules"), lib("/usr/lib64/httpd/modules/x.so", "amd64")), "/usr/lib64/httpd/modules/x.so"},
	{"a file of one's own", run("apache2", "-d", "/app", "-f", "a.conf"), append(apache(""), text("/app/a.conf", "LoadModule x_module m/x.so"), lib("/app/m/x.so", "amd64")), "/app/m/x.so"},
	{"... instead of the usual one", run("apache2", "-f", "/app/a.conf"), append(apache("LoadModule x_module /x.so"), text("/app/a.conf", "")), ""},

	{"Redis", run("redis-server", "--port", "1", "--loadmodule", "/x.so", "ARG"), own("/usr/bin/redis-server"), "/x.so"},
	{"... Debian's, which is a link", run("redis-server", "--loadmodule /x.so"), own("/usr/bin/redis-check-rdb", link("/usr/bin/redis-server", "redis-check-rdb")), "/x.so"},
	{"... by its file", run("redis-server", "redis.conf").and("WorkingDir", "/etc"), own("/usr/bin/redis-server", text("/etc/redis.conf", "# loadmodule /z.so\ninclude /etc/r/*.conf\n"), text("/etc/r/m.conf", "LoadModule /x.so a b\n")), "/x.so"},
	{"... by a file that it is not given", run("redis-server"), own("/usr/bin/redis-server", text("/etc/redis/redis.conf", "loadmodule /x.so\n")), ""},
	{"... relative to where nobody knows", run("redis-server", "--loadmodule", "x.so"), own("/usr/bin/redis-server"), ""},
	{"Valkey", run("valkey-server", "/v.conf"), own("/usr/bin/valkey-server", text("/v.conf", "loadmodule /x.so\n")), "/x.so"},

	{"PostgreSQL for each session", run(postgres, "-c", "session_preload_libraries=x"), own(postgres), pgLib + "x.so"},
	{"... beside what is for all", run(postgres, "-c", "config_file=/pg.conf"), own(postgres, text("/pg.conf", "session_preload_libraries = 'x'\nshared_preload_libraries = ''\n")), pgLib + "x.so"},
	{"... from its own folder", run(postgres, "-c", "local_preload_libraries=y"), own(postgres, lib(pgLib+"plugins/y.so", "amd64")), pgLib + "plugins/y.so"},
	{"PostgreSQL", run(postgres, "-c", "shared_preload_libraries=pg_stat_statements,x"), own(postgres), pgLib + "x.so"},
	{"... in a longer word", run(postgres, "--shared-preload-libraries=$libdir/x"), own(postgres), pgLib + "x.so"},
	{"... by its path", run(postgres, "-cshared_preload_libraries=/x.so"), own(postgres), "/x.so"},
	{"... in what databases are made of", run(postgres), own(postgres, text("/usr/share/postgresql/16/postgresql.conf.sample", "#shared_preload_libraries = ''\nshared_preload_libraries = 'a, x' # y\n")), pgLib + "x.so"},
	{"... that is not the last word", run(postgres, "-c", "shared_preload_libraries="), own(postgres, text("/usr/share/postgresql/16/postgresql.conf.sample", "shared_preload_libraries = 'x'\n")), ""},
	{"... in a file that it is given", run(postgres, "-c", "config_file=/etc/pg.conf"), own(postgres, text("/etc/pg.conf", "shared_preload_libraries = x # y\r\n")), pgLib + "x.so"},
	{"... and not in the sample", run(postgres, "--config-file=/etc/pg.conf"), own(postgres, text("/etc/pg.conf", "#shared_preload_libraries = 'x'\n"), text("/usr/share/postgresql/16/postgresql.conf.sample", "shared_preload_libraries = 'x'\n")), ""},
	{"... in one that this includes", run(postgres, "-c", "config_file=pg.conf").and("WorkingDir", "/etc"), own(postgres, text("/etc/pg.conf", "include_if_exists 'no.conf'\ninclude_dir = 'pg.d'\n"), text("/etc/pg.d/a.conf", "include '../b.conf'\n"), text("/etc/b.conf", "shared_preload_libraries 'x'\n")), pgLib + "x.so"},
	{"... in its data", run(postgres, "-D", "/data"), own(postgres, text("/data/postgresql.conf", "shared_preload_libraries = 'x'\n")), pgLib + "x.so"},
	{"... which the environment names", run(postgres).and("Env", []string{"PGDATA=/data"}), own(postgres, text("/data/postgresql.conf", "shared_preload_libraries = 'x'\n")), pgLib + "x.so"},
	{"the image postgres of Alpine", run("postgres", "-c", "shared_preload_libraries=x"), own("/usr/local/bin/postgres", lib("/usr/local/lib/postgresql/x.so", "amd64")), "/usr/local/lib/postgresql/x.so"},

	{"a Java agent", run("java", "-Xmx1g", "-agentpath:/x.so=a=b", "-jar", "a.jar"), own("/usr/bin/java"), "/x.so"},
	{"... behind a class path", run("java", "-cp", "/a:/b", "-agentpath:/x.so", "Main"), own("/usr/bin/java"), "/x.so"},
	{"... behind an option of two words", run("java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-agentpath:/x.so", "-jar", "a.jar"), own("/usr/bin/java"), "/x.so"},
	{"... behind options that come at run time", sh("exec java $JAVA_OPTS -agentpath:/x.so Main"), own("/usr/bin/java", busybox("arm64"), musl("arm64")), "/x.so"},
	{"... in a file of options", run("java", "@/opts", "-jar", "a.jar"), own("/usr/bin/java", text("/opts", "-Xmx1g\n\"-agentpath:/x.so\"\n")), "/x.so"},
	{"... that is the application's word", run("java", "-jar", "a.jar", "-agentpath:/x.so"), own("/usr/bin/java"), ""},
	{"... in the environment", run("java", "Main").and("Env", []string{"JAVA_TOOL_OPTIONS=-Xmx1g -agentpath:/x.so"}), own("/usr/bin/java"), "/x.so"},
	{"... by its name, which nothing has", run("java", "-agentlib:x", "Main"), own("/usr/bin/java"), ""},
	{"... which Java has", run("java", "-agentlib:x=a=b", "Main"), own("/jdk/bin/java", link("/usr/bin/java", "/jdk/bin/java"), lib("/jdk/lib/libx.so", "amd64")), "/jdk/lib/libx.so"},
	{"... and an old one", run("/jdk/bin/java", "-agentlib:x", "Main"), own("/jdk/bin/java", lib("/jdk/jre/lib/aarch64/libx.so", "amd64")), "/jdk/jre/lib/aarch64/libx.so"},
	{"... which the environment has", run("java", "-agentlib:x", "Main").and("Env", []string{"LD_LIBRARY_PATH=/opt"}), own("/usr/bin/java", lib("/opt/libx.so", "amd64")), "/opt/libx.so"},
	{"... for which there is another", run("java", "-agentlib:x", "Main"), own("/usr/bin/java", lib("/usr/lib/libx.so", "amd64"), lib("/usr/local/lib/libx.so", "arm64")), ""},
	{"... in a variable of a script's", run("/start").and("Env", []string{"OPTS=-Xmx1g -agentpath:/x.so", "MORE=y"}), own("/usr/bin/java", busybox("arm64"), musl("arm64"), exe("/start", "#!/bin/sh\n[ $X ] && A=1\n[ $X ] && B=1\n[ $X ] && C=1\n[ $X ] && D=1\n[ $X ] && E=1\n[ $X ] && OPTS=\"$OPTS -y\"\nexec java $A $B $C $D $E $OPTS Main\n")), "/x.so"},
	{"... which another script has", run("/start").and("Env", []string{"OPT=-agentpath:/x.so"}), own("/usr/bin/java", busybox("arm64"), musl("arm64"), exe("/start", "#!/bin/sh\nexec java $OPTS Main\n")), ""},
	{"... which the script replaces", run("/start").and("Env", []string{"OPTS=-agentpath:/x.so"}), own("/usr/bin/java", busybox("arm64"), musl("arm64"), exe("/start", "#!/bin/sh\nOPTS=-Xmx1g\nexec java $OPTS Main\n")), ""},

	{"Mosquitto", run("mosquitto", "-c", "/m.conf"), own("/usr/sbin/mosquitto", text("/m.conf", "listener 1883\ninclude_dir /m.d\n"), text("/m.d/a.conf", "auth_plugin /x.so\n")), "/x.so"},
	{"... without its file", run("mosquitto"), own("/usr/sbin/mosquitto", text("/etc/mosquitto/mosquitto.conf", "plugin /x.so\n")), ""},
	{"Fluent Bit", run("fluent-bit", "-e", "/x.so", "-c", "/f.conf"), own("/usr/bin/fluent-bit"), "/x.so"},
	{"... in a file that its file names", run("fluent-bit", "-c", "/f/f.conf"), own("/usr/bin/fluent-bit", text("/f/f.conf", "@INCLUDE s.conf\n"), text("/f/s.conf", "[SERVICE]\n  Plugins_File p.conf\n[INPUT]\n  Path /y.so\n"), text("/f/p.conf", "[PLUGINS]\n  Path /x.so\n")), "/x.so"},
	{"... that something else names", run("fluent-bit", "-c", "/f.conf"), own("/usr/bin/fluent-bit", text("/f.conf", "[INPUT]\n  Path /x.so\n")), ""},
	{"... in YAML", run("fluent-bit", "--config=/f/f.yaml"), own("/usr/bin/fluent-bit", text("/f/f.yaml", "includes:\n  - g.yaml\nservice:\n  flush: 1\n"), text("/f/g.yaml", "plugins:\n- /x.so\n")), "/x.so"},
	{"... in one word", run("fluent-bit", "--plugin=x.so"), own("/usr/bin/fluent-bit"), "/x.so"},

	{"uWSGI without plugins", run("uwsgi", "--http", ":80"), own("/usr/bin/uwsgi"), ""},
	{"uWSGI's plugin", run("uwsgi", "--plugins", "python3,x", "--http", ":80"), own("/usr/bin/uwsgi-core", link("/usr/bin/uwsgi", "uwsgi-core")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in its file", run("uwsgi", "app.ini").and("WorkingDir", "/app"), own("/usr/bin/uwsgi", text("/app/app.ini", "[uwsgi]\n;plugin = y\nplugin = x\nplugin = python3\n[other]\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... of another section", run("uwsgi", "--ini=/app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[other]\nplugin = x\n")), ""},
	{"... of the section that is asked for", run("uwsgi", "--ini", "/app.ini:prod"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nplugin = y\n[prod]\nplugin = x\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... of one that is not", run("uwsgi", "--ini", "/app.ini:prod"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nplugin = x\n[prod]\nhttp = :80\n")), ""},
	{"... under a condition", run("uwsgi", "app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nif-env = AMD64\nplugin = x\nendif =\n")), ""},
	{"... behind one", run("uwsgi", "app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nif-env = A\nif-file = /b\nhttp = :80\nendif =\nendif =\nplugin = x\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in YAML", run("uwsgi", "--yaml", "/app.yml"), own("/usr/bin/uwsgi", text("/app.yml", "a:\n  plugins: y\n# b:\nuwsgi:\n  http: :80\n  plugins: 'x'\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... of another part of it", run("uwsgi", "/app.yaml"), own("/usr/bin/uwsgi", text("/app.yaml", "other:\n  plugins: x\n")), ""},
	{"... in a file that the environment names", run("uwsgi").and("Env", []string{"UWSGI_INI=/app.ini"}), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nini = /b.ini:uwsgi\n"), text("/b.ini", "[uwsgi]\nplugins = x\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... of an emperor's vassal", run("uwsgi", "--emperor", "/vassals"), own("/usr/bin/uwsgi", text("/vassals/a.ini", "[uwsgi]\nplugin = x\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in XML", run("uwsgi", "-x", "/app.xml"), own("/usr/bin/uwsgi", text("/app.xml", "<?xml version=\"1.0\"?>\n<a><plugin>y</plugin></a>\n<uwsgi id=\"a\">\n  <!-- <plugin>y</plugin> -->\n  <http>:80</http>\n  <plugin> x </plugin>\n</uwsgi>\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in a file without its end", run("uwsgi", "/app.xml"), own("/usr/bin/uwsgi", text("/app.xml", "<uwsgi><plugins>x</plugins>")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... by other settings", run("uwsgi", "app.ini").and("WorkingDir", "/app").and("Env", []string{"KIND=so"}), own("/usr/bin/uwsgi", text("/app/app.ini", "[uwsgi]\nbase = %dmods\nplugins-dir = %(base)/$(KIND)\nplugin = %(no)y\nplugin = %n\n"), lib("/app/mods/so/app_plugin.so", "amd64")), "/app/mods/so/app_plugin.so"},
	{"... in JSON", run("uwsgi", "--json", "/app.json"), own("/usr/bin/uwsgi", text("/app.json", `{"other": {"plugin": "y"}, "uwsgi": {"http": 80, "plugins": ["python3", "x"]}}`)), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in a part of it", run("uwsgi", "/app.json:prod"), own("/usr/bin/uwsgi", text("/app.json", `{"prod": {"plugin": "y,x"}}`)), ""},
	{"... in what is no JSON", run("uwsgi", "-j", "/app.json"), own("/usr/bin/uwsgi", text("/app.json", `{"uwsgi": [}`)), ""},
	{"... by a placeholder", run("uwsgi", "app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nset-placeholder = what=x\nplugin = %(what)\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... of the command line", run("uwsgi", "--set-ph", "what=x", "--ini", "app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\nplugin = %(what)\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... by its path", run("uwsgi", "--plugin", "/x.so"), own("/usr/bin/uwsgi"), "/x.so"},
	{"... by a path without its end", run("uwsgi", "--plugin=/opt/x"), own("/usr/bin/uwsgi", lib("/opt/x_plugin.so", "amd64")), "/opt/x_plugin.so"},
	{"... that double each other", run("uwsgi", "/app.ini"), own("/usr/bin/uwsgi", text("/app.ini", "[uwsgi]\na = 0123456789\n"+strings.Repeat("a = %(a)%(a)\n", 200)+"plugin = x\n")), "/usr/lib/uwsgi/plugins/x_plugin.so"},
	{"... in a folder of one's own", run("uwsgi", "--plugins-dir", "/app", "--plugin=x"), own("/usr/bin/uwsgi", lib("/app/x_plugin.so", "arm64")), ""},
	{"... by its own name", run("uwsgi_x"), own("/usr/bin/uwsgi-core", link("/usr/bin/uwsgi_x", "uwsgi-core")), "/usr/lib/uwsgi/plugins/x_plugin.so"},

	{"a choice by machine that is not followed", run("/start"), own("/usr/bin/redis-server", busybox("arm64"), musl("arm64"), elf("/usr/bin/lscpu", "arm64"), exe("/start", "#!/bin/sh\nif lscpu | grep -q x86_64; then exec redis-server --loadmodule /x.so; fi\nexec redis-server --loadmodule /arm64.so\n"), lib("/arm64.so", "arm64")), ""},
	{"a server that a script starts", run("/start"), append(nginx("load_module /x.so;"), busybox("arm64"), musl("arm64"), exe("/start", "#!/bin/sh\nset -e\nexec nginx -g 'daemon off;'\n")), "/x.so"},
}

// onTheWay is what a script does before it starts nginx, whose configuration names an amd64 module; each row declares linux/arm64.
var onTheWay = []struct{ name, script, want, note string }{
	{"nothing", "true", "foreign-module:/x/amd64.so", ""},
	{"another file changes", "sed -i s/a/b/ /etc/nginx/mime.types", "foreign-module:/x/amd64.so", ""},
	{"the file changes", "sed -i s/amd64/$(uname -m)/ /etc/nginx/nginx.conf", "verified", nginxMayLoad},
	{"... with its former self kept", "sed --in-place=.bak -e s/amd64/arm64/ /etc/nginx/nginx.conf", "verified", nginxMayLoad},
	{"... is written", "cat >/etc/nginx/nginx.conf <<E\nload_module /x/arm64.so;\nE", "verified", ""},
	{"... and so is the lie", "echo 'load_module /x/amd64.so;' >/etc/nginx/nginx.conf", "verified", nginxMayLoad},
	{"... is put there", "cp /other.conf /etc/nginx/nginx.conf", "verified", ""},
	{"... is taken away", "rm /etc/nginx/nginx.conf", "verified", ""},
	{"a link leads elsewhere", "ln -sfn /x/arm64.so /x/amd64.so", "verified", nginxMayLoad},
}

// A module that a script chooses by machine in a way that cannot be followed is told of; each row declares linux/arm64.
var byMachineChosen = []struct{ script, want string }{
	{"for f in /m/*/x.so; do if file $f | grep -q aarch64; then M=$f; fi; done; exec redis-server --loadmodule $M", "+"},
	{"for f in /m/*/x.so; do readelf -h $f | grep -q AArch64 && M=$f; done; exec redis-server --loadmodule \"$M\"", "+"},
	{"M=/m/a/x.so; case $(readelf -h $M) in *AArch64*) ;; *) M=/m/b/x.so ;; esac; set -- redis-server --loadmodule $M; exec \"$@\"", "+"},
	{"if lscpu | grep -q x86_64; then M=/m/a/x.so; else M=/m/b/x.so; fi; N=$M; start() { exec redis-server --loadmodule $N; }; start", "+"},
	{"M=/m/b/x.so; if lscpu | grep -q x86_64; then export M=/m/a/x.so; fi; exec sh /inner", "+"},
	{"if lscpu | grep -q x86_64; then M=/m/a/x.so; else M=/m/b/x.so; fi; M=/m/a/x.so; exec redis-server --loadmodule $M", "-"},
	{"if lscpu | grep -q x86_64; then M=/m/b/x.so; fi; exec redis-server --loadmodule /m/a/x.so", "-"},
	{"M=/m/a/x.so; [ $X ] && M=/m/b/x.so; exec redis-server --loadmodule $M", "-"},
	{"a2dismod -q x; exec apache2", ""},
	{"[ $(uname -m) = x86_64 ] || a2dismod x; exec apache2", ""},
	{"[ $(uname -m) = x86_64 ] && a2dismod x; exec apache2", "-"},
	{"[ $X ] && a2dismod x; exec apache2", "-"},
	{"a2dismod y; exec apache2", "-"},
	{"lscpu | grep -q x86_64 || a2dismod x; exec apache2", "+"},
	{"if file /m/a/x.so | grep -q x86-64; then rm /etc/apache2/mods-enabled/x.load; fi; exec apache2", "+"},
	{"phpdismod x; exec /usr/sbin/php-fpm8.2", ""},
	{"[ $X ] && phpdismod x; exec php-fpm8.2", "-"},
	{"rm /etc/php/8.2/fpm/conf.d/20-x.ini; exec php-fpm8.2", ""},
	{"mv /etc/php/8.2/fpm/conf.d/20-x.ini /tmp/; exec php-fpm8.2", ""},
	{"[ $(uname -m) = x86_64 ] || sed -i /x/d /etc/php/8.2/fpm/conf.d/20-x.ini; exec php-fpm8.2", "+"},
	{"[ $(uname -m) = x86_64 ] || echo >/etc/php/8.2/fpm/conf.d/20-x.ini; exec php-fpm8.2", ""},
	{"sed -i /x/d /etc/php/8.2/fpm/php.ini; exec php-fpm8.2", "-"},
	{"if lscpu | grep -q x86_64; then rm /m/b/x.so; fi; exec apache2", "-"},
}

func TestServedModulesByMachine(t *testing.T) {
	for _, row := range byMachineChosen {
		root := append(scripts(apache("IncludeOptional mods-enabled/*.load")...), modsEnabled("LoadModule x_module /m/a/x.so")...)
		root = append(root, lib("/m/a/x.so", "amd64"), lib("/m/b/x.so", "arm64"), exe("/start", "#!/bin/bash\n"+row.script+"\n"), text("/inner", "exec redis-server --loadmodule $M\n"))
		root = append(root, elf("/usr/sbin/php-fpm8.2", "arm64"), text("/etc/php/8.2/mods-available/x.ini", "extension=/m/a/x.so\n"), link("/etc/php/8.2/fpm/conf.d/20-x.ini", "/etc/php/8.2/mods-available/x.ini"))
		for _, name := range []string{"redis-server", "phpdismod", "file", "readelf", "lscpu", "a2dismod", "rm", "mv", "sed"} {
			root = append(root, elf("/usr/bin/"+name, "arm64"))
		}
		r, err := image.Check(run("/start").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		notes := strings.Join(r.Notes, "\n")
		told := strings.HasSuffix(notes, "chooses by machine in a way that was not followed") || strings.HasSuffix(notes, "which changes what names it")
		want := map[string]string{"+": "verified", "": "verified", "-": "foreign-module:/m/a/x.so"}[row.want]
		if got := outcome(t, r, err); got != want || told != (row.want == "+") {
			t.Errorf("%s\n%s, want %s; notes %q", row.script, got, want, r.Notes)
		}
	}
}

const nginxMayLoad = "/x/amd64.so is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64: whether /usr/sbin/nginx loads it is up to what starts that, which changes what names it"

func TestServersConfiguredOnTheWay(t *testing.T) {
	for _, row := range onTheWay {
		t.Run(row.name, func(t *testing.T) {
			root := rootOf(append(nginx("load_module /x/amd64.so;"), busybox("arm64"), musl("arm64"), lib("/x/amd64.so", "amd64"), lib("/x/arm64.so", "arm64"), text("/other.conf", "load_module /x/arm64.so;"),
				elf("/bin/sed", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/cat", "arm64"), elf("/bin/rm", "arm64"), elf("/bin/ln", "arm64"), exe("/start", "#!/bin/sh\n"+row.script+"\nexec nginx\n"))...)
			r, err := image.Check(run("/start").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != row.want || err == nil && strings.Join(r.Notes, "\n") != row.note {
				t.Errorf("%s, want %s\nnotes: %q\n%v", got, row.want, r.Notes, err)
			}
		})
	}
}

// However often a server is started, what it reads and loads is read once.
func TestServedReadOnce(t *testing.T) {
	opened := map[string]int{}
	root := rootOf(append(apache("LoadModule m_module /m.so\nInclude /more.conf"), text("/more.conf", ""), lib("/m.so", "arm64"), busybox("arm64"), musl("arm64"))...)
	r, err := image.Check(sh("apache2 -k start; apache2 -k stop; apache2 -t && exec apache2").bytes(), watched{MapFS: root, t: t, opened: func(name string) { opened[name]++ }}, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" {
		t.Error(got, err)
	}
	for _, name := range []string{"etc/apache2/apache2.conf", "more.conf", "m.so"} {
		if opened[name] != 1 {
			t.Errorf("%s was opened %d times", name, opened[name])
		}
	}
}

// An endless configuration costs no more than a long one.
func TestServedAtLength(t *testing.T) {
	long := text("/etc/nginx/m/0.conf", strings.Repeat("a;", 5<<20))
	root := rootOf(append(nginx("include m/*.conf;"), long, text("/etc/nginx/m/1.conf", "load_module /x.so;"), lib("/x.so", "amd64"))...)
	r, err := image.Check(run("nginx").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:/x.so" || !slices.Contains(r.Notes, "/etc/nginx/m/0.conf is so long that not all of it was read") {
		t.Error(got, r.Notes)
	}
}

// Thousands of patterns, each of which may mean any folder, cost no more.
func TestPatternsAtLength(t *testing.T) {
	var patterns strings.Builder
	entries := []entry{lib("/x.so", "amd64")}
	for i := range 500 {
		entries = append(entries, text(fmt.Sprintf("/etc/d%d/e/x", i), ""))
	}
	for i := range 20000 {
		fmt.Fprintf(&patterns, "include /*/*/*/*%d;", i)
	}
	r, err := image.Check(run("nginx").bytes(), rootOf(append(entries, nginx(patterns.String()+"load_module /x.so;")...)...), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:/x.so" || len(r.Notes) != 1 || !strings.HasSuffix(r.Notes[0], "that not all of it was looked into") {
		t.Error(got, r.Notes)
	}
}

// Variables that double each other cost no more, either.
func TestApacheAtLength(t *testing.T) {
	conf := "Define A 0123456789\n" + strings.Repeat("Define A ${A}${A}\n", 200) + strings.Repeat("<IfDefine !B>\n", 1<<15) + "LoadModule x_module /x.so\n"
	root := rootOf(append(apache(conf), lib("/x.so", "amd64"))...)
	r, err := image.Check(run("apache2").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:/x.so" {
		t.Error(got, r.Notes)
	}
}

// A program of 64 bits loads nothing of 32, though the machine runs both; what it starts may be either.
func TestModulesOfFewerBits(t *testing.T) {
	for _, row := range []struct {
		config               config
		program, module, set string
	}{
		{run("nginx"), "/usr/sbin/nginx", "/x.so", "load_module /x.so;"},
		{run("python3.11", "-m", "x"), "/usr/local/bin/python3.11", "/usr/local/lib/python3.11/site-packages/_x.cpython-311-x86_64-linux-gnu.so", ""},
		{run("python3.11", "-m", "x"), "/usr/local/bin/python3.11", "/usr/local/lib/python3.11/site-packages/_x.abi3.so", ""},
		{run("Rscript", "/x.R"), "/usr/bin/Rscript", siteR + "Rcpp/libs/Rcpp.so", ""},
		{run("/usr/lib/erlang/bin/erlexec"), "/usr/lib/erlang/bin/erlexec", "/usr/lib/lib/x/priv/x.so", ""},
		{run("perl", "/x.pl"), "/usr/local/bin/perl", sitePerl + "auto/DBI/DBI.so", ""},
		{run("php", "-d", "extension=/x.so", "/x.php"), "/usr/local/bin/php", "/x.so", ""},
		{run("node", "/app/x.js"), "/usr/local/bin/node", "/app/node_modules/x/build/Release/x.node", ""},
		{run("node", "/app/x.js"), "/usr/local/bin/node", "/app/node_modules/@esbuild/linux-x64/bin/esbuild", ""},
	} {
		for _, arch := range []string{"amd64", "386"} {
			root := rootOf(elf(row.program, arch), text("/etc/nginx/nginx.conf", row.set), lib(row.module, "386"), one("x", script()), depends("/app", "x"), manifest("/app/node_modules/x", nil))
			r, err := image.Check(row.config.bytes(), root, platform(t, "amd64"), image.Options{})
			want := "foreign-module:" + row.module
			if arch == "386" || path.Ext(row.module) == "" {
				want = "verified"
			}
			if got := outcome(t, r, err); got != want {
				t.Errorf("%s in %s for %s: %s, want %s: %v", row.module, row.program, arch, got, want, err)
			}
		}
	}
}

// Whatever the configuration of a server is, the check ends, and a comment at its end changes nothing.
func FuzzServed(f *testing.F) {
	names := []string{"/etc/nginx/nginx.conf", "/etc/apache2/apache2.conf", "/r.conf", "/m.conf", "/f.conf", "/f.yaml", "/pg.conf", "/app.ini", "/app.yml", "/opts"}
	starts := []string{"nginx", "apache2", "redis-server /r.conf", "mosquitto -c /m.conf", "fluent-bit -c /f.conf", "fluent-bit -c /f.yaml", "postgres -c config_file=/pg.conf", "uwsgi /app.ini", "uwsgi /app.yml", "java @/opts"}
	for i, name := range names {
		for _, check := range servedChecks {
			for _, file := range rootOf(check.root...) {
				if file.Mode == 0o644 && path.Ext(name) != ".so" {
					f.Add(uint8(i), string(file.Data))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, conf string) {
		name, start := names[int(which)%len(names)], strings.Fields(starts[int(which)%len(names)])
		verdict := func(conf string) string {
			root := rootOf(elf("/bin/"+start[0], "arm64"), lib("/x.so", "amd64"), lib("/y.so", "arm64"), text(name, conf), text("/more.conf", conf), link("/loop", "loop"))
			r, err := image.Check(run(start...).bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
			return outcome(t, r, err) + strings.Join(r.Notes, "|")
		}
		if want, got := verdict(conf), verdict(conf+"\n# the end\n"); got != want && !open(conf) {
			t.Errorf("%s: %q: %s, with a comment at its end %s", name, conf, want, got)
		}
	})
}

// open tells whether the end of a text may continue what is behind it: a quote, a line.
func open(text string) bool { return strings.ContainsAny(text, "\"'") || strings.HasSuffix(text, "\\") }

func TestServedModules(t *testing.T) {
	for _, check := range servedChecks {
		t.Run(check.name, func(t *testing.T) {
			root := rootOf(lib("/x.so", "amd64"), lib(nginxMods+"x.so", "amd64"), lib(apacheMods+"x.so", "amd64"), lib(pgLib+"x.so", "amd64"), lib("/usr/lib/uwsgi/plugins/x_plugin.so", "amd64"))
			for _, put := range check.root {
				put(root)
			}
			want := "verified"
			if check.want != "" {
				want = "foreign-module:" + check.want
			}
			r, err := image.Check(check.config.bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

// What CREATE EXTENSION may load is told of, unless it came with PostgreSQL itself; what is named is looked at once.
func TestPostgresExtensions(t *testing.T) {
	root := rootOf(elf(postgres, "arm64"))
	for name, later := range map[string]time.Duration{"plpgsql": 0, "hstore": time.Minute, "vector": 24 * time.Hour, "ts-2.1": -24 * time.Hour, "ts-tsl-2.2": -24 * time.Hour, "pg_cron": 24 * time.Hour} {
		root[pgLib[1:]+name+".so"] = &fstest.MapFile{Mode: 0o644, Data: elftest.Of("amd64"), ModTime: time.Unix(1e9, 0).Add(later)}
	}
	root[pgLib[1:]+"own.so"] = &fstest.MapFile{Mode: 0o644, Data: elftest.Of("arm64"), ModTime: time.Unix(2e9, 0)}
	r, err := image.Check(run(postgres, "-c", "shared_preload_libraries=pg_cron").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
	want := []string{"/usr/lib/postgresql/16/lib has ts for other machines alone: what needs it fails", "/usr/lib/postgresql/16/lib has vector for other machines alone: what needs it fails"}
	if got := outcome(t, r, err); got != "foreign-module:"+pgLib+"pg_cron.so" || !slices.Equal(r.Notes, want) {
		t.Errorf("%s, notes %q, want %q", got, r.Notes, want)
	}
}

func TestServedModuleWords(t *testing.T) {
	root := rootOf(append(nginx("load_module /opt/geoip.so;load_module /opt/none.so;"), lib("/opt/geoip.so", "amd64"))...)
	r, err := image.Check(run("nginx").bytes(), root, platform(t, "arm64"), image.Options{})
	want := "/opt/geoip.so is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64, and /etc/nginx/nginx.conf has /usr/sbin/nginx load it: install it in a stage for linux/arm64, or allow it with ALLOW_FOREIGN=/opt/geoip.so"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if note := "/etc/nginx/nginx.conf has /usr/sbin/nginx load /opt/none.so, which is not in the image"; !slices.Contains(r.Notes, note) {
		t.Errorf("%q, want %q", r.Notes, note)
	}
}

// A module of another C library is no module either.
func TestServedModuleOfMusl(t *testing.T) {
	root := rootOf(append(nginx("load_module /x.so;"), elf("/usr/sbin/nginx", "arm64", elftest.Interp("/lib/ld-linux-aarch64.so.1")),
		lib("/lib/ld-linux-aarch64.so.1", "arm64"), lib("/x.so", "arm64", elftest.Needs("libc.musl-aarch64.so.1")))...)
	r, err := image.Check(run("nginx").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:/x.so" {
		t.Errorf("%s: %v", got, err)
	}
}

// What uWSGI's Python imports, in the places where it looks.
func TestUWSGIPython(t *testing.T) {
	const lib312 = "/usr/local/lib/python3.12/site-packages/"
	for _, test := range []struct {
		name, site string
		config     config
		refused    bool
	}{
		{"pip's uWSGI", lib312, run("uwsgi", "--http", ":80", "--module", "app"), true},
		{"... for another language", lib312, run("uwsgi", "--http", ":80", "--rack", "app.ru"), false},
		{"... in a virtual environment", "/venv/lib/python3.12/site-packages/", run("/venv/bin/uwsgi", "-w", "app"), true},
		{"... which it is told of", "/venv/lib/python3.12/site-packages/", run("uwsgi", "--ini", "/app.ini"), true},
		{"... that it does not look at", "/venv/lib/python3.12/site-packages/", run("uwsgi", "-w", "app"), false},
		{"the application's own", "/app/", run("uwsgi", "--chdir", "/app", "-w", "app"), true},
		{"a folder of its path", "/more/", run("uwsgi", "--pp=/more", "-w", "app"), true},
	} {
		root := rootOf(elf("/usr/local/bin/uwsgi", "arm64"), elf("/venv/bin/uwsgi", "arm64"), elf("/usr/local/bin/python3.12", "arm64"), link("/usr/local/bin/python3", "python3.12"),
			link("/venv/bin/python3", "/usr/local/bin/python3"), text("/venv/pyvenv.cfg", "version = 3.12.1\n"), text("/app.ini", "[uwsgi]\nmodule = app\nvirtualenv = /venv\n"),
			lib(test.site+"_x.cpython-312-aarch64-linux-gnu.so", "amd64"))
		r, err := image.Check(test.config.bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); (got != "verified") != test.refused {
			t.Errorf("%s: %s: %v", test.name, got, err)
		}
	}
}

// What the Python in Apache's mod_wsgi imports, in the places where it looks; each row declares linux/arm64.
func TestModWSGI(t *testing.T) {
	const debian, local, venv = "/usr/lib/python3/dist-packages/", "/usr/local/lib/python3.11/site-packages/", "/venv/lib/python3.11/site-packages/"
	mod := func(name string) entry { return lib(name, "arm64", elftest.Needs("libpython3.11.so.1.0")) }
	for _, test := range []struct {
		name, conf, site string
		more             entry
		refused          bool
	}{
		{"Debian's", "LoadModule wsgi_module /mod_wsgi.so", debian, dir("/x"), true},
		{"... that nothing loads", "Listen 80", debian, dir("/x"), false},
		{"... beside another Python's packages", "LoadModule wsgi_module /mod_wsgi.so", debian, text("/usr/local/lib/python3.11/os.py", ""), false},
		{"... whose that is", "LoadModule wsgi_module /mod_wsgi.so", local, text("/usr/local/lib/python3.11/os.py", ""), true},
		{"in a virtual environment", "LoadModule wsgi_module " + venv + "mod_wsgi/server/mod_wsgi-py311.cpython-311-aarch64-linux-gnu.so", venv, mod(venv + "mod_wsgi/server/mod_wsgi-py311.cpython-311-aarch64-linux-gnu.so"), true},
		{"... that it is told of", "LoadModule wsgi_module /mod_wsgi.so\nWSGIPythonHome \"/venv\"", venv, dir("/x"), true},
		{"... in a site", "LoadModule wsgi_module /mod_wsgi.so\n<VirtualHost *:80>\nWSGIDaemonProcess app user=x python-home=/venv\n</VirtualHost>", venv, dir("/x"), true},
		{"... instead of the system's", "LoadModule wsgi_module /mod_wsgi.so\nWSGIPythonHome /venv", debian, dir("/x"), false},
		{"a folder of its path", "LoadModule wsgi_module /mod_wsgi.so\nWSGIDaemonProcess app python-path=/a:/app", "/app/", dir("/x"), true},
	} {
		root := rootOf(append(apache(test.conf), mod("/mod_wsgi.so"), test.more, elf("/usr/bin/python3.11", "arm64"), elf("/usr/local/bin/python3.11", "arm64"),
			link("/venv/bin/python3", "/usr/bin/python3.11"), text("/venv/pyvenv.cfg", "version = 3.11.2\n"), lib(test.site+"_x.cpython-311-aarch64-linux-gnu.so", "amd64"))...)
		r, err := image.Check(run("apache2").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); (got != "verified") != test.refused {
			t.Errorf("%s: %s: %v; notes %q", test.name, got, err, r.Notes)
		}
	}
}
