package image_test

import (
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

const (
	bundle = "/usr/local/bundle/"
	armGem = bundle + "extensions/aarch64-linux/3.3.0/"
	amdGem = bundle + "extensions/x86_64-linux/3.3.0/"
)

// ruby is an interpreter as the ruby images have it, with a program of a gem.
func ruby(root fstest.MapFS) {
	elf("/usr/local/bin/ruby", "arm64")(root)
	exe("/usr/local/bundle/bin/puma", "#!/usr/local/bin/ruby\n")(root)
}

// bundled runs puma as the ruby images have it.
func bundled(env ...string) config {
	return run("puma").and("WorkingDir", "/app").and("Env", append([]string{"PATH=/usr/local/bundle/bin:/usr/local/bin:/bin", "GEM_HOME=/usr/local/bundle"}, env...))
}

// Each row declares linux/arm64 and has a right Ruby.
var rubyChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"no gems", bundled(), nil, "verified"},
	{"a right gem", bundled(), []entry{text(armGem+"bcrypt-3.1.20/gem.build_complete", ""), lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "arm64")}, "verified"},
	{"a foreign gem", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64")}, "foreign-module:" + amdGem + "bcrypt-3.1.20"},
	{"... whose folder says otherwise", bundled(), []entry{lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64")}, "foreign-module:" + armGem + "bcrypt-3.1.20/bcrypt_ext.so"},
	{"... whose library is in a folder of its own", bundled(), []entry{text(amdGem+"nokogiri-1.18.1/mkmf.log", ""), lib(amdGem+"nokogiri-1.18.1/nokogiri/nokogiri.so", "amd64")}, "foreign-module:" + amdGem + "nokogiri-1.18.1"},
	{"a gem for each of two machines", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "arm64")}, "verified"},
	{"another version of a gem for the right machine", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(armGem+"bcrypt-3.1.19/bcrypt_ext.so", "arm64")}, "foreign-module:" + amdGem + "bcrypt-3.1.20"},
	{"one foreign gem beside others", bundled(), []entry{lib(armGem+"a-1/a.so", "arm64"), lib(amdGem+"b-1/b.so", "amd64")}, "foreign-module:" + amdGem + "b-1"},
	{"a gem whose code is elsewhere", bundled(), []entry{text(armGem+"rdkafka-0.21.0/gem.build_complete", "")}, "verified"},
	{"... for another machine", bundled(), []entry{text(amdGem+"rdkafka-0.21.0/gem.build_complete", "")}, "foreign-module:" + amdGem + "rdkafka-0.21.0"},
	{"a foreign library beside the gem's sources, which is found first", bundled(), []entry{lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "arm64"), lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(bundle+"gems/bcrypt-3.1.20/lib/bcrypt_ext.so", "amd64")}, "foreign-module:" + bundle + "gems/bcrypt-3.1.20/lib/bcrypt_ext.so"},
	{"a right one there", bundled(), []entry{lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(bundle+"gems/bcrypt-3.1.20/lib/bcrypt_ext.so", "arm64")}, "verified"},
	{"a gem of a second folder for the right machine", bundled("GEM_PATH=/usr/local/bundle:/more"), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib("/more/extensions/aarch64-linux/3.3.0/bcrypt-3.1.20/bcrypt_ext.so", "arm64")}, "verified"},
	{"a gem from git for another machine", bundled(), []entry{lib(bundle+"bundler/gems/extensions/x86_64-linux/3.3.0/foo-abcdef/foo.so", "amd64")}, "foreign-module:" + bundle + "bundler/gems/extensions/x86_64-linux/3.3.0/foo-abcdef"},
	{"... whose library is beside its sources", bundled(), []entry{lib(bundle+"bundler/gems/extensions/aarch64-linux/3.3.0/foo-abcdef/foo.so", "arm64"), lib(bundle+"bundler/gems/foo-abcdef/lib/foo.so", "amd64")}, "foreign-module:" + bundle + "bundler/gems/foo-abcdef/lib/foo.so"},

	{"a gem fetched for the machine", bundled(), []entry{lib(bundle+"gems/nokogiri-1.18.1-aarch64-linux-gnu/lib/nokogiri/3.3/nokogiri.so", "arm64")}, "verified"},
	{"a gem fetched for another one", bundled(), []entry{dir(bundle + "gems/nokogiri-1.18.1-x86_64-linux-gnu/lib/nokogiri/css"), lib(bundle+"gems/nokogiri-1.18.1-x86_64-linux-gnu/lib/nokogiri/3.3/nokogiri.so", "amd64")}, "foreign-module:" + bundle + "gems/nokogiri-1.18.1-x86_64-linux-gnu"},
	{"a gem fetched for both", bundled(), []entry{lib(bundle+"gems/ffi-1.17.0-x86_64-linux/lib/3.3/ffi_c.so", "amd64"), lib(bundle+"gems/ffi-1.17.0-aarch64-linux/lib/3.3/ffi_c.so", "arm64")}, "verified"},
	{"a gem fetched for another one, and compiled for this", bundled(), []entry{lib(bundle+"gems/ffi-1.17.0-x86_64-linux/lib/3.3/ffi_c.so", "amd64"), lib(armGem+"ffi-1.17.0/ffi_c.so", "arm64")}, "verified"},
	{"a gem with a program for another one", bundled(), []entry{exe(bundle+"gems/thruster-0.1.9-x86_64-linux/exe/thrust", "#!/usr/bin/env ruby\n"), elf(bundle+"gems/thruster-0.1.9-x86_64-linux/exe/x86_64-linux/thrust", "amd64")}, "foreign-module:" + bundle + "gems/thruster-0.1.9-x86_64-linux"},
	{"a gem fetched for another one, whose code lies elsewhere", bundled(), []entry{elf(bundle+"gems/sass-embedded-1.80.0-x86_64-linux-gnu/ext/sass/dart-sass/src/dart", "amd64")}, "foreign-module:" + bundle + "gems/sass-embedded-1.80.0-x86_64-linux-gnu"},
	{"a gem fetched for another one, beside one in Ruby alone", bundled(), []entry{lib(bundle+"gems/x-1.0-x86_64-linux/lib/x.so", "amd64"), text(bundle+"gems/x-1.0/lib/x.rb", "")}, "verified"},
	{"... beside one that was compiled for another one", bundled(), []entry{lib(bundle+"gems/x-1.0-x86_64-linux/lib/x.so", "amd64"), text(bundle+"gems/x-1.0/lib/x.rb", ""), text(amdGem+"x-1.0/gem.build_complete", "")}, "foreign-module:" + amdGem + "x-1.0"},
	{"gems for other systems", bundled(), []entry{lib(bundle+"gems/nokogiri-1.18.1-arm64-darwin/lib/nokogiri/3.3/nokogiri.so", "amd64"), lib(bundle+"gems/x-1-java/lib/x.so", "amd64")}, "verified"},
	{"what a gem has for its own tests", bundled(), []entry{lib(bundle+"gems/elftools-1.3.1/spec/files/amd64.so", "amd64")}, "verified"},

	{"a folder of Bundler's that nothing names, as it comes from a laptop", bundled(), []entry{lib("/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"... whose configuration is not that of the image", bundled("BUNDLE_APP_CONFIG=/conf"), []entry{text("/app/.bundle/config", "---\nBUNDLE_PATH: \"vendor/bundle\"\n"), lib("/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"... of another version of Ruby", bundled("BUNDLE_DEPLOYMENT=1"), []entry{dir("/usr/local/lib/ruby/3.3.0"), lib("/app/vendor/bundle/ruby/3.2.0/extensions/x86_64-linux/3.2.0/b-1/b.so", "amd64")}, "verified"},
	{"Bundler's folder of the application", bundled("BUNDLE_DEPLOYMENT=1"), []entry{lib("/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"... that its configuration names", bundled(), []entry{text("/app/.bundle/config", "---\nBUNDLE_PATH: \"/gems\"\n"), lib("/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"... of an application elsewhere", bundled("BUNDLE_GEMFILE=/other/Gemfile", "BUNDLE_DEPLOYMENT=true"), []entry{lib("/other/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/other/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"... that its configuration names, before the environment", bundled("BUNDLE_PATH=/right"), []entry{text("/app/.bundle/config", "---\nBUNDLE_PATH: \"/gems\"\n"), lib("/right/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"... that the user's configuration names", bundled(), []entry{text("/root/.bundle/config", "---\nBUNDLE_DEPLOYMENT: \"true\"\n"), lib("/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"... that a configuration elsewhere names", bundled("BUNDLE_APP_CONFIG=/conf"), []entry{text("/conf/config", "---\nBUNDLE_PATH: 'own'\n"), lib("/app/own/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/app/own/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"... that the environment names", bundled("BUNDLE_PATH=/gems"), []entry{lib("/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"Ruby's own folder of gems", run("ruby", "/app.rb"), []entry{lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"Debian's", run("/usr/bin/ruby3.1", "/app.rb"), []entry{elf("/usr/bin/ruby3.1", "arm64"), lib("/var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/b-1/b.so", "amd64")}, "foreign-module:/var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/b-1"},
	{"the user's", run("ruby", "/app.rb"), []entry{lib("/root/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/root/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
	{"another user's", run("ruby", "/app.rb"), []entry{lib("/home/x/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},

	{"Ruby is not run", run("/app"), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"a health check of one line", run("/app").and("Healthcheck", test("ruby", "-rsocket", "-e", "1")), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"a health check's script", run("/app").and("Healthcheck", test("ruby", "-I", "lib", "/check.rb")), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1"},
}

func TestRubyModules(t *testing.T) {
	for _, test := range rubyChecks {
		t.Run(test.name, func(t *testing.T) {
			root := watched{MapFS: rootOf(append(test.root, ruby)...), t: t}
			r, err := image.Check(test.config.bytes(), root, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

// lists counts how often a folder is listed.
type lists struct {
	fstest.MapFS
	n *atomic.Int64
}

func (l lists) ReadDir(name string) ([]fs.DirEntry, error) {
	l.n.Add(1)
	return l.MapFS.ReadDir(name)
}

// Links that lead back lead nowhere new, however many there are.
func TestRubyLinksThatLeadBack(t *testing.T) {
	entries := []entry{ruby}
	for i := range 50 {
		for _, name := range []string{"x%d-linux", "%d.0.0", "gem-%d"} {
			entries = append(entries, link(fmt.Sprintf("/usr/local/bundle/extensions/"+name, i), "."))
		}
	}
	root := lists{rootOf(entries...), new(atomic.Int64)}
	r, err := image.Check(bundled().bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || root.n.Load() > 500 {
		t.Errorf("%s: folders were listed %d times", got, root.n.Load())
	}
}
