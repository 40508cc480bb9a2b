package targets

import (
	"strconv"
	"strings"
	"time"
)

// option reads one of Mage's own options from the front of rest, and tells how many words it took; 0: it is none of them.
func (r *reader) option(rest []string) (int, error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(rest[0], "-"), "-"), "=")
	flags := map[string]*bool{
		"h": &r.options.help, "help": &r.options.help, "l": &r.options.list, "v": &r.options.verbose, "version": &r.options.version,
	}
	if flag, ok := flags[name]; ok {
		*flag = true
		if !hasValue {
			return 1, nil
		}
		on, err := strconv.ParseBool(value)
		if err != nil {
			return 0, refuse("%s: %q is neither true nor false: write -%s alone", rest[0], value, name)
		}
		*flag = on
		return 1, nil
	}
	if name != "t" {
		return 0, nil
	}
	if hasValue {
		return 1, r.timeoutFrom(value)
	}
	if len(rest) < 2 {
		return 0, refuse("-t needs a time: write -t 5m30s")
	}
	return 2, r.timeoutFrom(rest[1])
}

// timeoutFrom reads a time; an empty one is none.
func (r *reader) timeoutFrom(value string) error {
	if value == "" {
		return nil
	}
	if strings.ContainsAny(value, "/:") {
		return refuse("-t: %q is no time, which it is for here: write IMG=%s", value, value)
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return refuse("-t: %q is no time: write -t 5m30s", value)
	}
	r.options.timeout = d
	return nil
}

// cleanup is what Mage gives targets after Ctrl-C, and is given them here when the time of -t is over: Mage alone would kill.
const cleanup = 5 * time.Second

// forMage are the options as Mage reads them.
func (o options) forMage() []string {
	var out []string
	if o.verbose {
		out = append(out, "-v")
	}
	if o.timeout > 0 {
		out = append(out, "-t", (o.timeout + cleanup).String())
	}
	return out
}
