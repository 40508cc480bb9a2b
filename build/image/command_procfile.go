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

// A Procfile has a line for each process, and who starts it may want some of them alone:
//
//	web: bundle exec puma -p $PORT      foreman start            all
//	worker: bundle exec sidekiq         foreman start web        also -m web=1; overmind start -l web,worker; hivemind Procfile.dev
//	                                    honcho run rails c       none, but a command
//
// Foreman, Overmind and Hivemind start them in the Procfile's folder, the others where they are themselves.

// procfileValued are the options with a value of those that start a Procfile's processes.
func procfileValued() []string {
	return []string{"-f", "--procfile", "-d", "--root", "--app-root", "-e", "--env", "-p", "--port", "-t", "--timeout", "-l", "--processes", "-m", "--formation", "-c", "--concurrency", "-s", "--socket"}
}

// procfile follows those lines of a Procfile that are started, or the command that is started instead of them.
func (c *checker) procfile(words []string, f frame) (some bool, err error) {
	tool, verb := path.Base(words[0]), "start"
	o, rest := options.Cut(words[1:], procfileValued()...)
	if tool != "hivemind" && len(rest) > 0 {
		verb, rest = rest[0], rest[1:]
	}
	more, rest := options.Cut(rest, procfileValued()...)
	if o = append(o, more...); verb != "run" {
		more, rest = options.Permuted(rest, procfileValued()...)
		o = append(o, more...)
	}
	names, file := rest, append(o.Values("-f", "--procfile"), "Procfile")[0]
	if tool == "hivemind" && len(rest) > 0 {
		names, file = nil, rest[0]
	}
	root := append(o.Values("-d", "--root", "--app-root"), ".")[0]
	if !shell.Known(file + root) {
		return false, nil
	}
	if file = shell.Absolute(shell.Absolute(f.Dir, root), file); root == "." && slices.Contains([]string{"foreman", "hivemind", "overmind"}, tool) {
		root = path.Dir(file)
	}
	there := f
	there.Dir, there.Reading, there.Tongue = shell.Absolute(f.Dir, root), file, "sh"
	lines, err := c.processLines(file, f)
	if err != nil || verb == "run" && (tool != "foreman" || !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, strings.Join(rest, " ")+":") })) {
		return len(rest) > 0, errors.Join(err, c.run(rest, f))
	}
	for _, line := range lines {
		if name, command, _ := strings.Cut(line, ":"); wantedProcess(name, names, o) {
			err = errors.Join(err, c.text(strings.TrimSpace(command), nil, there))
		}
	}
	return len(lines) > 0, err
}

// processLines are the lines of a Procfile that have a process.
func (c *checker) processLines(file string, f frame) ([]string, error) {
	text, err := c.heldText(file, f)
	return regexp.MustCompile(`(?m)^[\w-]+:.*\S.*$`).FindAllString(text, -1), err
}

// wantedProcess tells whether a process is started where these are named, and options name some or say how many there are of each: web=1,worker=0.
func wantedProcess(name string, names []string, o options.List) bool {
	for _, list := range o.Values("-l", "--processes") {
		names = append(names, strings.Split(list, ",")...)
	}
	for _, pairs := range o.Values("-m", "--formation", "-c", "--concurrency") {
		for pair := range strings.SplitSeq(pairs, ",") {
			if none, is := strings.CutSuffix(pair, "=0"); is && none == name {
				return false
			}
		}
	}
	return len(names) == 0 || slices.Contains(names, name) || !shell.Known(strings.Join(names, ""))
}
