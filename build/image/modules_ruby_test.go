package image_test

import (
	"strings"
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
	{"a foreign gem", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64")}, "foreign-module:" + amdGem + "bcrypt-3.1.20/bcrypt_ext.so"},
	{"... whose folder says otherwise", bundled(), []entry{lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64")}, "foreign-module:" + armGem + "bcrypt-3.1.20/bcrypt_ext.so"},
	{"... whose library is in a folder of its own", bundled(), []entry{text(amdGem+"nokogiri-1.18.1/mkmf.log", ""), lib(amdGem+"nokogiri-1.18.1/nokogiri/nokogiri.so", "amd64")}, "foreign-module:" + amdGem + "nokogiri-1.18.1/nokogiri/nokogiri.so"},
	{"a gem for each of two machines", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(armGem+"bcrypt-3.1.20/bcrypt_ext.so", "arm64")}, "verified"},
	{"another version of a gem for the right machine", bundled(), []entry{lib(amdGem+"bcrypt-3.1.20/bcrypt_ext.so", "amd64"), lib(armGem+"bcrypt-3.1.19/bcrypt_ext.so", "arm64")}, "foreign-module:" + amdGem + "bcrypt-3.1.20/bcrypt_ext.so"},
	{"one foreign gem beside others", bundled(), []entry{lib(armGem+"a-1/a.so", "arm64"), lib(amdGem+"b-1/b.so", "amd64")}, "foreign-module:" + amdGem + "b-1/b.so"},
	{"a gem that compiled nothing", bundled(), []entry{text(amdGem+"rake-13.0.0/gem.build_complete", "")}, "verified"},

	{"a gem fetched for the machine", bundled(), []entry{lib(bundle+"gems/nokogiri-1.18.1-aarch64-linux-gnu/lib/nokogiri/3.3/nokogiri.so", "arm64")}, "verified"},
	{"a gem fetched for another one", bundled(), []entry{dir(bundle + "gems/nokogiri-1.18.1-x86_64-linux-gnu/lib/nokogiri/css"), lib(bundle+"gems/nokogiri-1.18.1-x86_64-linux-gnu/lib/nokogiri/3.3/nokogiri.so", "amd64")}, "foreign-module:" + bundle + "gems/nokogiri-1.18.1-x86_64-linux-gnu/lib/nokogiri/3.3/nokogiri.so"},
	{"a gem fetched for both", bundled(), []entry{lib(bundle+"gems/ffi-1.17.0-x86_64-linux/lib/3.3/ffi_c.so", "amd64"), lib(bundle+"gems/ffi-1.17.0-aarch64-linux/lib/3.3/ffi_c.so", "arm64")}, "verified"},
	{"a gem fetched for another one, and compiled for this", bundled(), []entry{lib(bundle+"gems/ffi-1.17.0-x86_64-linux/lib/3.3/ffi_c.so", "amd64"), lib(armGem+"ffi-1.17.0/ffi_c.so", "arm64")}, "verified"},
	{"a gem with a program for another one", bundled(), []entry{exe(bundle+"gems/thruster-0.1.9-x86_64-linux/exe/thrust", "#!/usr/bin/env ruby\n"), elf(bundle+"gems/thruster-0.1.9-x86_64-linux/exe/x86_64-linux/thrust", "amd64")}, "foreign-module:" + bundle + "gems/thruster-0.1.9-x86_64-linux/exe/x86_64-linux/thrust"},
	{"gems for other systems", bundled(), []entry{lib(bundle+"gems/nokogiri-1.18.1-arm64-darwin/lib/nokogiri/3.3/nokogiri.so", "amd64"), lib(bundle+"gems/x-1-java/lib/x.so", "amd64")}, "verified"},
	{"what a gem has for its own tests", bundled(), []entry{lib(bundle+"gems/elftools-1.3.1/spec/files/amd64.so", "amd64")}, "verified"},

	{"Bundler's folder of the application", bundled(), []entry{lib("/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/app/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"... that its configuration names", bundled(), []entry{text("/app/.bundle/config", "---\nBUNDLE_PATH: \"/gems\"\n"), lib("/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"... of an application elsewhere", bundled("BUNDLE_GEMFILE=/other/Gemfile"), []entry{lib("/other/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/other/vendor/bundle/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"... that a configuration elsewhere names", bundled("BUNDLE_APP_CONFIG=/conf"), []entry{text("/conf/config", "---\nBUNDLE_PATH: 'own'\n"), lib("/app/own/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/app/own/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"... that the environment names", bundled("BUNDLE_PATH=/gems"), []entry{lib("/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/gems/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"Ruby's own folder of gems", run("ruby", "/app.rb"), []entry{lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"Debian's", run("/usr/bin/ruby3.1", "/app.rb"), []entry{elf("/usr/bin/ruby3.1", "arm64"), lib("/var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/b-1/b.so", "amd64")}, "foreign-module:/var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/b-1/b.so"},
	{"the user's", run("ruby", "/app.rb"), []entry{lib("/root/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/root/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
	{"another user's", run("ruby", "/app.rb"), []entry{lib("/home/x/.local/share/gem/ruby/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},

	{"Ruby is not run", run("/app"), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"a health check of one line", run("/app").and("Healthcheck", test("ruby", "-rsocket", "-e", "1")), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "verified"},
	{"a health check's script", run("/app").and("Healthcheck", test("ruby", "-I", "lib", "/check.rb")), []entry{elf("/app", "arm64"), lib("/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so", "amd64")}, "foreign-module:/usr/local/lib/ruby/gems/3.3.0/extensions/x86_64-linux/3.3.0/b-1/b.so"},
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
