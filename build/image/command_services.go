package image

import (
	"errors"
	"path"
	"slices"

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
