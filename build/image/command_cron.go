package image

import (
	"errors"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// A crontab has a line for each command, which a shell reads, behind when it is started: */5 * * * *, or @daily. In those of the system the user
// stands before it:
//
//	cron, crond        /etc/crontab, /etc/cron.d                          */5 * * * * root /app/job
//	cron               /var/spool/cron/crontabs, one for each user        */5 * * * * /app/job
//	crond              /etc/crontabs, /var/spool/cron; those of crond -c
//	supercronic file   ... which may have seconds and years, too
//
// Of lines like PATH=/a:/b each is for all those behind it; what stands behind % is input of cron's command.

// What the lines of crontabs are cut by; few images have one.
var (
	cronSetting = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*["']?(\w+)["']?\s*=\s*(.*?)\s*$`) })
	cronTime    = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*(?:@(?:every\s+)?\S+|(?:[\d*?]\S*\s+){3}\S+\s+\S+)\s+(?:[\d*?][\d*?/,#LW-]*\s+){0,2}`)
	})
	cronInput = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([^\\])%.*`) })
)

// crontabs follows the commands of the crontabs that a program reads; some tells whether it has any.
func (c *checker) crontabs(words []string, f frame) (some bool, err error) {
	tool := path.Base(words[0])
	if tool == "supercronic" {
		_, args := options.Cut(words[1:], "-prometheus-listen-address", "-sentry-dsn", "-sentry-environment", "-sentry-release")
		if len(args) == 0 {
			return false, nil
		}
		return c.crontab(tool, shell.Absolute(f.Dir, args[0]), 0, f)
	}
	o, _ := options.Cut(words[1:], "-c", "-L", "-l", "-d", "-m", "-x")
	users := []string{"/var/spool/cron/crontabs/*", "/var/spool/cron/*", "/etc/crontabs/*"}
	for _, folder := range o.Values("-c") {
		users = []string{shell.Absolute(f.Dir, folder) + "/*"}
	}
	f.Dir = shell.Unknown // the user's home
	for i, patterns := range [][]string{users, {"/etc/crontab", "/etc/cron.d/*"}} {
		for _, pattern := range patterns {
			names, failed := c.glob(pattern, f)
			err = errors.Join(err, failed)
			for _, name := range names {
				if tool == "cron" && pattern == "/etc/cron.d/*" && strings.Contains(path.Base(name), ".") { // which it passes over
					continue
				}
				has, failed := c.crontab(tool, name, i, f)
				some, err = some || has, errors.Join(err, failed)
			}
		}
	}
	return some, err
}

// crontab follows the commands of one that a tool reads, where so many words stand between the time and the command.
func (c *checker) crontab(tool, name string, between int, f frame) (some bool, err error) {
	text, err := c.heldText(name, f)
	if err != nil {
		return false, err
	}
	f.Reading, f.Tongue = name, "sh"
	for line := range strings.Lines(text) {
		if c.Texts.Exhausted() {
			c.tooMany(f)
			break
		}
		if m := cronSetting().FindStringSubmatch(line); m != nil {
			if value := strings.Trim(m[2], `"'`); m[1] == "PATH" && !strings.Contains(value, "$") {
				f.Path = shell.PathList(value)
			}
			continue
		}
		command := line[len(cronTime().FindString(line)):]
		switch body := strings.TrimSpace(line); {
		case body == "" || body[0] == '#':
			continue
		case len(command) == len(line): // no time
			if f.Put.Changed(name) {
				line = shell.Unknown
			}
			c.lateText(name, line, f)
			continue
		}
		if tool == "cron" {
			command = strings.ReplaceAll(cronInput().ReplaceAllString(command, "$1"), `\%`, "%")
		}
		for range between {
			command = command[max(0, strings.IndexAny(command, " \t\n")):]
		}
		some, err = true, errors.Join(err, c.text(strings.TrimSpace(command), nil, f))
	}
	return some, err
}
