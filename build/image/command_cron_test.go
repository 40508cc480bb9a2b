package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What a crontab names is what runs. /opt/lie is for another machine.
func TestCrontabs(t *testing.T) {
	const lie = "foreign:/opt/lie"
	for _, test := range []struct{ command, name, text, want string }{
		{"cron -f", "/etc/crontab", "# m h dom mon dow user command\n17 *\t* * *\troot\tcd / && /opt/lie\n", lie},
		{"cron -f", "/etc/cron.d/x", "0 3 * * 1-5 app [ -x /opt/lie ] && /opt/lie\n", lie},
		{"cron -f", "/etc/cron.d/x", "0 0 1 jan mon root /opt/lie\n", lie},
		{"cron -f", "/etc/cron.d/x", "@reboot root run-parts /hourly\n", lie},
		{"cron -f", "/etc/cron.d/x", "* * * * * lie echo\n", "verified"}, // the user's name
		{"cron -f", "/etc/cron.d/x", "# * * * * * root /opt/lie\n", "what cron starts was not followed"},
		{"cron -f", "/etc/cron.d/x.bak", "* * * * * root /opt/lie\n", "what cron starts was not followed"},
		{"cron -f", "/etc/cron.d/x", "* * * * * root /opt/none\n", "/etc/cron.d/x starts /opt/none, which is not in the image"},
		{"cron -f", "/var/spool/cron/crontabs/root", "PATH=/usr/bin:/opt\n* * * * * lie\n", lie},
		{"cron -f", "/var/spool/cron/crontabs/root", "* * * * * echo %/opt/lie\n", "verified"},
		{"cron -f", "/var/spool/cron/crontabs/root", "* * * * * date +\\%s; /opt/lie\n", lie},
		{"crond -f", "/etc/crontabs/root", "0 1 * * * sleep $((RANDOM % 9)); /opt/lie\n", lie},
		{"crond -f -l 2", "/etc/crontabs/root", "*/15\t*\t*\t*\t*\t/opt/lie\n", lie},
		{"crond -n", "/var/spool/cron/root", "@daily /opt/lie", lie},
		{"crond -f -c /app", "/app/root", "0 0 * * * /opt/lie\n", lie},
		{"crond -f -c /app", "/etc/crontabs/root", "0 0 * * * /opt/lie\n", "what crond starts was not followed"},
		{"supercronic -quiet /app/x", "/app/x", "*/5 * * * * * * /opt/lie\n", lie},
		{"supercronic /app/x", "/app/x", "@every 1h /opt/lie\n", lie},
		{"supercronic /app/x", "/app/y", "@every 1h /opt/lie\n", "what supercronic starts was not followed"},
		{"sh /run.sh", "/run.sh", "crontab /lists/x && exec cron -f\n", lie},
		{"sh /run.sh", "/run.sh", "echo '* * * * * /opt/lie' | crontab -u app -; exec cron -f\n", lie},
		{"sh /run.sh", "/run.sh", "crontab -r; exec cron -f\n", "what cron starts was not followed"},
		{"sh /run.sh", "/run.sh", "(crontab -l; echo x) | crontab -; exec cron -f\n", "/var/spool/cron/crontabs/root is written at run time by what starts it: it was not followed\nwhat cron starts was not followed"},
		{"sh /run.sh", "/run.sh", "echo '* * * * * root /opt/lie' > /etc/cron.d/x; exec cron -f\n", lie},
		{"sh /run.sh", "/run.sh", "echo \"$WHEN root /opt/lie\" > /etc/cron.d/x; exec cron -f\n", "/etc/cron.d/x is written at run time by what starts it: it was not followed\nwhat cron starts was not followed"},
		{"sh /run.sh", "/run.sh", "cp -r /lists/. /var/spool/cron/crontabs/; exec cron -f\n", lie},
		{"sh /run.sh", "/run.sh", "echo \"# $X\" > /etc/cron.d/x; echo '* * * * * root ls' > /etc/cron.d/y; exec cron -f\n", "/etc/cron.d/x is written at run time by what starts it: it was not followed"},
		{"sh /run.sh", "/run.sh", "sed -i \"s/AT/$AT/\" /lists/y; crontab /lists/y; exec cron -f\n", "/var/spool/cron/crontabs/root is written at run time by what starts it: it was not followed"},
		{"sh /run.sh", "/run.sh", "curl $URL > /etc/cron.d/x; exec cron -f\n", "/etc/cron.d/x is written at run time by what starts it: it was not followed\nwhat cron starts was not followed"},
	} {
		root := scripts(elf("/bin/cron", "arm64"), elf("/bin/crond", "arm64"), elf("/bin/supercronic", "arm64"), elf("/bin/run-parts", "arm64"), elf("/bin/crontab", "arm64"), elf("/bin/curl", "arm64"), elf("/bin/date", "arm64"),
			elf("/opt/lie", "amd64"), exe("/hourly/x", "#!/bin/sh\n/opt/lie\n"), text("/lists/x", "* * * * * /opt/lie\n"), text("/lists/y", "# AT\n\nAT /opt/lie\n* * * * * ls\n"), elf("/bin/ls", "arm64"), elf("/bin/cp", "arm64"), dir("/var/spool/cron/crontabs"), dir("/etc/cron.d"), text(test.name, test.text))
		r, err := image.Check(run(strings.Fields(test.command)...).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil {
			got = strings.Join(r.Notes, "\n")
		}
		if got != test.want {
			t.Errorf("%s\n%s%s, want %s", test.command, test.text, got, test.want)
		}
	}
}

// Services that a script puts where a supervisor looks for them are followed, too.
func TestServicesThatArePut(t *testing.T) {
	for line, want := range map[string]string{
		"ln -s /etc/sv/x /etc/service/x; exec runsvdir /etc/service":                                                   "foreign:/opt/lie",
		"ln -s /etc/sv/y /etc/service/y; exec runsvdir /etc/service":                                                   "what runsvdir starts was not followed",
		"mkdir /etc/service/x; cp /etc/sv/x/run /etc/service/x/run; exec runsvdir /etc/service":                        "foreign:/opt/lie",
		"mkdir /etc/service/x; printf '#!/bin/sh\\nexec /opt/lie\\n' > /etc/service/x/run; exec runsvdir /etc/service": "foreign:/opt/lie",
		"printf '[program:x]\\ncommand=/opt/lie\\n' > /etc/conf.d/x.conf; exec supervisord -c /etc/x.conf":             "foreign:/opt/lie",
		"printf '[program:x]\\ncommand=%s\\n' \"$X\" > /etc/conf.d/x.conf; exec supervisord -c /etc/x.conf":            "/etc/conf.d/x.conf is written at run time by what starts it: it was not followed\nwhat supervisord starts was not followed",
		"printf '[program:x]\\ncommand=/opt/lie\\n' > /etc/conf.d/x; exec supervisord -c /etc/x.conf":                  "what supervisord starts was not followed",
		"cp -r /etc/sv/. /etc/service; exec runsvdir /etc/service":                                                     "foreign:/opt/lie",
		"rm -rf /etc/service; ln -s /etc/sv /etc/service; exec runsvdir /etc/service":                                  "foreign:/opt/lie",
		"rm -rf /etc/sv; cp -r /etc/empty /etc/sv; exec runsvdir /etc/sv":                                              "what runsvdir starts was not followed",
		"printf '[program:x]\ncommand=%s\n' \"$X\" >> /etc/x.conf; exec supervisord -c /etc/x.conf":                    "/etc/x.conf is written at run time by what starts it: it was not followed\nwhat supervisord starts was not followed",
		"echo 'x: /opt/lie' >> /Procfile; exec honcho start":                                                           "foreign:/opt/lie",
		"cp /etc/procs /Procfile; exec honcho start":                                                                   "foreign:/opt/lie",
		"rm -f /etc/conf.d/x.conf; curl -s $URL > /etc/conf.d/x.conf; exec supervisord -c /etc/x.conf":                 "/etc/conf.d/x.conf is written at run time by what starts it: it was not followed\nwhat supervisord starts was not followed",
	} {
		root := scripts(elf("/opt/lie", "amd64"), exe("/etc/sv/x/run", "#!/bin/sh\nexec /opt/lie\n"), dir("/etc/sv/y"), dir("/etc/service"), dir("/etc/conf.d"), dir("/etc/empty"), text("/etc/procs", "x: /opt/lie\n"), text("/etc/x.conf", "[include]\nfiles=/etc/conf.d/*.conf\n"), exe("/run.sh", "#!/bin/sh\n"+line+"\n"))
		for _, name := range []string{"ln", "cp", "rm", "mkdir", "curl", "runsvdir", "supervisord", "honcho"} {
			root = append(root, elf("/bin/"+name, "arm64"))
		}
		r, err := image.Check(run("/run.sh").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil {
			got = strings.Join(r.Notes, "\n")
		}
		if got != want {
			t.Errorf("%s\n%s, want %s", line, got, want)
		}
	}
}
