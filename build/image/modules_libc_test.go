package image_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

const (
	muslLoader  = "/lib/ld-musl-aarch64.so.1"
	glibcLoader = "/lib/ld-linux-aarch64.so.1"
)

// nodeOf is a Node with this loader.
func nodeOf(loader string) entry {
	return func(root fstest.MapFS) {
		elf("/usr/local/bin/node", "arm64", elftest.Interp(loader), elftest.Type(3))(root)
		elf(loader, "arm64", elftest.Type(3))(root)
	}
}

// addon is a module for arm64 that needs these libraries.
func addon(name string, needs ...string) entry {
	return elf(name, "arm64", elftest.Type(3), elftest.Needs(needs...))
}

// swc is a package that takes the one for its C library, and that one.
func swc(libcs ...string) entry {
	return func(root fstest.MapFS) {
		one("swc", map[string]any{"hasInstallScript": true, "optionalDependencies": map[string]string{"swc-musl": "*", "swc-glibc": "*"}})(root)
		for _, libc := range libcs {
			manifest(app+"swc-"+libc, map[string]any{"cpu": []string{"arm64"}, "libc": []string{libc}})(root)
			addon(app + "swc-" + libc + "/swc.node")(root)
		}
	}
}

// Each row declares linux/arm64 and runs /app/server.js with a Node of musl's or glibc's.
var libcChecks = []struct {
	name   string
	loader string
	root   []entry
	want   string
}{
	{"compiled on Alpine", glibcLoader, []entry{addon(bcrypt, "libstdc++.so.6", "libc.musl-aarch64.so.1")}, "foreign-module:" + bcrypt},
	{"... by other tools", glibcLoader, []entry{addon(bcrypt, "libc.so")}, "foreign-module:" + bcrypt},
	{"... where a linker's script has that name", glibcLoader, []entry{addon(bcrypt, "libc.so"), text("/usr/lib/aarch64-linux-gnu/libc.so", "/* GNU ld script */")}, "foreign-module:" + bcrypt},
	{"... and it is there", glibcLoader, []entry{addon(bcrypt, "libc.musl-aarch64.so.1"), lib("/lib/libc.musl-aarch64.so.1", "arm64")}, "verified"},
	{"... where it belongs", muslLoader, []entry{addon(bcrypt, "libc.musl-aarch64.so.1", "libc.so")}, "verified"},
	{"compiled on Debian", muslLoader, []entry{addon(bcrypt, "libc.so.6", "ld-linux-aarch64.so.1")}, "foreign-module:" + bcrypt},
	{"... where gcompat is", muslLoader, []entry{addon(bcrypt, "libc.so.6", "ld-linux-aarch64.so.1"), lib(glibcLoader, "arm64")}, "verified"},
	{"... without its loader", muslLoader, []entry{addon(bcrypt, "libc.so.6")}, "verified"},
	{"... where it belongs", glibcLoader, []entry{addon(bcrypt, "libc.so.6", "ld-linux-aarch64.so.1")}, "verified"},
	{"for both", muslLoader, []entry{addon(bcrypt, "libc.so.6", "ld-linux-aarch64.so.1"), addon(app+"bcrypt/build/Release/musl.node", "libc.so")}, "verified"},
	{"with a Node without loader", "", []entry{addon(bcrypt, "libc.so")}, "verified"},
	{"a program whose loader is not there", muslLoader, []entry{one("sass", chooses("sass-x")), manifest(app+"sass-x", map[string]any{"cpu": []string{"arm64"}}), elf(app+"sass-x/dart", "arm64", elftest.Interp(glibcLoader))}, "foreign-module:" + app + "sass-x/dart"},
	{"... and is", muslLoader, []entry{one("sass", chooses("sass-x")), manifest(app+"sass-x", map[string]any{"cpu": []string{"arm64"}}), elf(app+"sass-x/dart", "arm64", elftest.Interp(muslLoader))}, "verified"},

	{"chosen for the other one", glibcLoader, []entry{swc("musl")}, "foreign-module:" + app + "swc-musl"},
	{"... in Alpine", muslLoader, []entry{swc("glibc")}, "foreign-module:" + app + "swc-glibc"},
	{"chosen for both", muslLoader, []entry{swc("glibc", "musl")}, "verified"},
	{"chosen rightly", muslLoader, []entry{swc("musl")}, "verified"},
	{"... for a Node without loader", "", []entry{swc("musl")}, "verified"},

	{"brought for the other one", glibcLoader, []entry{addon(app+"bcrypt/prebuilds/linux-arm64/x.node", "libc.so")},
		"verified, " + app + "bcrypt/prebuilds/linux-arm64/x.node is for musl, where /usr/local/bin/node has glibc, and none was compiled: what needs it fails"},
	{"brought for both", muslLoader, []entry{addon(app+"bcrypt/prebuilds/linuxglibc-arm64/x.node", "ld-linux-aarch64.so.1"), addon(app+"bcrypt/prebuilds/linuxmusl-arm64/x.node", "libc.so")}, "verified"},
	{"... with what does instead", glibcLoader, []entry{addon(app+"bcrypt/prebuilds/linux-arm64/x.node", "libc.so"), text(app+"bcrypt/fallback.js", "")}, "verified"},
}

func TestModulesOfAnotherLibc(t *testing.T) {
	for _, test := range libcChecks {
		entries := []entry{one("bcrypt", script()), elf("/usr/local/bin/node", "arm64")}
		if test.loader != "" {
			entries = append(entries, nodeOf(test.loader))
		}
		root := watched{MapFS: nodeRoot(append(entries, test.root...)), t: t}
		r, err := image.Check(nodeConfig(nil).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := strings.Join(append([]string{outcome(t, r, err)}, r.Notes...), ", "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// The cure names the C library, or the base that has it.
func TestModuleOfAnotherLibcIsTold(t *testing.T) {
	for want, root := range map[string]entry{
		app + "swc-musl is for musl, where /usr/local/bin/node has glibc and finds no other module of swc: " +
			"install it in a stage of the image's own base, or with npm's --libc=glibc, or allow it with ALLOW_FOREIGN=" + app + "swc-musl": swc("musl"),
		bcrypt + " is for musl, where /usr/local/bin/node has glibc and finds no other module of bcrypt: " +
			"install it in a stage of the image's own base, or allow it with ALLOW_FOREIGN=" + bcrypt: func(root fstest.MapFS) { one("bcrypt", script())(root); addon(bcrypt, "libc.so")(root) },
	} {
		_, err := image.Check(nodeConfig(nil).bytes(), nodeRoot([]entry{nodeOf(glibcLoader), root}), platform(t, "arm64"), image.Options{})
		if err == nil || err.Error() != want {
			t.Errorf("says\n%v\nwant\n%s", err, want)
		}
	}
}
