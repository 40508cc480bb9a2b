package image

import (
	"path"
	"slices"
	"strings"
)

// phpProgram tells what a distribution calls the way in which a program starts PHP, and for which version it is: php-fpm8.2 is fpm, 8.2. A
// server that has PHP as a module names no version, and everything else no way.
func phpProgram(real string) (way, version string) {
	name := path.Base(real)
	kind := strings.TrimRight(name, "0123456789.")
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
	o, rest := getopt(args, phpValued()...)
	return (len(rest) > 0 || o.has("-f")) && !o.has("-r")
}

// phpValued are PHP's options with a value.
func phpValued() []string { return []string{"-c", "-d", "-f", "-r", "-S", "-t", "-y"} }

// phpFolders are the folders whose .ini files say which extensions PHP loads: those of PHP's own image, and of a distribution's package
// for this version and way to start it, such as /etc/php/8.2/fpm on Debian, /etc/php83 on Alpine.
func (c *checker) phpFolders(in interpreted) ([]string, error) {
	if o, _ := getopt(in.args, phpValued()...); o.has("-n") {
		return nil, nil
	}
	list := append([]string{"/usr/local/etc/php", "/usr/local/etc/php/conf.d"}, c.foldersIn("PHP_INI_SCAN_DIR", in.frame)...)
	way, version := phpProgram(in.at.real)
	debian, err := c.under("/etc/php", version+"/"+way, version+"/"+way+"/conf.d")
	if err != nil {
		return nil, err
	}
	others, err := c.under("/etc", "php"+version, "php"+version+"/conf.d", "php.d")
	if err != nil {
		return nil, err
	}
	return c.there(slices.Concat(list, debian, others))
}

// phpExtensions are those that the .ini files in these folders have loaded. Where one lies in several folders, for several versions of
// PHP, one that fits is enough.
func (c *checker) phpExtensions(folders []string, in interpreted) (list []modules, err error) {
	var names, dirs []string
	for _, folder := range folders {
		files, err := c.under(folder, "*.ini")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := c.evidence(file)
			if err != nil {
				return nil, err
			}
			loaded, at := phpLoads(text)
			names = append(names, loaded...)
			for _, dir := range at {
				dirs = append(dirs, absolute(in.frame.dir, dir))
			}
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	for _, place := range [][2]string{{"/usr/local/lib/php", "extensions/*"}, {"/usr/lib/php", "2*"}, {"/usr/lib", "php*/modules"}, {"/usr/lib64", "php*/modules"}} {
		found, err := c.under(place[0], place[1])
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	if dirs, err = c.there(dirs); err != nil {
		return nil, err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	dirs = append(dirs, "/") // for what is named by its path
	for _, name := range names[:min(len(names), maxPackages)] {
		m := modules{name: strings.TrimSuffix(path.Base(name), ".so"), what: "extension"}
		for _, dir := range dirs {
			m.files = append(m.files, absolute(dir, strings.TrimSuffix(name, ".so")+".so"))
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
