package modules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// What a server loads by itself is named in its configuration or on its command line, and it ends where it cannot load it:
//
//	nginx      load_module modules/ngx_http_js_module.so;      in nginx.conf, before its first block, and -g
//	Apache     LoadModule php_module modules/libphp.so         in httpd.conf or apache2.conf
//	Redis      loadmodule /usr/lib/redis/rejson.so             in the file that it is given, --loadmodule
//	PostgreSQL shared_preload_libraries = 'pg_cron,timescaledb'   in its file, or in what initdb makes that of, -c
//	Java       -agentpath:/opt/agent.so=options                -agentlib:NAME, also in JAVA_TOOL_OPTIONS and its like
//	Mosquitto  plugin /mosquitto/go-auth.so                     in the file that it is given
//	Fluent Bit -e /out_loki.so                                in the file that its file names, too
//
// A module that is named by its whole path and is absent is told of in a note: it may be put there before the server starts. So is a foreign one
// where a script on the way changes the file that names it: what that says by then only the running system knows.

// onCommandLine is who names a module that no file names.
const onCommandLine = "the command line"

// server is a program that loads what it is told.
type server struct {
	names []string
	loads func(*Checker, interpreted) ([]modules, error)
}

func servers() []server {
	return []server{
		{[]string{"nginx", "nginx-debug", "openresty", "angie"}, (*Checker).nginxLoads},
		{[]string{"apache2", "httpd"}, (*Checker).apacheLoads},
		{[]string{"redis-server", "valkey-server", "redis-check-rdb", "valkey-check-rdb"}, (*Checker).redisLoads}, // the latter are what Debian's are links to
		{[]string{"postgres"}, (*Checker).postgresLoads},
		{[]string{"java"}, (*Checker).javaLoads},
		{[]string{"mosquitto"}, (*Checker).mosquittoLoads},
		{[]string{"fluent-bit"}, (*Checker).fluentBitLoads},
	}
}

// serverOf finds a server by the path of its program, nil where it is none.
func serverOf(real string) *server {
	for _, s := range servers() {
		if slices.Contains(s.names, path.Base(real)) {
			return &s
		}
	}
	return nil
}

func isServer(real string) bool { return serverOf(real) != nil }

// startsServer is false: a health check of a server's program asks it, or tests its configuration.
func startsServer([]string) bool { return false }

// toldServer stands for the folders of a server, which has none: by it one that is started twice alike is looked at once.
func (c *Checker) toldServer(in interpreted) ([]string, error) {
	return []string{fmt.Sprint(in.args, " in ", in.Frame.Dir, " with ", in.Frame.Put)}, nil
}

// served are the modules that a server is told to load. What only the running system knows is left out.
func (c *Checker) served(_ []string, in interpreted) ([]modules, error) {
	named, err := serverOf(in.At.Real).loads(c, in)
	if err != nil {
		return nil, err
	}
	named = upTo(maxModules, named, in.Program, in.At.Name, "modules")
	seen := map[string]bool{}
	for _, m := range named { // most lie in one folder, which is asked for at once
		if dir := path.Dir(strings.Join(m.files[:min(len(m.files), 1)], "")); dir != "." && !seen[dir] {
			seen[dir] = true
			if _, _, err := c.Tree.Folder(dir); err != nil {
				return nil, err
			}
		}
	}
	return named, tree.Each(len(named), func(i int) error {
		m := named[i]
		if len(m.files) != 1 {
			return nil
		}
		at, _, err := c.Tree.Regular(m.files[0])
		if err == nil && at.Info == nil {
			in.note("%s has %s load %s, which is not in the image", m.names(), shell.Show(in.At.Name), shell.Show(m.files[0]))
		}
		return err
	})
}

// loaded is a module that somebody names, by all the paths that the name may have. A path that only the running system knows is left out, and so is a
// pattern for which a shell found nothing.
func loaded(by string, files ...string) modules {
	m := modules{name: path.Base(files[0]), by: by}
	for _, name := range files {
		if path.IsAbs(name) && !strings.ContainsAny(name, shell.Unknown+"$*") {
			m.files = append(m.files, name)
		}
	}
	return m
}

// names says who names a module.
func (m modules) names() string {
	if path.IsAbs(m.by) {
		return shell.Show(m.by)
	}
	return m.by
}

// inEach are the paths that names may have in these folders.
func inEach(folders []string, names ...string) (list []string) {
	for _, name := range names {
		for _, dir := range folders {
			if file := shell.Absolute(dir, name); !slices.Contains(list, file) {
				list = append(list, file)
			}
		}
	}
	return list
}

// redisLoads reads what Redis is told, whose options are the lines of its file with dashes before them.
func (c *Checker) redisLoads(in interpreted) ([]modules, error) {
	var files []string
	if len(in.args) > 0 && !strings.HasPrefix(in.args[0], "-") {
		files = append(files, shell.Absolute(in.Frame.Dir, in.args[0]))
	}
	line := strings.ReplaceAll(" "+strings.Join(in.args, " "), " --", "\n")
	return c.loadLines(files, line, in.Frame, "include", "loadmodule")
}

// mosquittoLoads reads what Mosquitto is told in the file that it is given.
func (c *Checker) mosquittoLoads(in interpreted) ([]modules, error) {
	o, _ := options.Cut(in.args, "-c", "--config-file", "-p")
	var files []string
	for _, given := range o.Values("-c", "--config-file") {
		files = append(files, shell.Absolute(in.Frame.Dir, given))
	}
	return c.loadLines(files, "", in.Frame, "include_dir", "plugin", "auth_plugin", "global_plugin")
}

// loadLines reads files in which a line is a word and its values, and a line before them: which word includes files, and which load a module.
func (c *Checker) loadLines(files []string, line string, f shell.Frame, include string, loads ...string) (list []modules, err error) {
	read := func(by, text string) (patterns []string) {
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) < 2 {
				continue
			}
			switch key, value := strings.ToLower(words[0]), strings.Trim(words[1], `"'`); {
			case slices.Contains(loads, key):
				list = append(list, loaded(by, value))
			case key == include:
				patterns = append(patterns, shell.Absolute(f.Dir, value), shell.Absolute(f.Dir, value+"/*.conf"))
			}
		}
		return patterns
	}
	read(onCommandLine, line)
	return list, c.included(files, f, read)
}
