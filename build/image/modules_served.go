package image

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// What a server loads by itself is named in its configuration or on its command line, and it ends where it cannot load it:
//
//	nginx      load_module modules/ngx_http_js_module.so;      in nginx.conf, before its first block, and -g
//	Apache     LoadModule php_module modules/libphp.so         in httpd.conf or apache2.conf
//	Redis      loadmodule /usr/lib/redis/rejson.so             in the file that it is given, --loadmodule
//	PostgreSQL shared_preload_libraries = 'pg_cron,timescaledb'   in what initdb makes its configuration of, -c
//	Java       -agentpath:/opt/agent.so=options                also in JAVA_TOOL_OPTIONS and its like
//	Mosquitto  plugin /mosquitto/go-auth.so                     in the file that it is given
//	Fluent Bit -e /out_loki.so
//
// A module that is named by its whole path and is absent is told of in a note: it may be put there before the server starts.

// maxIncluded is how many files of a server's configuration are read. Debian's Apache has a hundred.
const maxIncluded = 256

// onCommandLine is who names a module that no file names.
const onCommandLine = "the command line"

// server is a program that loads what it is told.
type server struct {
	names []string
	loads func(*checker, interpreted) ([]modules, error)
}

func servers() []server {
	return []server{
		{[]string{"nginx", "openresty", "angie"}, (*checker).nginxLoads},
		{[]string{"apache2", "httpd"}, (*checker).apacheLoads},
		{[]string{"redis-server", "valkey-server", "redis-check-rdb", "valkey-check-rdb"}, (*checker).redisLoads}, // the latter are what Debian's are links to
		{[]string{"postgres"}, (*checker).postgresLoads},
		{[]string{"java"}, (*checker).javaLoads},
		{[]string{"mosquitto"}, (*checker).mosquittoLoads},
		{[]string{"fluent-bit"}, (*checker).fluentBitLoads},
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
func (c *checker) toldServer(in interpreted) ([]string, error) {
	return []string{strings.Join(append(in.args, "in", in.frame.dir), " ")}, nil
}

// served are the modules that a server is told to load. What only the running system knows is left out.
func (c *checker) served(_ []string, in interpreted) (list []modules, err error) {
	named, err := serverOf(in.at.real).loads(c, in)
	for _, m := range named[:min(len(named), maxModules)] {
		if list = append(list, m); len(m.files) != 1 {
			continue
		}
		if at, _, failed := c.regular(m.files[0]); failed != nil {
			return nil, failed
		} else if at.info == nil {
			c.note(in.frame, "%s has %s load %s, which is not in the image", m.by, show(in.at.name), show(m.files[0]))
		}
	}
	return list, err
}

// loaded is a module that somebody names, by all the paths that the name may have. A path that only the running system knows is left out.
func loaded(by string, files ...string) modules {
	m := modules{name: path.Base(files[0]), by: by}
	for _, name := range files {
		if path.IsAbs(name) && !strings.ContainsAny(name, unknown+"$") {
			m.files = append(m.files, name)
		}
	}
	return m
}

// included reads the files that patterns mean, and level by level those of which read says that these include them.
func (c *checker) included(patterns []string, read func(by, text string) (patterns []string)) error {
	seen := map[string]bool{}
	for len(patterns) > 0 {
		for i, pattern := range patterns {
			patterns[i] = path.Clean(pattern)
		}
		names, err := c.under("/", patterns...)
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(names, func(name string) bool {
			if seen[name] || len(seen) >= maxIncluded {
				return true
			}
			seen[name] = true
			return false
		})
		texts := make([]string, len(names))
		if err := each(len(names), func(i int) (err error) { texts[i], err = c.evidence(names[i]); return err }); err != nil {
			return err
		}
		patterns = nil
		for i, name := range names {
			patterns = append(patterns, read(show(name), texts[i])...)
		}
	}
	return nil
}

// firstFile is the first of these that is there, "" where none is.
func (c *checker) firstFile(names ...string) (string, error) {
	for _, name := range names {
		if at, ok, err := c.regular(name); ok || err != nil {
			return at.real, err
		}
	}
	return "", nil
}

// inEach are the paths that names may have in these folders.
func inEach(folders []string, names ...string) (list []string) {
	for _, name := range names {
		for _, dir := range folders {
			if file := absolute(dir, name); !slices.Contains(list, file) {
				list = append(list, file)
			}
		}
	}
	return list
}

// redisLoads reads what Redis is told, whose options are the lines of its file with dashes before them.
func (c *checker) redisLoads(in interpreted) ([]modules, error) {
	var files []string
	if len(in.args) > 0 && !strings.HasPrefix(in.args[0], "-") {
		files = append(files, absolute(in.frame.dir, in.args[0]))
	}
	line := strings.ReplaceAll(" "+strings.Join(in.args, " "), " --", "\n")
	return c.loadLines(files, line, in.frame, "include", "loadmodule")
}

// mosquittoLoads reads what Mosquitto is told in the file that it is given.
func (c *checker) mosquittoLoads(in interpreted) ([]modules, error) {
	o, _ := getopt(in.args, "-c", "--config-file", "-p")
	var files []string
	for _, given := range o.values("-c", "--config-file") {
		files = append(files, absolute(in.frame.dir, given))
	}
	return c.loadLines(files, "", in.frame, "include_dir", "plugin", "auth_plugin", "global_plugin")
}

// loadLines reads files in which a line is a word and its values, and a line before them: which word includes files, and which load a module.
func (c *checker) loadLines(files []string, line string, f frame, include string, loads ...string) (list []modules, err error) {
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
				patterns = append(patterns, absolute(f.dir, value), absolute(f.dir, value+"/*.conf"))
			}
		}
		return patterns
	}
	read(onCommandLine, line)
	return list, c.included(files, read)
}

