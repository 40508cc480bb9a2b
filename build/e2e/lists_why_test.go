package e2e

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/platforms/elftest"
)

// Each kind of image that ends in "exec format error" or "no such file or directory", in a registry, and what why says of it.
func TestWhyOnPublishedImages(t *testing.T) {
	reg := Plain(t)
	program := func(arch string, options ...elftest.Option) string { return string(elftest.Of(arch, options...)) }
	musl, glibc := elftest.Interp("/lib/ld-musl-aarch64.so.1"), elftest.Interp("/lib/ld-linux-aarch64.so.1")
	for _, test := range []struct {
		name  string
		files Files // of the arm64 image, which starts /app
		says  []string
	}{
		{"it runs", Files{"app*": program("arm64")}, nil},
		{"another architecture", Files{"app*": program("amd64")}, []string{"/app is", "amd64", "do: build it for linux/arm64"}},
		{"no loader of musl", Files{"app*": program("arm64", musl)},
			[]string{"linked against musl", "/lib/ld-musl-aarch64.so.1 is not in the image", "such as Alpine"}},
		{"no loader of glibc", Files{"app*": program("arm64", glibc)},
			[]string{"linked against glibc", "/lib/ld-linux-aarch64.so.1 is not in the image", "such as Debian"}},
		{"another libc's loader", Files{"app*": program("arm64", musl), "lib/ld-linux-aarch64.so.1*": program("arm64")},
			[]string{"linked against musl", "/lib/ld-musl-aarch64.so.1 is not in the image"}},
		{"the loader is there", Files{"app*": program("arm64", musl), "lib/ld-musl-aarch64.so.1*": program("arm64")}, nil},
		{"no #!", Files{"app*": "echo hello\n"}, []string{"without #! line", "begin it with #!/bin/sh"}},
		{"CRLF", Files{"app*": "#!/bin/sh\r\necho hello\r\n", "bin/sh*": program("arm64")}, []string{"/app", "CR"}},
		{"a byte order mark", Files{"app*": "\xef\xbb\xbf#!/bin/sh\n", "bin/sh*": program("arm64")}, []string{"byte order mark"}},
		{"no execute bit", Files{"app": program("arm64")}, []string{"/app", "execut"}},
		{"no interpreter", Files{"app*": "#!/bin/bash\n"}, []string{"/bin/bash"}},
		{"nothing there", Files{"other*": program("arm64")}, []string{"/app"}},
		{"a foreign helper", Files{"app*": "#!/bin/sh\nhelper\n", "bin/sh*": program("arm64"), "usr/bin/helper*": program("amd64")}, []string{"/usr/bin/helper is", "amd64"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := reg.Repo(t) + ":" + strings.Map(tagged, test.name)
			config := map[string]any{"Entrypoint": []string{"/app"}, "Env": []string{"PATH=/usr/bin:/bin"}}
			if err := reg.publish(reg.Repo(t), strings.Map(tagged, test.name),
				image{os: "linux", arch: "amd64", root: Dir(t, Files{"app*": program("amd64")}), config: config},
				image{os: "linux", arch: "arm64", root: Dir(t, test.files), config: config}); err != nil {
				t.Fatal(err)
			}
			if test.says == nil {
				Run(t, t.TempDir(), nil, "why", ref, "-platform=linux/arm64").Exits(t, 0).Says(t, "it runs on linux/arm64")
				return
			}
			Run(t, t.TempDir(), nil, "why", ref, "-platform=linux/arm64").Exits(t, 3).Says(t, "WRONG:", "it does not run on linux/arm64").Says(t, test.says...)
			Run(t, t.TempDir(), nil, "why", ref, "-platform=linux/amd64").Exits(t, 0).Says(t, "it runs on linux/amd64")
		})
	}
}

// tagged makes a tag of a name.
func tagged(r rune) rune {
	if strings.ContainsRune(" #!'", r) {
		return '_'
	}
	return r
}
