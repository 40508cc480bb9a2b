package image_test

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

// numbered are n of what a format makes of a number.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%", fmt.Sprintf("%04d", i)))
	}
	return b.String()
}

// each are n files of which a number in the name, and in the text, is replaced.
func each(n int, name, data string) entry {
	return func(root fstest.MapFS) {
		for i := range n {
			number := fmt.Sprintf("%04d", i)
			text(strings.ReplaceAll(name, "%", number), strings.ReplaceAll(data, "%", number))(root)
		}
	}
}

// libs are n libraries of the declared machine.
func libs(n int, name string) entry {
	return each(n, name, string(elftest.Of("arm64", elftest.Type(3))))
}

// chained are libraries of which each needs the next one, outside of the distribution's folders.
func chained(n int) entry {
	return func(root fstest.MapFS) {
		for i := range n {
			lib(fmt.Sprintf("/opt/lib%d.so", i), "arm64", elftest.RunPath("/opt"), elftest.Needs(fmt.Sprintf("lib%d.so", i+1)))(root)
		}
	}
}

// later makes all in a folder but PostgreSQL's own module come a day after that.
func later(folder string) entry {
	return func(root fstest.MapFS) {
		for name, file := range root {
			if strings.HasPrefix("/"+name, folder) && path.Base(name) != "plpgsql.so" {
				file.ModTime = file.ModTime.AddDate(0, 0, 1)
			}
		}
	}
}

