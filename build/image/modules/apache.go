package modules

import (
	"cmp"
	"errors"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// Apache carries out what its files say in their order, and of what stands under a condition only that which holds by then:
//
//	Define MODS /usr/lib/apache2/modules     ${MODS}, as variables of the environment; <IfDefine MODS>, as -D MODS
//	LoadModule php_module ${MODS}/libphp.so  <IfModule php_module>, <IfModule mod_php.c>
//	<IfFile /opt/x.conf>                     a file of the image
//	<Macro php $dir>                         Use php /opt
//	IncludeOptional mods-enabled/*.load      at its place
//	<IfVersion >= 2.4>                       all are of 2.4
//
// What stands under a condition that is not decided here is left out.

// apache is a configuration that is carried out.
type apache struct {
	c        *Checker
	in       interpreted
	roots    []string // that names stand on
	defined  map[string]string
	open     bool            // ... and maybe more
	room     int             // for bytes that variables may still give
	seen     map[string]bool // files
	loaded   []modules
	macros   map[string]*macro
	macro    *macro          // ... whose text is read
	names    map[string]bool // of modules that are loaded, without what all have
	settings [][]string      // of mod_wsgi, as words
	failed   error           // to read
}

// isApache tells whether a program is Apache.
func isApache(real string) bool {
	return slices.Contains([]string{"apache2", "httpd"}, path.Base(real))
}

// apacheLoads are the modules that Apache is told to load.
func (c *Checker) apacheLoads(in interpreted) ([]modules, error) {
	a, err := c.apacheTold(in)
	return a.loaded, err
}

// apacheTold carries out what Apache is told.
func (c *Checker) apacheTold(in interpreted) (*apache, error) {
	o, _ := options.Cut(in.args, "-C", "-c", "-D", "-d", "-E", "-e", "-f", "-k")
	own := path.Dir(path.Dir(in.At.Real))
	a := &apache{c: c, in: in, defined: map[string]string{}, seen: map[string]bool{}, macros: map[string]*macro{}, names: map[string]bool{}, open: !shell.Known(strings.Join(in.args, "")), room: maxSetting}
	a.roots = []string{own, "/etc/apache2", "/etc/httpd", "/var/www"}
	files := []string{own + "/conf/httpd.conf", "/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf"}
	for _, given := range o.Values("-d") {
		a.roots = []string{shell.Absolute(in.Frame.Dir, given)}
		files = append(inEach(a.roots, "conf/httpd.conf", "apache2.conf", "httpd.conf"), files...)
	}
	for _, given := range o.Values("-f") {
		files = inEach(a.roots, given)
	}
	for _, name := range o.Values("-D") {
		a.defined[name] = ""
	}
	file, err := c.FirstFile(in.Frame, files...)
	if err != nil {
		return a, err
	}
	if err := a.text(onCommandLine, strings.Join(o.Values("-C"), "\n")); err != nil {
		return a, err
	}
	if err := a.include(file); err != nil {
		return a, err
	}
	err = a.text(onCommandLine, strings.Join(o.Values("-c"), "\n"))
	if a.room < 0 {
		in.note(manyVariables, shell.Show(in.At.Name))
	}
	return a, errors.Join(err, a.failed)
}

// include carries out the files that patterns mean.
func (a *apache) include(patterns ...string) error {
	for _, pattern := range patterns {
		names, err := a.c.meant(path.Clean(pattern), a.in.Frame)
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return a.seen[name] })
		names = a.c.room(names, len(a.seen))
		texts, err := a.c.settings(names, a.in.Frame)
		if err != nil {
			return err
		}
		for i, name := range names {
			if a.seen[name] { // by one of those before it
				continue
			}
			a.seen[name] = true
			if err := a.text(name, texts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// text carries out a text.
func (a *apache) text(by, text string) error {
	sections := []bool{true} // those that are open, and whether what stands in them is carried out
	for line := range strings.Lines(strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(text)) {
		if a.macro != nil && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "</macro") {
			a.macro.text += line
			continue
		}
		words := a.words(line)
		carried := sections[len(sections)-1]
		switch {
		case len(words) == 0:
		case a.macro != nil:
			a.macro = nil
		case carried && strings.EqualFold(words[0], "<macro") && len(words) > 1:
			a.define(words[1:])
		case strings.HasPrefix(words[0], "</"):
			sections = sections[:max(1, len(sections)-1)]
		case words[0][0] == '<':
			sections = append(sections, carried && a.holds(strings.TrimSuffix(strings.Join(words, " "), ">")))
		case carried:
			for i, word := range words {
				words[i] = strings.Trim(word, `"'`)
			}
			if err := a.directive(by, words); err != nil {
				return err
			}
		}
	}
	return nil
}

// macro is a text in which words stand for others.
type macro struct {
	words []string
	text  string
}

// define begins a macro: <Macro name $word %word>.
func (a *apache) define(words []string) {
	words[len(words)-1] = strings.TrimSuffix(words[len(words)-1], ">")
	a.macro = &macro{words: words[1:]}
	a.macros[strings.ToLower(words[0])] = a.macro
}

// useCost is what the use of a macro costs, in bytes that variables give: it may use itself.
const useCost = 1 << 10

// use carries out a macro with its words.
func (a *apache) use(by, name string, values []string) error {
	m := a.macros[strings.ToLower(name)]
	if m == nil {
		return nil
	}
	if a.room -= useCost + len(m.text); a.room < 0 {
		return nil
	}
	var pairs []string
	for i, word := range m.words[:min(len(m.words), len(values))] {
		pairs = append(pairs, word, values[i])
	}
	return a.text(by, strings.NewReplacer(pairs...).Replace(m.text))
}

// words are those of a line, with the values of variables; none of a comment, of which most of a configuration consists.
func (a *apache) words(line string) []string {
	if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
		return nil
	}
	if line = a.filled(line); !strings.ContainsAny(line, `"'`) {
		return strings.Fields(line)
	}
	return apacheWord().FindAllString(line, -1)
}

// apacheWord finds the words of a line, in which quotes hold blanks.
var apacheWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:"[^"]*"|'[^']*'|[^\s"']|["'])+`) })

// apacheVariable is the same for all images, most of which have no Apache.
var apacheVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{\w+\}`) })

