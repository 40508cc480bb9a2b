package image

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// PostgreSQL is started by programs that look for it themselves:
//
//	pg_ctl -D /data -o '-p 5433' start    postgres beside it
//	pg_ctlcluster 15 main start           Debian's, also 15-main, for a cluster of one of the versions that may be there: /usr/lib/postgresql/15/bin/postgres

// postgres follows them; is tells whether they start one.
func (c *checker) postgres(words []string, f frame) (is bool, err error) {
	o, rest := options.Permuted(words[1:], "-D", "--pgdata", "-o", "--options", "-l", "--log", "-p", "-t", "--timeout", "-m", "--mode")
	if !slices.Contains(rest, "start") && !slices.Contains(rest, "restart") {
		return false, nil
	}
	var command []string
	if path.Base(words[0]) == "pg_ctlcluster" {
		if version, name, one := strings.Cut(rest[0], "-"); one {
			rest = append([]string{version, name}, rest[1:]...)
		}
		if len(rest) < 3 {
			return false, nil
		}
		if !shell.Known(rest[0]) {
			return c.each(f, "/usr/lib/postgresql/*/bin/postgres")
		}
		cluster := path.Join(rest[0], rest[1])
		command = []string{path.Join("/usr/lib/postgresql", rest[0], "bin/postgres"), "-D", path.Join("/var/lib/postgresql", cluster), "-c", "config_file=" + path.Join("/etc/postgresql", cluster, "postgresql.conf")}
	} else {
		at, _, err := c.find(words[0], f)
		if err != nil || at.Info == nil {
			return false, err
		}
		command = append(o.Values("-p"), path.Join(path.Dir(at.Real), "postgres"))[:1]
		for _, data := range o.Values("-D", "--pgdata") {
			command = append(command, "-D", data)
		}
	}
	if f.Reading == "" {
		f.Reading = words[0]
	}
	command = append(command, shell.Fields(strings.Join(o.Values("-o", "--options"), " "))...)
	return true, c.run(command, f)
}
