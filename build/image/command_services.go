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

// services follows what a supervisor starts by its folders or its configuration; some tells whether it has any.
func (c *checker) services(words []string, f frame) (some bool, err error) {
	_, args := options.Cut(words[1:], "-c", "-t", "-u", "-U")
	f.Soften()
	folder := "/nowhere"
	if len(args) > 0 {
		folder = shell.Absolute(f.Dir, args[0])
	}
	switch path.Base(words[0]) {
	case "init": // of s6-overlay, which starts CMD as well, and all with its own tools
		f.Path = with([]string{"/command"}, f.Path)
		some, err = c.each(f, "/etc/cont-init.d/*", "/etc/services.d/*/run")
		in := f
		in.Told = false // unless a bundle has it
		more, failed := c.each(in, "/etc/s6-overlay/s6-rc.d/*/run")
		once, other := c.oneshots(in)
		return some || more || once || len(args) > 0, errors.Join(err, failed, other, c.run(args, f))
	case "my_init":
		return c.each(f, "/etc/my_init.d/*", "/etc/rc.local", "/etc/service/*/run")
	case "runsvdir", "s6-svscan":
		return c.each(f, folder+"/*/run", folder+"/*/log/run", folder+"/*/finish")
	case "run-parts":
		return c.each(f, folder+"/*")
	case "supervisord":
		return c.supervised(words, f)
	case "foreman", "forego", "goreman", "hivemind", "honcho", "overmind":
		return c.procfile(words, f)
	case "cron", "crond", "supercronic":
		return c.crontabs(words, f)
	case "pg_ctl", "pg_ctlcluster":
		return c.postgres(words, f)
	case "pm2", "pm2-runtime", "pm2-docker":
		return c.processes(words[1:], f)
	}
	return false, nil
}

// initScript is what a service of System V is started by: service nginx start. The tool itself is a script that goes through all of them. An
// application's own program of that name is none.
func (c *checker) initScript(tool string, words []string) ([]string, error) {
	if folder := path.Base(path.Dir(tool)); path.Base(tool) != "service" || folder != "sbin" && folder != "bin" || len(words) < 3 || !shell.Known(words[1]) {
		return nil, nil
	}
	at, ok, err := c.Tree.Regular("/etc/init.d/" + words[1])
	if !ok {
		return nil, err
	}
	return append([]string{at.Name}, words[2:]...), nil
}

// oneshots follows the command lines of s6-rc's services that run once, which execline reads.
func (c *checker) oneshots(f frame) (some bool, err error) {
	names, err := c.Texts.Glob("/etc/s6-overlay/s6-rc.d/*/up")
	for _, name := range names {
		at, ok, failed := c.Tree.Regular(name)
		if ok {
			some, failed = true, c.execline(at, nil, f)
		}
		err = errors.Join(err, failed)
	}
	return some, err
}

// each follows every program that one of the patterns names. A service beside which a file down lies is not started by itself.
func (c *checker) each(f frame, patterns ...string) (some bool, err error) {
	for _, glob := range patterns {
		names, failed := c.glob(glob, f)
		err = errors.Join(err, failed)
		for _, name := range names {
			down, failed := c.glob(path.Join(path.Dir(name), "down"), f)
			g := f
			g.Told = f.Told && len(down) == 0
			some, err = true, errors.Join(err, failed, c.run([]string{name}, g))
		}
	}
	return some, err
}

// glob lists what a pattern names, with what shells on the way have put there, and not what they removed.
func (c *checker) glob(pattern string, f frame) ([]string, error) {
	if c.Texts.Exhausted() {
		c.tooMany(f)
		return nil, nil
	}
	names, err := c.Texts.Names(f.Put, pattern)
	if len(names) > shell.MaxWords {
		c.note(f, "%s names so many files that none was followed", shell.Show(pattern))
		return nil, err
	}
	return names, err
}

// with is a list with those behind it that it does not have.
func with(list, more []string) []string {
	for _, name := range more {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

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

// heldText is the text of a file as a command has it, with what only comes at run time as unknown, "" where it has none.
func (c *checker) heldText(name string, f frame) (string, error) {
	from, _ := c.Texts.Origin(f.Put, name)
	if text, ok := c.Texts.Written(from); ok {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, shell.Unknown) { // any lines
				c.lateText(name, line, f)
			}
		}
		return text, nil
	}
	at, ok, err := c.Tree.Regular(from)
	if err != nil || !ok || f.Put.Gone(name) {
		return "", err
	}
	text, err := c.Script(at)
	return strings.ReplaceAll(text, shell.Unknown, ""), err // a file that is none
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
