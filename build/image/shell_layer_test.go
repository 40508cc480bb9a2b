package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// A folder that is put over another one leaves there what it does not have. /app/server, /new/y and /old/x are for amd64, what else there is for arm64.
func TestLayers(t *testing.T) {
	const late = " is written at run time by what starts it: it was not followed"
	for _, test := range []struct{ text, want, note string }{
		{"cp -r /new/. /app; exec /app/x", "verified", ""},
		{"cp -r /new/. /app; exec /app/z", "verified", ""},
		{"cp -r /new/. /app; exec /app/y", "foreign:/new/y", ""},
		{"cp -r /new/. /app; exec /app/server", server, ""},
		{"cp -r /new /app; exec /app/new/y", "foreign:/new/y", ""},
		{"cp -r /old/. /app; cp -r /new/. /app; exec /app/x", "verified", ""},
		{"cp -r /old/. /app; cp -r /new/. /app; exec /app/y", "foreign:/new/y", ""},
		{"cp -r /new/. /app; cp -r /old/. /app; exec /app/y", "verified", ""},
		{"ln -sfn /app /cur; cp -r /old/. /cur; exec /cur/server", server, ""}, // which goes through the link
		{"rsync -rlD --exclude x --chown a:b /old/ /app/; exec /app/x", "foreign:/old/x", ""},
		{"rsync -a /old/x /app; exec /app/x", "foreign:/old/x", ""},
		{"rsync -a /old /app; exec /app/old/x", "foreign:/old/x", ""},
		{"rsync -a /old /app; exec /app/x", "verified", ""},
		{"rsync -a other:/old/ /app; exec /app/x", "verified", "/app/x" + late},
		{"rsync -a other:/opt/x /app; exec /app/x", "verified", "/app/x" + late},
		{"rsync -a rsync://other/x/ /app; exec /app/server", server, "/app/server" + late},
		{"cp -r $(ls)/. /app; exec /app/x", "verified", "/app/x" + late},
		{"tar xzf /x.tgz -C /app; exec /app/x", "verified", "/app/x" + late},
		{"cd /app && tar -xJf /x.tar.xz && exec ./x", "verified", "/app/x" + late},
		{"curl -s http://x | tar -x --directory=/app; exec /app/x", "verified", "/app/x" + late},
		{"tar --extract --file x --directory /app; exec /app/server", server, "/app/server" + late},
		{"unzip -qo /x.zip -d /app; exec /app/x", "verified", "/app/x" + late},
		{"unzip -o /x.zip -d /app; exec /app/none", "verified", "a shell text in the image starts /app/none, which is not in the image"},
		{"unzip -l /x.zip -d /app; exec /app/x", "verified", ""},
		{"tar czf /x.tgz -C /app .; exec /app/x", "verified", ""},
		{"tar xOf /x.tgz -C /app; exec /app/x", "verified", ""},
		{"tar xf /x.tgz -C /bin; exec ls", "verified", ""},
		{"tar xf /x.tgz -C /data; exec /app/x", "verified", ""},
		{strings.Repeat("cp -r /new/. /app; cp -r /old/. /app; ", 9) + "exec /app/y", "verified", ""},
		{numbered(9, "cp -r /layers/%/. /app; ") + "exec /app/x", "verified", "the image's scripts change so many files that not all was followed"},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/ln", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/ls", "arm64"), elf("/bin/rsync", "arm64"), elf("/bin/tar", "arm64"), elf("/bin/unzip", "arm64"), dir("/data"), each(9, "/layers/%/x", "x"),

			elf("/bin/curl", "arm64"), elf("/app/x", "arm64"), elf("/app/z", "arm64"), elf("/app/server", "amd64"), elf("/new/x", "arm64"), elf("/new/y", "amd64"), elf("/old/x", "amd64"), elf("/old/y", "arm64"))
		r, err := image.Check(sh(test.text).bytes(), root, platform(t, "arm64"), image.Options{})
		notes := strings.Join(r.Notes, "\n")
		if got := outcome(t, r, err); got != test.want || (notes == "") != (test.note == "") || !strings.Contains(notes, test.note) {
			t.Errorf("%s: %s, want %s; notes %q, want %q", test.text, got, test.want, r.Notes, test.note)
		}
	}
}
