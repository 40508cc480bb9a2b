package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// maxConfs bounds the files that configure a supervisor.
const maxConfs = 64

// supervised follows the commands in supervisord's configuration.
func (c *checker) supervised(words []string, f frame) (some bool, err error) {
	files := []string{"/etc/supervisord.conf", "/etc/supervisor/supervisord.conf", "/etc/supervisor.conf"}
	o, _ := options.Permuted(words[1:], "-c", "--configuration")
	if named := o.Values("-c", "--configuration"); len(named) > 0 {
		files = named[len(named)-1:]
	}
	var all []service
	own := f // with what is set for all
	for i := 0; i < len(files); i++ {
		if i == maxConfs {
			c.note(f, "%s has so many files that not all were read", shell.Show(files[0]))
			break
		}
		name := shell.Absolute(f.Dir, files[i])
		sections, failed := c.supervisorConf(name, f)
		err = errors.Join(err, failed)
		for _, s := range sections {
			switch {
			case s.kind == "supervisord":
				_, own = throughEnv(c.pairs(s.setting("environment"), f), own)
			case s.kind == "include":
				for glob := range strings.FieldsSeq(c.filledIn(s.setting("files"), own)) {
					names, failed := c.glob(shell.Absolute(path.Dir(name), glob), f)
					files, err = with(files, names), errors.Join(err, failed) // that name each other, maybe
				}
			case s.setting("command") != "":
				s.file = name
				all = append(all, s)
			}
		}
	}
	for _, s := range all {
		_, g := throughEnv(c.pairs(s.setting("environment"), own), own)
		g.Reading, g.Told = s.file, g.Told && !slices.Contains([]string{"false", "no", "off", "0"}, strings.ToLower(c.filledIn(s.setting("autostart"), own)))
		if dir := s.setting("directory"); dir != "" {
			g.Dir = shell.Absolute(f.Dir, c.filledIn(dir, own))
		}
		err = errors.Join(err, c.run(shell.Fields(c.filledIn(s.setting("command"), own)), g))
	}
	return len(all) > 0, err
}

// supervisorConf reads the sections of a configuration.
func (c *checker) supervisorConf(name string, f frame) ([]service, error) {
	text, err := c.heldText(name, f)
	return sections(strings.ReplaceAll(text, "%(here)s", path.Dir(name))), err
}

// pairs reads the words of supervisord's environment, KEY="val",KEY2=val, as env takes them.
func (c *checker) pairs(text string, f frame) (words []string) {
	pair := regexp.MustCompile(`([^\s=,]+)\s*=\s*("[^"]*"|'[^']*'|[^,\s]*)`)
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1]+"="+c.filledIn(strings.Trim(m[2], `"'`), f))
	}
	return words
}

// filledIn puts variables of the environment into a value, %(ENV_HOME)s. What else supervisord knows is unknown.
func (c *checker) filledIn(text string, f frame) string {
	return regexp.MustCompile(`%\([^)]*\)s`).ReplaceAllStringFunc(text, func(found string) string {
		name, is := strings.CutPrefix(strings.TrimSuffix(found, ")s"), "%(ENV_")
		values := c.Values(name, f.Frame)
		switch {
		case is && name == "PATH":
			return strings.Join(f.Path, ":")
		case is && len(values) == 1:
			return values[0]
		}
		return shell.Unknown
	})
}

// service is a section of supervisord's configuration.
type service struct {
	kind     string // supervisord, program:x
	file     string // that has it
	settings map[string]string
}

// setting is one with the section's own name in it, "" where it is not set.
func (s service) setting(key string) string {
	_, program, _ := strings.Cut(s.kind, ":")
	return strings.ReplaceAll(s.settings[key], "%(program_name)s", program)
}

// sections reads a configuration as Python's ConfigParser does: a line that is indented more than the setting above it goes on with it.
func sections(text string) (list []service) {
	comment, above, key := regexp.MustCompile(`(^|\s)[;#].*`), -1, ""
	list = []service{{settings: map[string]string{}}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(comment.ReplaceAllString(line, ""), " \t\r\n")
		body := strings.TrimLeft(line, " \t")
		indent, cut := len(line)-len(body), strings.IndexAny(body, "=:")
		switch {
		case body == "":
		case above >= 0 && indent > above:
			list[len(list)-1].settings[key] += "\n" + body
		case body[0] == '[':
			above, list = -1, append(list, service{kind: strings.Trim(body, "[] \t"), settings: map[string]string{}})
		case cut >= 0:
			above, key = indent, strings.ToLower(strings.TrimSpace(body[:cut]))
			list[len(list)-1].settings[key] = strings.TrimSpace(body[cut+1:])
		}
	}
	return list
}
