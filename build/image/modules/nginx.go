package modules

import (
	"path"
	"regexp"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// nginxFile is the file that nginx reads. Its prefix, on which names stand, is compiled in: its own builds, Debian's, Alpine's.
func (c *Checker) nginxFile(in interpreted) (file string, prefixes []string, err error) {
	o, _ := options.Cut(in.args, nginxValued()...)
	name := strings.TrimSuffix(path.Base(in.At.Real), "-debug")
	prefixes = []string{path.Dir(path.Dir(in.At.Real)), "/etc/" + name, "/usr/share/" + name, "/var/lib/" + name, "/usr/local/" + name}
	for _, given := range o.Values("-p") {
		prefixes = []string{shell.Absolute(in.Frame.Dir, given)}
	}
	files := append(inEach(prefixes, "conf/nginx.conf"), "/etc/"+name+"/"+name+".conf", "/etc/nginx/nginx.conf")
	for _, given := range o.Values("-c") {
		files = inEach(prefixes, given)
	}
	file, err = c.FirstFile(in.Frame, files...)
	return file, prefixes, err
}

// nginxValued are nginx's options with a value.
func nginxValued() []string { return []string{"-c", "-p", "-g", "-e", "-s"} }

// nginxLoads reads what nginx is told.
func (c *Checker) nginxLoads(in interpreted) (list []modules, err error) {
	o, _ := options.Cut(in.args, nginxValued()...)
	file, prefixes, err := c.nginxFile(in)
	if err != nil {
		return nil, err
	}
	read := func(by, text string) (patterns []string) {
		for _, words := range nginxDirectives(text) {
			switch {
			case len(words) != 2:
			case words[0] == "load_module":
				list = append(list, loaded(by, inEach(prefixes, words[1])...))
			case words[0] == "include":
				patterns = append(patterns, shell.Absolute(path.Dir(file), words[1]))
			}
		}
		return patterns
	}
	read(onCommandLine, strings.Join(o.Values("-g"), ";"))
	return list, c.included([]string{file}, in.Frame, read)
}

// nginxDirectives are the words of those before the first block: behind it no module is loaded any more.
func nginxDirectives(text string) (list [][]string) {
	var words []string
	tokens := regexp.MustCompile(`#[^\n]*|"[^"]*"|'[^']*'|[{;]|[^\s;{]+`)
	for at := tokens.FindStringIndex(text); at != nil; at = tokens.FindStringIndex(text) {
		token := text[at[0]:at[1]]
		switch text = text[at[1]:]; token[0] {
		case '{':
			return list
		case ';':
			if len(words) > 0 {
				list, words = append(list, words), nil
			}
		case '#':
		default:
			words = append(words, strings.Trim(token, `"'`))
		}
	}
	return list
}