// filled puts the values of variables into a line.
func (a *apache) filled(line string) string {
	return fill(line, apacheVariable(), &a.room, func(found string) (string, bool) {
		name := found[2 : len(found)-1]
		if value, is := a.defined[name]; is {
			return value, true
		}
		values := a.c.Values(name, a.in.Frame)
		return strings.Join(values, ""), len(values) == 1
	})
}

func (a *apache) directive(by string, words []string) error {
	values := words[1:]
	last := words[len(words)-1]
	switch key := strings.ToLower(words[0]); {
	case key == "define" && len(values) > 0:
		a.defined[values[0]] = strings.Join(values[1:], " ")
	case key == "undefine":
		delete(a.defined, last)
	case key == "use" && len(values) > 0:
		return a.use(by, values[0], values[1:])
	case key == "serverroot":
		a.roots = []string{shell.Absolute("/", last)}
	case key == "loadmodule" && len(values) > 1:
		if name := bareModule(values[0]); !a.names[name] { // the first counts
			a.names[name] = true
			a.loaded = append(a.loaded, loaded(by, inEach(a.roots, last)...))
		}
	case key == "loadfile":
		for _, value := range values {
			a.loaded = append(a.loaded, loaded(by, inEach(a.roots, value)...))
		}
	case key == "include", key == "includeoptional":
		patterns := inEach(a.roots, last)
		if !strings.ContainsAny(last, "*?[") {
			patterns = append(patterns, inEach(a.roots, strings.TrimSuffix(last, "/")+"/*")...) // a folder stands for all in it
		}
		return a.include(patterns...)
	case strings.HasPrefix(key, "wsgi"):
		a.settings = append(a.settings, words)
	}
	return nil
}

// bareModule is the name that a module has in its own and in that of its source: php_module, mod_php.c.
func bareModule(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.Trim(name, `"'`), ".c"), "_module")
	return strings.TrimPrefix(strings.TrimPrefix(name, "mod_"), "mpm_")
}

// holds tells whether what stands in a section is surely carried out.
func (a *apache) holds(section string) bool {
	kind, value, _ := strings.Cut(section, " ")
	value, not := strings.CutPrefix(strings.TrimSpace(value), "!")
	value = strings.TrimSpace(value)
	switch strings.ToLower(kind) {
	case "<virtualhost":
		return true
	case "<ifdefine":
		_, is := a.defined[value]
		return is != not && (is || !a.open)
	case "<iffile":
		names := inEach(a.roots, strings.Trim(value, `"'`))
		file, err := a.c.FirstFile(a.in.Frame, names...)
		folders, failed := a.c.There(names)
		a.failed = errors.Join(a.failed, err, failed)
		return (file != "" || len(folders) > 0) != not
	case "<ifversion":
		is, decided := ofVersion(value)
		return decided && is != not
	case "<ifmodule":
		name := bareModule(value)
		if slices.Contains([]string{"core", "http", "http_core", "so"}, name) { // in all
			return !not
		}
		some := []string{"event", "log_config", "logio", "prefork", "unixd", "version", "watchdog", "worker"} // in those of some
		is := a.names[name]
		return is != not && (is || !slices.Contains(some, name))
	}
	return false
}

// ofVersion tells what a comparison says of any 2.4: ">= 2.4"; one with a part of 2.4 is not decided.
func ofVersion(comparison string) (is, decided bool) {
	op := strings.TrimRight(comparison, " 0123456789.")
	parts := strings.Split(strings.TrimSpace(comparison[len(op):]), ".")
	major, err := strconv.Atoi(parts[0])
	minor := 0
	if len(parts) > 1 && err == nil {
		minor, err = strconv.Atoi(parts[1])
	}
	order := cmp.Or(cmp.Compare(2, major), cmp.Compare(4, minor))
	if err != nil || order == 0 && len(parts) > 2 {
		return false, false
	}
	later := order >= 0 // 2.4.1 is later than 2.4
	switch op {
	case ">", ">=":
		return later, true
	case "<", "<=":
		return !later, true
	case "", "=", "==":
		return false, true
	}
	return false, false
}