// fluentBitLoads are the plugins that Fluent Bit is given.
func (c *checker) fluentBitLoads(in interpreted) (list []modules, err error) {
	for i, word := range in.args {
		name, inline := strings.CutPrefix(word, "--plugin=")
		if i > 0 && (in.args[i-1] == "-e" || in.args[i-1] == "--plugin") {
			name, inline = word, true
		}
		if inline {
			list = append(list, loaded(onCommandLine, absolute(in.frame.dir, name)))
		}
	}
	return list, nil
}

// postgresLoads reads the last of what PostgreSQL is told. A database that is made anew has its configuration from the sample.
func (c *checker) postgresLoads(in interpreted) ([]modules, error) {
	prefix, bin := path.Dir(path.Dir(in.at.real)), path.Dir(in.at.real)
	folders := []string{prefix + "/lib", prefix + "/lib/postgresql", prefix + "/lib64/pgsql", strings.Replace(bin, "/libexec/", "/lib/", 1)}
	samples := []string{prefix + "/share/postgresql.conf.sample", prefix + "/share/postgresql/postgresql.conf.sample",
		strings.Replace(prefix, "/lib/", "/share/", 1) + "/postgresql.conf.sample", strings.Replace(bin, "/libexec/", "/share/", 1) + "/postgresql.conf.sample"}
	file, err := c.firstFile(samples...)
	if err != nil {
		return nil, err
	}
	text, err := c.evidence(file)
	if err != nil {
		return nil, err
	}
	preloads, by := "", ""
	setting := regexp.MustCompile(`(?mi)^\s*shared_preload_libraries\s*=?\s*'([^'\n]*)'`)
	for _, m := range setting.FindAllStringSubmatch(text, -1) {
		preloads, by = m[1], show(file)
	}
	o, _ := permuted(in.args, "-c", "-D", "-p", "-h", "-k", "-B", "-N")
	for _, o := range o {
		key, value, _ := strings.Cut(o.value, "=")
		if strings.HasPrefix(o.name, "--") {
			key, value = strings.ReplaceAll(o.name[2:], "-", "_"), o.value
		}
		if strings.EqualFold(key, "shared_preload_libraries") {
			preloads, by = value, onCommandLine
		}
	}
	var list []modules
	for name := range strings.SplitSeq(preloads, ",") {
		name = strings.TrimSuffix(strings.TrimPrefix(strings.Trim(name, ` "`), "$libdir/"), ".so")
		if name != "" {
			list = append(list, loaded(by, inEach(folders, name+".so")...))
		}
	}
	return list, nil
}

// javaLoads are the agents among Java's options, which end before the class that it starts.
func (c *checker) javaLoads(in interpreted) (list []modules, err error) {
	read := func(by string, words []string) {
		for _, word := range words {
			if agent, ok := strings.CutPrefix(word, "-agentpath:"); ok {
				agent, _, _ = strings.Cut(agent, "=")
				list = append(list, loaded(by, agent))
			}
		}
	}
	for _, name := range []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"} {
		if given := c.values(name, in.frame); len(given) == 1 {
			read(name, strings.Fields(given[0]))
		}
	}
	for i, word := range in.args {
		switch {
		case strings.HasPrefix(word, "-") && word != "-jar", i > 0 && slices.Contains([]string{"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"}, in.args[i-1]):
			read(onCommandLine, []string{word})
		default:
			return list, nil
		}
	}
	return list, nil
}
