package modules

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// PostgreSQL has its settings in a file that it is given, in postgresql.conf of its data, or, where that is made anew, in the sample of it, which
// may include others:
//
//	postgres -c config_file=/etc/postgresql.conf     also --config-file=
//	shared_preload_libraries = 'pg_cron,timescaledb'      also session_preload_libraries, local_preload_libraries
//	include_dir = 'conf.d'
//
// What lies beside that and came by another way than PostgreSQL itself is loaded by CREATE EXTENSION, which need not happen.

// atOnce is how far the times of modules are apart that were installed together: those of a package have one, others are built one by one.
const atOnce = time.Hour

// postgresLoads reads the last of what PostgreSQL is told.
func (c *Checker) postgresLoads(in interpreted) ([]modules, error) {
	given := postgresGiven(in.args)
	file, err := c.postgresFile(in, given)
	if err != nil {
		return nil, err
	}
	preloads, by := map[string]string{}, map[string]string{}
	setting := regexp.MustCompile(`(?mi)^[ \t]*((?:shared|session|local)_preload_libraries|include\w*)(?:[ \t]*=[ \t]*|[ \t]+)(?:'([^'\n]*)'|([^\s#']+))`)
	err = c.included([]string{file}, in.Frame, func(name, text string) (patterns []string) {
		for _, m := range setting.FindAllStringSubmatch(text, -1) {
			switch key, value := strings.ToLower(m[1]), m[2]+m[3]; key {
			case "include", "include_if_exists":
				patterns = append(patterns, shell.Absolute(path.Dir(name), value))
			case "include_dir":
				patterns = append(patterns, shell.Absolute(path.Dir(name), value)+"/*.conf")
			default:
				preloads[key], by[key] = value, name
			}
		}
		return patterns
	})
	for key, value := range given {
		if strings.HasSuffix(key, "_preload_libraries") {
			preloads[key], by[key] = value, onCommandLine
		}
	}
	prefix, bin := path.Dir(path.Dir(in.At.Real)), path.Dir(in.At.Real)
	folders := []string{prefix + "/lib", prefix + "/lib/postgresql", prefix + "/lib64/pgsql", strings.Replace(bin, "/libexec/", "/lib/", 1)}
	var list []modules
	for _, key := range slices.Sorted(maps.Keys(preloads)) {
		for name := range strings.SplitSeq(preloads[key], ",") {
			name = strings.TrimSuffix(strings.TrimPrefix(strings.Trim(name, ` "`), "$libdir/"), ".so")
			if name != "" {
				list = append(list, loaded(by[key], inEach(folders, name+".so", "plugins/"+name+".so")...))
			}
		}
	}
	if err != nil {
		return nil, err
	}
	more, err := c.postgresMore(folders, list, in)
	return append(list, more...), err
}

// postgresMore are the modules beside PostgreSQL's own language that were not installed with it, but for those that are named.
func (c *Checker) postgresMore(folders []string, named []modules, in interpreted) (list []modules, err error) {
	for _, dir := range folders {
		own, ok, err := c.Tree.Regular(dir + "/plpgsql.so")
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		real, entries, err := c.Tree.Folder(dir)
		for _, e := range entries {
			info, gone := e.Info()
			file := path.Join(real, e.Name())
			is := func(m modules) bool { return m.name == e.Name() }
			if gone != nil || path.Ext(file) != ".so" || info.ModTime().Sub(own.Info.ModTime()).Abs() < atOnce || slices.ContainsFunc(named, is) {
				continue
			}
			what, _, _ := strings.Cut(stem(file), "-")
			list = append(list, modules{name: e.Name(), what: what, files: []string{file}, spare: true})
		}
		return upTo(maxModules, list, in.Program, real, "modules"), err
	}
	return nil, nil
}

// postgresGiven are the settings on PostgreSQL's command line, with the folder of its data under "-D".
func postgresGiven(args []string) map[string]string {
	given := map[string]string{}
	o, _ := options.Permuted(args, "-c", "-D", "-p", "-h", "-k", "-B", "-N")
	for _, o := range o {
		key, value, _ := strings.Cut(o.Value, "=")
		switch {
		case o.Name == "-D":
			given["-D"] = o.Value
		case o.Name == "-c":
			given[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(value, " ")
		case strings.HasPrefix(o.Name, "--"):
			given[strings.ReplaceAll(strings.ToLower(o.Name[2:]), "-", "_")] = o.Value
		}
	}
	return given
}

// postgresFile is the file that PostgreSQL reads its settings from.
func (c *Checker) postgresFile(in interpreted, given map[string]string) (string, error) {
	if file := given["config_file"]; file != "" {
		return shell.Absolute(in.Frame.Dir, file), nil
	}
	prefix, bin := path.Dir(path.Dir(in.At.Real)), path.Dir(in.At.Real)
	files := []string{prefix + "/share/postgresql.conf.sample", prefix + "/share/postgresql/postgresql.conf.sample",
		strings.Replace(prefix, "/lib/", "/share/", 1) + "/postgresql.conf.sample", strings.Replace(bin, "/libexec/", "/share/", 1) + "/postgresql.conf.sample"}
	if data := cmp.Or(given["-D"], strings.Join(c.Values("PGDATA", in.Frame), ":")); data != "" {
		files = slices.Insert(files, 0, shell.Absolute(in.Frame.Dir, data)+"/postgresql.conf")
	}
	return c.FirstFile(in.Frame, files...)
}
