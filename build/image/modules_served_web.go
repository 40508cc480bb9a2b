package image

import (
	"path"
	"regexp"
	"strings"
)

// nginxLoads reads what nginx is told. Its prefix, on which names stand, is compiled in: its own builds, Debian's, Alpine's.
func (c *checker) nginxLoads(in interpreted) (list []modules, err error) {
	o, _ := getopt(in.args, "-c", "-p", "-g", "-e", "-s")
	name := strings.TrimSuffix(path.Base(in.at.real), "-debug")
	prefixes := []string{path.Dir(path.Dir(in.at.real)), "/etc/" + name, "/usr/share/" + name, "/var/lib/" + name, "/usr/local/" + name}
	for _, given := range o.values("-p") {
		prefixes = []string{absolute(in.frame.dir, given)}
	}
	files := append(inEach(prefixes, "conf/nginx.conf"), "/etc/"+name+"/"+name+".conf", "/etc/nginx/nginx.conf")
	for _, given := range o.values("-c") {
		files = inEach(prefixes, given)
	}
	file, err := c.firstFile(in.frame, files...)
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
				patterns = append(patterns, absolute(path.Dir(file), words[1]))
			}
		}
		return patterns
	}
	read(onCommandLine, strings.Join(o.values("-g"), ";"))
	return list, c.included([]string{file}, in.frame, read)
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

// apacheLoads reads what Apache is told. What stands under a condition is left out.
func (c *checker) apacheLoads(in interpreted) (list []modules, err error) {
	o, _ := getopt(in.args, "-C", "-c", "-D", "-d", "-E", "-e", "-f", "-k")
	own := path.Dir(path.Dir(in.at.real))
	roots := []string{own, "/etc/apache2", "/etc/httpd", "/var/www"}
	files := []string{own + "/conf/httpd.conf", "/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf"}
	for _, given := range o.values("-d") {
		roots = []string{absolute(in.frame.dir, given)}
		files = append(inEach(roots, "conf/httpd.conf", "apache2.conf", "httpd.conf"), files...)
	}
	for _, given := range o.values("-f") {
		files = inEach(roots, given)
	}
	file, err := c.firstFile(in.frame, files...)
	if err != nil {
		return nil, err
	}
	read := func(by, text string) (patterns []string) {
		for _, words := range apacheDirectives(text) {
			switch value := words[len(words)-1]; strings.ToLower(words[0]) {
			case "serverroot":
				roots = []string{absolute("/", value)}
			case "loadmodule", "loadfile":
				list = append(list, loaded(by, inEach(roots, value)...))
			case "include", "includeoptional":
				if patterns = append(patterns, inEach(roots, value)...); !strings.ContainsAny(value, "*?[") {
					patterns = append(patterns, inEach(roots, strings.TrimSuffix(value, "/")+"/*")...) // a folder stands for all in it
				}
			}
		}
		return patterns
	}
	read(onCommandLine, strings.Join(append(o.values("-C"), o.values("-c")...), "\n"))
	return list, c.included([]string{file}, in.frame, read)
}

// apacheDirectives are the words of those that stand outside of sections.
func apacheDirectives(text string) (list [][]string) {
	depth := 0
	for line := range strings.Lines(strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0, words[0][0] == '#':
		case strings.HasPrefix(words[0], "</"):
			depth--
		case words[0][0] == '<':
			depth++
		case depth == 0:
			for i, word := range words {
				words[i] = strings.Trim(word, `"'`)
			}
			list = append(list, words)
		}
	}
	return list
}
