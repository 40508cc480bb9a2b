package modules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// maxPHPFolders is how many folders of extensions are looked into. A distribution has one for each version of PHP.
const maxPHPFolders = 16

// phpProgram tells what a distribution calls the way in which a program starts PHP, and for which version it is: php-fpm8.2 is fpm, 8.2. One for
// threads has folders of its own as a version has: php-zts is cli, -zts. A server that has PHP as a module names no version, and everything else no way.
func phpProgram(real string) (way, version string) {
	name := path.Base(real)
	kind := strings.TrimRight(strings.TrimSuffix(name, "-zts"), "0123456789.")
	switch kind {
	case "php":
		way = "cli"
	case "php-cgi", "php-fpm":
		way = strings.TrimPrefix(kind, "php-")
	case "apache", "httpd", "frankenphp":
		return name, "*"
	}
	return way, name[len(kind):]
}

func isPHP(real string) bool {
	way, _ := phpProgram(real)
	return way != ""
}

// startsPHP tells whether PHP is given a script.
func startsPHP(args []string) bool {
	o, rest := options.Cut(args, phpValued()...)
	return (len(rest) > 0 || o.Has("-f")) && !o.Has("-r")
}

// phpValued are PHP's options with a value.
func phpValued() []string { return []string{"-c", "-d", "-f", "-r", "-S", "-t", "-y"} }

// phpPlaces are where an installation of PHP has its configuration and its extensions, as patterns.
type phpPlaces struct{ main, more, extensions []string }

// phpInstalled are the places of the installation that a program belongs to: PHP's own, below a prefix such as /usr/local, or a distribution's
// package for this version and way to start it, such as /etc/php/8.2/fpm on Debian and /etc/php83 on Alpine. A server may have either.
func phpInstalled(real string) (p phpPlaces) {
	way, version := phpProgram(real)
	prefix, server := path.Dir(path.Dir(real)), version == "*"
	if prefix == "/usr" || server {
		p.main = []string{"/etc/php/" + version + "/" + way, "/etc/php" + version, "/etc"}
		p.more = []string{"/etc/php/" + version + "/" + way + "/conf.d", "/etc/php" + version + "/conf.d", "/etc/php.d"}
		p.extensions = []string{"/usr/lib/php/2*", "/usr/lib/php*/modules", "/usr/lib64/php*/modules"}
		prefix = "/usr/local"
	}
	if path.Dir(path.Dir(real)) != "/usr" || server {
		p.main = append(p.main, prefix+"/etc/php", prefix+"/etc", prefix+"/lib")
		p.more = append(p.more, prefix+"/etc/php/conf.d", prefix+"/etc/conf.d")
		p.extensions = append(p.extensions, prefix+"/lib/php/extensions/*")
	}
	return p
}

// phpFiles are the .ini files that PHP reads: its php.ini, where -c or PHPRC say that it is or else in its own place, and all of the folders that
// it scans.
func (c *Checker) phpFiles(in interpreted) (list []string, err error) {
	o, _ := options.Cut(in.args, phpValued()...)
	if o.Has("-n") {
		return nil, nil
	}
	places := phpInstalled(in.At.Real)
	var main, more []string
	for _, given := range o.Values("-c") {
		main = append(main, shell.Absolute(in.Frame.Dir, given))
	}
	if main = append(main, c.FoldersIn("PHPRC", in.Frame)...); len(main) == 0 {
		main = places.main
	}
	scanned := c.Values("PHP_INI_SCAN_DIR", in.Frame)
	if len(scanned) == 0 {
		scanned = []string{""}
	}
	for dir := range strings.SplitSeq(strings.Join(scanned, ":"), ":") {
		if dir == "" { // its own
			more = append(more, places.more...)
		} else {
			more = append(more, shell.Absolute(in.Frame.Dir, dir))
		}
	}
	for _, place := range main {
		list = append(list, place, place+"/php.ini")
	}
	for _, place := range more {
		list = append(list, place+"/*.ini")
	}
	return c.Tree.Under("/", list...)
}

// phpExtensions are those that these .ini files and the command line have loaded. Where one lies in several folders, for several versions
// of PHP, one that fits is enough.
func (c *Checker) phpExtensions(files []string, in interpreted) (list []modules, err error) {
	o, _ := options.Cut(in.args, phpValued()...)
	names, dirs := phpLoads(strings.Join(o.Values("-d"), "\n"))
	texts, err := c.settings(files, in.Frame)
	if err != nil {
		return nil, err
	}
	by := map[string]string{}
	for i, text := range texts {
		loaded, at := phpLoads(text)
		names, dirs = append(names, loaded...), append(dirs, at...)
		for _, name := range loaded {
			by[name] = files[i]
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	for i, dir := range dirs {
		dirs[i] = shell.Absolute(in.Frame.Dir, dir)
	}
	if len(dirs) == 0 {
		if dirs, err = c.Tree.Under("/", phpInstalled(in.At.Real).extensions...); err != nil {
			return nil, err
		}
	}
	if dirs, err = c.There(dirs); err != nil {
		return nil, err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	dirs = append(upTo(maxPHPFolders, dirs, in.Program, in.At.Name, "folders of extensions"), "/") // the last for what is named by its path
	for _, name := range upTo(maxPackages, names, in.Program, in.At.Name, "extensions") {
		m := modules{name: strings.TrimSuffix(path.Base(name), ".so"), what: "extension", by: cmp.Or(by[name], onCommandLine)}
		for _, dir := range dirs {
			m.files = append(m.files, shell.Absolute(dir, strings.TrimSuffix(name, ".so")+".so"))
		}
		list = append(list, m)
	}
	return list, nil
}

// phpLoads reads the extensions that a php.ini has loaded, and in which folders.
func phpLoads(ini string) (names, dirs []string) {
	for line := range strings.Lines(ini) {
		line, _, _ = strings.Cut(line, ";")
		key, value, _ := strings.Cut(line, "=")
		value = strings.Trim(value, "\"' \t\r\n")
		switch strings.TrimSpace(key) {
		case "extension", "zend_extension":
			names = append(names, value)
		case "extension_dir":
			dirs = append(dirs, value)
		}
	}
	return names, dirs
}