// Nothing is silently left out: who reaches a bound is told of what was not looked at.
func TestBounds(t *testing.T) {
	const commands = "the image's scripts start so many commands that not all were followed"
	for _, test := range []struct {
		name   string
		config config
		root   []entry
		note   string
	}{
		{"a chain of programs", run("/run"), []entry{elf("/bin/nice", "arm64"), exe("/run", "#!/bin/sh\nexec "+strings.Repeat("nice ", 30)+"/app/server\n")}, commands},
		{"variables", sh(numbered(600, "A%=x\n") + "X=/app/server; exec $X"), nil, "a shell text in the image has so many variables that not all were followed"},
		{"services", run("/init"), []entry{exe("/init", "#!/bin/sh\n"), each(4200, "/etc/services.d/%/run", "")}, "/etc/services.d/*/run names so many files that none was followed"},
		{"a Procfile", run("foreman", "start").and("WorkingDir", "/app"), []entry{elf("/bin/foreman", "arm64"), text("/app/Procfile", strings.Repeat("#\n", 40000)+"web: ./server\n")},
			"/app/Procfile was followed only in part: it is longer than 64 KiB"},
		{"files of supervisord", run("supervisord", "-c", "/etc/s.conf"), []entry{elf("/bin/supervisord", "arm64"), text("/etc/s.conf", "[include]\nfiles=/conf/*\n"), each(70, "/conf/%", "[program:%]\ncommand=/bin/sh\n")},
			"/etc/s.conf has so many files that not all were read"},
		{"folders of a workspace", run("npm", "-w", "x", "start").and("WorkingDir", "/app"), []entry{managers, members("p/**"), each(1100, "/app/p/%/x", "")}, "/app has so many folders that not all were looked into"},
		{"notes", run("/bin/sh"), []entry{func(root fstest.MapFS) {
			for i := range 300 {
				exe(fmt.Sprintf("/bin/x%d", i), "PK\x03\x04")(root)
			}
		}}, "\nand 100 notes more"},
		{"patterns of a workspace", run("npm", "-w", "x", "start").and("WorkingDir", "/app"), []entry{managers, members(strings.Fields(strings.Repeat("p/* ", 300))...)}, "/app has so many patterns of packages that not all were looked into"},
		{"what packages tell", run("python3", "/app.py"), []entry{python("arm64"), each(9, "/usr/local/lib/python3.11/site-packages/x%-1.dist-info/RECORD", strings.Repeat("#", 9<<20))}, "the image tells so much of its packages that not all of it was read"},
		{"modules beside packages of Python", run("python3", "/app.py"), []entry{python("arm64"), libs(1100, "/usr/local/lib/python3.11/site-packages/x%.abi3.so")}, "/usr/local/lib/python3.11/site-packages has so many packages that not all were looked at"},
		{"dependencies of an application", run("node", "/app/x.js"), []entry{elf("/bin/node", "arm64"), text("/app/x.js", ""), text("/app/package.json", `{"dependencies": {`+numbered(20000, `"x%": "1",`)+`"y": "1"}}`)}, "/bin/node has so many packages that not all were looked at"},
		{"folders of the loader", run("/app/fits"), []entry{elf("/app/fits", "arm64", elftest.Needs("x.so")), lib("/lib/x.so", "amd64"), lib("/x9999/x.so", "arm64"), lib("/x0001/x.so", "arm64"), text("/etc/ld.so.conf", numbered(1100, "/x%\n"))}, "the loader is told of more than 1024 folders: those behind were not looked into"},
		{"levels of a workspace", run("npm", "-w", "x", "start").and("WorkingDir", "/app"), []entry{managers, members("**"), manifest("/app/a/b/c/d", nil)}, "/app has packages so deep that not all were looked into"},
		{"levels of libraries", run("/opt/app"), []entry{elf("/opt/app", "arm64", elftest.RunPath("/opt"), elftest.Needs("lib0.so")), chained(12)}, "what the image runs needs so many libraries that not all were looked at"},
		{"files of nginx", run("nginx"), append(nginx("include /etc/nginx/m/*.conf;"), each(300, "/etc/nginx/m/%.conf", "")), "a server's configuration has more than 256 files: those behind were not read"},
		{"files of Apache", run("apache2"), append(apache("Include /etc/apache2/m/*.conf"), each(300, "/etc/apache2/m/%.conf", "")), "a server's configuration has more than 256 files: those behind were not read"},
		{"variables of Apache", run("apache2"), apache("Define A " + strings.Repeat("a", 10000) + "\n" + strings.Repeat("X ${A}\n", 200)), "variables give the configuration of /usr/sbin/apache2 so much that not all of it was read"},
		{"macros of Apache", run("apache2"), apache("<Macro a>\nUse a\n</Macro>\nUse a\n"), "variables give the configuration of /usr/sbin/apache2 so much that not all of it was read"},
		{"variables of uWSGI", run("uwsgi", "/x.ini"), own("/bin/uwsgi", text("/x.ini", "[uwsgi]\na = "+strings.Repeat("a", 10000)+"\n"+strings.Repeat("x = %(a)\n", 200))), "variables give the configuration of /bin/uwsgi so much that not all of it was read"},
		{"modules of nginx", run("nginx"), append(nginx(numbered(300, "load_module /m/%.so;")), libs(300, "/m/%.so")), "/usr/sbin/nginx has so many modules that not all were looked at"},
		{"modules of PostgreSQL", run(postgres), own(postgres, lib(pgLib+"plpgsql.so", "arm64"), libs(300, pgLib+"%.so"), later(pgLib)), pgLib[:len(pgLib)-1] + " has so many modules that not all were looked at"},
		{"extensions of PHP", run("php", "/app.php"), []entry{php, text(phpConf+"x.ini", numbered(1100, "extension=%\n")), libs(1100, phpExt+"%.so")}, "/usr/local/bin/php has so many extensions that not all were looked at"},
		{"folders of PHP", run("php", "/app.php"), []entry{php, text(phpConf+"x.ini", "extension=x\n"), each(20, "/usr/local/lib/php/extensions/%/y.so", "")}, "/usr/local/bin/php has so many folders of extensions that not all were looked at"},
		{"modules of Lua", run("lua5.4", "/app.lua"), []entry{elf("/usr/bin/lua5.4", "arm64"), libs(1100, rocks54+"%.so")}, "/usr/bin/lua5.4 has so many modules that not all were looked at"},
		{"packages of R", renvR(), append(debianR(), dir("/app"), text("/app/app.R", ""), each(1100, "/usr/local/lib/R/site-library/%/libs/x.so", "")), "has so many packages that not all were looked at"},
		{"Perl's script", run("perl", "/app.pl"), []entry{elf("/usr/bin/perl", "arm64"), text("/app.pl", strings.Repeat("#\n", 40000)+"use lib '/x';\n")}, "/app.pl was followed only in part: it is longer than 64 KiB"},
		{"folders that are added", run("python3", "/app.py"), []entry{python("arm64"), text("/usr/local/lib/python3.11/site-packages/x.pth", numbered(70, "/x%\n"))},
			"/usr/local/lib/python3.11/site-packages has so many folders in .pth files that not all were looked at"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := append([]entry{busybox("arm64"), elf("/app/server", "amd64")}, test.root...)
			r, err := image.Check(test.config.bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
			if notes := strings.Join(r.Notes, "\n"); err != nil || (notes == "") != (test.note == "") || !strings.Contains(notes, test.note) {
				t.Errorf("%s, notes %q, want %q", outcome(t, r, err), notes, test.note)
			}
		})
	}
}
