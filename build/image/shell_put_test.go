package image_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What a text removes is no longer in the way of what it puts there. /app/server and /opt/current are for amd64.
func TestRemoved(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"rm -f /app/server; ln -s /app/x /app/server; exec /app/server", "verified"},
		{"cd /app; rm server && ln -s x server; exec ./server", "verified"},
		{"rm -rf /app/server; mv -n /app/x /app/server; exec /app/server", "verified"},
		{"rm -f /opt/current; ln -s /opt/aarch64 /opt/current; exec /opt/current/x", "verified"},
		{"rm -rf /opt/current; mkdir /opt/current; cp /opt/aarch64/x /opt/current; exec /opt/current/x", "verified"},
		{"rm -f /app/server; sh -c 'ln -s /app/x /app/server; exec /app/server'", "verified"},
		{"rm -f /run/x; echo >/run/x; chmod +x /run/x; exec /run/x", "verified"},

		{"ln -sfn /opt/aarch64 /opt/current; exec /opt/current/x", "verified"},
		{"ln -s /opt/x86_64 /cur; ln -sfn /opt/aarch64 /cur; exec /cur/x", "verified"},
		{"rm -rf /app; ln -sfn /opt/aarch64 /app; exec /app/x", "verified"},
		{"ln -sfn /opt/aarch64 /app; exec /app/server", server}, // into the folder
		{"ln -sfn /app/server /run; exec /run/server", server},
		{"mkdir /tmp/d; ln -snf /app /tmp/d; exec /tmp/d/app/server", server},
		{"mkdir /tmp/d; ln -snf /app /tmp/d; exec /tmp/d/app/x", "verified"},
		{"rm -rf /app/d; mkdir /app/d; ln -snf /app /app/d; exec /app/d/app/server", server},
		{"rm -rf /opt/current; mkdir /opt/current; ln -snf /app /opt/current; exec /opt/current/app/server", server},
		{"ln -snf /app /cur; ln -snf /opt/aarch64 /cur; exec /cur/server", "verified"},

		{"ln -s /app/x /app/server; exec /app/server", server},
		{"[ $Y ] && rm -f /app/server; ln -s /app/x /app/server; exec /app/server", server},
		{"rm -f /app/server; ln -s /app/lie /app/server; exec /app/server", "foreign:/app/lie"},
		{"rm -f /app; ln -s /opt/aarch64 /app; exec /app/server", server},
		{"rm -f /app/server; exec /app/server", server},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/ln", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/mkdir", "arm64"), elf("/bin/rm", "arm64"), elf("/bin/mv", "arm64"), elf("/bin/chmod", "arm64"), text("/run/x", ""),
			elf("/app/x", "arm64"), elf("/app/server", "amd64"), elf("/app/lie", "amd64"), elf("/opt/x86_64/x", "amd64"), elf("/opt/aarch64/x", "arm64"), link("/opt/current", "x86_64"))
		r, err := image.Check(sh(test.text).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", test.text, got, test.want, r.Notes)
		}
	}
}

// The folder may come first. /app/server is for amd64.
func TestFolderFirst(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"cp -t /run /app/server; exec /run/server", server},
		{"cp -at /run /app/x /app/server; exec /run/server", server},
		{"mv --target-directory=/run /app/server; exec /run/server", server},
		{"install -m 755 --target-directory /run -- /app/server; exec /run/server", server},
		{"ln -s -t/run /app/server; exec /run/server", server},
		{"cp -t /run /app/server /app/x; exec /run/x", "verified"},
		{"cp -t; exec /app/x", "verified"},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/ln", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/mv", "arm64"), elf("/bin/install", "arm64"), dir("/run"), elf("/app/x", "arm64"), elf("/app/server", "amd64"))
		r, err := image.Check(sh(test.text).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", test.text, got, test.want, r.Notes)
		}
	}
}

// What comes from nobody knows where takes the place of what the image has there, or may do so. /app/x is for arm64, and /app/server for amd64.
func TestPutUnknown(t *testing.T) {
	many := ""
	for i := range 130 {
		many += fmt.Sprintf("cp /app/x /tmp/%d\n", i)
	}
	edits := ""
	for i := range 130 {
		edits += fmt.Sprintf("sed -i -e s/%d/x/ /run/conf\n", i)
	}
	const late = " is written at run time by what starts it: it was not followed"
	for _, test := range []struct{ text, want, note string }{
		{"cp $(date) /app/x; exec /app/x", "verified", "/app/x" + late},
		{"mv /opt/$(date)/y /app/x; exec /app/x", "verified", "/app/x" + late},
		{"ln -sf $(date) /app/x; exec /app/x", "verified", "/app/x" + late},
		{"ln -sfn $(date) /opt/current; exec /opt/current/x", "verified", "/opt/current/x" + late},
		{"cp $(date) /app/none; exec /app/none", "verified", "/app/none" + late},
		{"curl -sSLo /app/x http://x; exec /app/x", "verified", "/app/x" + late},
		{"curl --output=/app/server http://x; exec /app/server", server, ""},
		{"wget -qO /app/x http://x; exec /app/x", "verified", "/app/x" + late},
		{"wget -qO - http://x; exec /app/x", "verified", ""},
		{"dd if=/dev/zero of=/app/x; exec /app/x", "verified", "/app/x" + late},
		{"cp $(date) /app/server; exec /app/server", server, ""},
		{many + "cp /app/server /app/x; exec /app/x", "verified", "the image's scripts change so many files that not all was followed"},
		{edits + "cp /app/server /app/x; exec /app/x", server, ""},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/ln", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/mv", "arm64"),
			elf("/bin/curl", "arm64"), elf("/bin/wget", "arm64"), elf("/bin/dd", "arm64"), elf("/bin/sed", "arm64"), dir("/tmp"), text("/run/conf", ""),
			elf("/app/x", "arm64"), elf("/app/server", "amd64"), elf("/opt/aarch64/x", "arm64"), link("/opt/current", "aarch64"))
		r, err := image.Check(sh(test.text).bytes(), root, platform(t, "arm64"), image.Options{})
		notes := strings.Join(r.Notes, "\n")
		if got := outcome(t, r, err); got != test.want || (notes == "") != (test.note == "") && err == nil || !strings.Contains(notes, test.note) {
			t.Errorf("%s: %s, want %s; notes %q, want %q", test.text, got, test.want, r.Notes, test.note)
		}
	}
}
