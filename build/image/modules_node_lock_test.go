package image_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

const (
	pnpmStore = app + ".pnpm/"
	unplugged = "/app/.yarn/unplugged/"
)

// pnpmLock and its kin are the lists of package managers.
func pnpmLock(lines ...string) entry { return text(pnpmStore+"lock.yaml", strings.Join(lines, "\n")) }

func yarnLock(lines ...string) entry { return text("/app/yarn.lock", strings.Join(lines, "\n")) }

// pnp is an application that yarn has packed.
func pnp(names ...string) entry {
	return func(root fstest.MapFS) {
		depends("/app", names...)(root)
		text("/app/.pnp.cjs", "")(root)
	}
}

// chosenFor is what esbuild takes for a machine, in a folder of a store.
func chosenFor(folder, cpu, arch string) entry {
	return func(root fstest.MapFS) {
		dir := folder + "/node_modules/@esbuild/linux-" + cpu
		manifest(dir, map[string]any{"cpu": []string{cpu}, "os": []string{"linux"}})(root)
		lib(dir+"/bin/esbuild", arch)(root)
	}
}

// linkedBy is the same where pnpm has linked it to a version of esbuild.
func linkedBy(version, cpu, arch string) entry {
	return func(root fstest.MapFS) {
		manifest(pnpmStore+"esbuild@"+version+"/node_modules/esbuild", map[string]any{})(root)
		chosenFor(pnpmStore+"@esbuild+linux-"+cpu+"@"+version, cpu, arch)(root)
	}
}

var (
	pnpmNeeds = pnpmLock("lockfileVersion: '9.0'", "", "importers:", "  .:", "    dependencies:", "      a:", "        specifier: ^1", "        version: 1.0.0", "",
		"packages:", "", "  '@esbuild/linux-x64@0.2.0':", "    resolution: {integrity: sha512-x}", "    cpu: [x64]", "", "snapshots:", "", "  '@esbuild/linux-x64@0.2.0':", "    optional: true", "",
		"  a@1.0.0(b@1.0.0):", "    dependencies:", "      esbuild: 0.2.0", "", "  esbuild@0.2.0:", "    optionalDependencies:", "      '@esbuild/linux-arm64': 0.2.0", "      '@esbuild/linux-x64': 0.2.0", "",
		"  tool@1.0.0:", "    dependencies:", "      bcrypt: 5.0.0", "", "  bcrypt@5.0.0:", "    dependencies:", "      node-addon-api: 5.1.0", "",
		"  ssh@1.0.0:", "    optionalDependencies:", "      bcrypt: 5.0.0")
	yarnNeeds = yarnLock("# yarn lockfile v1", "", "", `"@esbuild/linux-x64@0.2.0":`, `  version "0.2.0"`, "", `a@^1.0.0, "a@~ 1":`, `  version "1.0.0"`, `  resolved "https://x/a#1"`, "  dependencies:", `    esbuild "^0.2.0"`, "",
		"esbuild@^0.2.0:", `  version "0.2.0"`, "  optionalDependencies:", `    "@esbuild/linux-x64" "0.2.0"`, "",
		"tool@*:", "  dependencies:", `    bcrypt "5"`, "", "ssh@*:", "  optionalDependencies:", `    bcrypt "5"`, "", "bcrypt@5:", "  dependencies:", `    nan "2"`)
	berryNeeds = yarnLock("__metadata:", "  version: 8", "", `"@esbuild/linux-x64@npm:0.2.0":`, "  version: 0.2.0", "  conditions: os=linux & cpu=x64", "", `"a@npm:^1.0.0, a@npm:~1":`, "  version: 1.0.0", "  dependencies:", `    esbuild: "npm:^0.2.0"`, "",
		`"esbuild@npm:^0.2.0":`, "  dependencies:", `    "@esbuild/linux-arm64": "npm:0.2.0"`, `    "@esbuild/linux-x64": "npm:0.2.0"`, "  dependenciesMeta:", `    "@esbuild/linux-arm64":`, "      optional: true", `    "@esbuild/linux-x64":`, "      optional: true", "",
		`"bcrypt@npm:5":`, "  dependencies:", "    node-gyp: npm:latest", "", `"tool@npm:*":`, "  dependencies:", `    bcrypt: "npm:5"`, "", `"ssh@npm:*":`, "  dependencies:", `    bcrypt: "npm:5"`, "  dependenciesMeta:", "    bcrypt:", "      optional: true", "",
		`"shared@workspace:shared":`, "  dependencies:", `    bcrypt: "npm:5"`)
	bunNeeds = text("/app/bun.lock", `{
  "lockfileVersion": 1,
  "packages": {
    "@esbuild/linux-x64": ["@esbuild/linux-x64@0.2.0", "", { "os": "linux", "cpu": "x64" }, "sha512-x"],
    "@s/a": ["@s/a@1.0.0", "", { "dependencies": { "esbuild": "^0.2.0" } }, "sha512-x"],
    "@s/a/esbuild": ["esbuild@0.2.0", "", { "optionalDependencies": { "@esbuild/linux-arm64": "0.2.0", "@esbuild/linux-x64": "0.2.0" }, "bin": { "esbuild": "x" } }, "sha512-x"],
    "esbuild": ["esbuild@0.1.0", "", {}, "sha512-x"],
    "bcrypt": ["bcrypt@5.0.0", "", { "dependencies": { "nan": "2", } }, "sha512-x"],
    "tool": ["tool@1.0.0", "", { "dependencies": { "bcrypt": "5", "none": "1" } }, "sha512-x"],
    "ssh": ["ssh@1.0.0", "", { "optionalDependencies": { "bcrypt": "5" } }, "sha512-x"],
    "nan": ["nan@2.0.0", "", {}, "sha512-x"],
  },
}`)
	bunStore        = app + ".bun/"
	chosenByEsbuild = manifest(app+"esbuild", chooses("@esbuild/linux-x64"))
)

// Each row declares linux/arm64, and lists tell of what package.json do not lead to.
var lockChecks = []struct {
	name string
	root []entry
	want string
}{
	{"Bun", []entry{depends("/app", "tool"), bunNeeds, gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"... and it is right", []entry{depends("/app", "tool"), bunNeeds, gyp, lib(bcrypt, "arm64")}, "verified"},
	{"... and nobody needs it", []entry{depends("/app", "esbuild"), bunNeeds, gyp, lib(bcrypt, "amd64")}, "verified"},
	{"... or may do without", []entry{depends("/app", "ssh"), bunNeeds, gyp, lib(bcrypt, "amd64")}, "verified"},
	{"... and it is not the one beside", []entry{depends("/app", "@s/a"), bunNeeds, chosenByEsbuild, platformed("@esbuild/linux-x64", "x64", "bin/esbuild", "amd64")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"Bun with a folder for each", []entry{depends("/app", "@s/a"), bunNeeds, manifest(bunStore+"esbuild@0.2.0+1d4ead93/node_modules/esbuild", nil), chosenFor(bunStore+"@esbuild+linux-x64@0.2.0", "x64", "amd64")},
		"foreign-module:" + bunStore + "@esbuild+linux-x64@0.2.0/node_modules/@esbuild/linux-x64/bin/esbuild"},
	{"pnpm", []entry{depends("/app", "a"), pnpmNeeds, linkedBy("0.2.0", "x64", "amd64")}, "foreign-module:" + pnpmStore + "@esbuild+linux-x64@0.2.0/node_modules/@esbuild/linux-x64/bin/esbuild"},
	{"... for two machines", []entry{depends("/app", "a"), pnpmNeeds, linkedBy("0.2.0", "x64", "amd64"), linkedBy("0.2.0", "arm64", "arm64")}, "verified"},
	{"... another version, for development", []entry{depends("/app", "a"), pnpmNeeds, linkedBy("0.2.0-rc.1", "x64", "amd64")}, "verified"},
	{"... with peers", []entry{depends("/app", "tool"), pnpmNeeds, text(pnpmStore+"bcrypt@5.0.0_x@1/node_modules/bcrypt/binding.gyp", ""), lib(pnpmStore+"bcrypt@5.0.0_x@1/node_modules/bcrypt/build/Release/b.node", "amd64")}, "foreign-module:" + pnpmStore + "bcrypt@5.0.0_x@1/node_modules/bcrypt/build/Release/b.node"},
	{"... what is compiled", []entry{depends("/app", "tool"), pnpmNeeds, text(pnpmStore+"bcrypt@5.0.0/node_modules/bcrypt/binding.gyp", ""), lib(pnpmStore+"bcrypt@5.0.0/node_modules/bcrypt/build/Release/b.node", "amd64")}, "foreign-module:" + pnpmStore + "bcrypt@5.0.0/node_modules/bcrypt/build/Release/b.node"},
	{"... what may be missing", []entry{depends("/app", "ssh"), pnpmNeeds, text(pnpmStore+"bcrypt@5.0.0/node_modules/bcrypt/binding.gyp", ""), lib(pnpmStore+"bcrypt@5.0.0/node_modules/bcrypt/build/Release/b.node", "amd64")}, "verified"},
	{"... what nobody needs", []entry{depends("/app", "x"), pnpmNeeds, linkedBy("0.2.0", "x64", "amd64")}, "verified"},
	{"... until 8", []entry{depends("/app", "a"), pnpmLock("packages:", "  /a@1.0.0:", "    dependencies:", "      jq: 1.0.0", "  /jq@1.0.0:", "    requiresBuild: true"), manifest(pnpmStore+"jq@1.0.0/node_modules/jq", map[string]any{"scripts": map[string]string{"postinstall": "x"}}), elf(pnpmStore+"jq@1.0.0/node_modules/jq/bin/jq", "amd64")}, "foreign-module:" + pnpmStore + "jq@1.0.0/node_modules/jq/bin/jq"},
	{"... until 7", []entry{depends("/app", "tool"), pnpmLock("lockfileVersion: 5.4", "dependencies:", "  tool: 1.0.0", "packages:", "  /tool/1.0.0:", "    dependencies:", "      '@s/b': 5.0.0_x@1.0.0", "  /@s/b/5.0.0_x@1.0.0:", "    requiresBuild: true"), manifest(pnpmStore+"@s+b@5.0.0_x@1.0.0/node_modules/@s/b", map[string]any{"scripts": map[string]string{"install": "x"}}), lib(pnpmStore+"@s+b@5.0.0_x@1.0.0/node_modules/@s/b/build/Release/b.node", "amd64")}, "foreign-module:" + pnpmStore + "@s+b@5.0.0_x@1.0.0/node_modules/@s/b/build/Release/b.node"},
	{"... with npm's folders", []entry{depends("/app", "a"), pnpmNeeds, chosenByEsbuild, chosenFor("/app", "x64", "amd64")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},

	{"yarn 1", []entry{depends("/app", "a"), yarnNeeds, chosenByEsbuild, chosenFor("/app", "x64", "amd64")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"... for two machines", []entry{depends("/app", "a"), yarnNeeds, manifest(app+"esbuild", chooses("@esbuild/linux-x64", "@esbuild/linux-arm64")), chosenFor("/app", "x64", "amd64"), chosenFor("/app", "arm64", "arm64")}, "verified"},
	{"... what is compiled", []entry{depends("/app", "tool"), yarnNeeds, gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"... what may be missing", []entry{depends("/app", "ssh"), yarnNeeds, gyp, lib(bcrypt, "amd64")}, "verified"},
	{"... for development", []entry{manifest("/app", map[string]any{"devDependencies": map[string]string{"a": "*"}}), yarnNeeds, chosenByEsbuild, chosenFor("/app", "x64", "amd64")}, "verified"},
	{"... of a package of the workspace", []entry{depends("/app", "shared"), yarnNeeds, link(app+"shared", "../shared"), depends("/app/shared", "tool"), gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"yarn 4", []entry{depends("/app", "a"), berryNeeds, chosenByEsbuild, chosenFor("/app", "x64", "amd64")}, "foreign-module:" + app + "@esbuild/linux-x64/bin/esbuild"},
	{"... what is compiled", []entry{depends("/app", "tool"), berryNeeds, gyp, lib(bcrypt, "amd64")}, "foreign-module:" + bcrypt},
	{"... what may be missing", []entry{depends("/app", "ssh"), berryNeeds, gyp, lib(bcrypt, "amd64")}, "verified"},
	{"... what a package of the workspace is developed with", []entry{depends("/app", "shared"), berryNeeds, gyp, lib(bcrypt, "amd64")}, "verified"},

	{"Plug'n'Play", []entry{pnp("a"), berryNeeds, chosenFor(unplugged+"@esbuild-linux-x64-npm-0.2.0-74b0dea1a6", "x64", "amd64")}, "foreign-module:" + unplugged + "@esbuild-linux-x64-npm-0.2.0-74b0dea1a6/node_modules/@esbuild/linux-x64/bin/esbuild"},
	{"... for two machines", []entry{pnp("a"), berryNeeds, chosenFor(unplugged+"@esbuild-linux-x64-npm-0.2.0-1", "x64", "amd64"), chosenFor(unplugged+"@esbuild-linux-arm64-npm-0.2.0-2", "arm64", "arm64")}, "verified"},
	{"... by what is not packed itself", []entry{pnp("a"), berryNeeds, manifest(unplugged+"esbuild-virtual-1/node_modules/esbuild", chooses("@esbuild/linux-x64")), chosenFor(unplugged+"@esbuild-linux-x64-npm-0.2.0-1", "x64", "amd64")}, "foreign-module:" + unplugged + "@esbuild-linux-x64-npm-0.2.0-1/node_modules/@esbuild/linux-x64/bin/esbuild"},
	{"... what is compiled", []entry{pnp("tool"), berryNeeds, text(unplugged+"bcrypt-virtual-1/node_modules/bcrypt/binding.gyp", ""), lib(unplugged+"bcrypt-virtual-1/node_modules/bcrypt/build/Release/b.node", "amd64")}, "foreign-module:" + unplugged + "bcrypt-virtual-1/node_modules/bcrypt/build/Release/b.node"},
	{"... what is patched", []entry{pnp("b"), yarnLock(`"b@patch:b@npm%3A5#./b.patch":`, "  dependencies:", "    node-gyp: npm:latest"), text(unplugged+"b-patch-5c8b7bd7c4/node_modules/b/binding.gyp", ""), lib(unplugged+"b-patch-5c8b7bd7c4/node_modules/b/build/Release/b.node", "amd64")}, "foreign-module:" + unplugged + "b-patch-5c8b7bd7c4/node_modules/b/build/Release/b.node"},
	{"... what nobody needs", []entry{pnp("x"), berryNeeds, chosenFor(unplugged+"@esbuild-linux-x64-npm-0.2.0-1", "x64", "amd64")}, "verified"},
	{"... without list", []entry{pnp("a"), chosenFor(unplugged+"@esbuild-linux-x64-npm-0.2.0-1", "x64", "amd64")}, "verified, [/app/.pnp.cjs leads to packages that were not looked at: no yarn.lock tells of them]"},
}

func TestLockedNodeModules(t *testing.T) {
	for _, test := range lockChecks {
		t.Run(test.name, func(t *testing.T) {
			r, err := image.Check(nodeConfig(nil).bytes(), watched{MapFS: nodeRoot(test.root), t: t}, platform(t, "arm64"), image.Options{})
			got := outcome(t, r, err)
			if len(r.Notes) > 0 {
				got += fmt.Sprintf(", %s", r.Notes)
			}
			if got != test.want {
				t.Errorf("%s, want %s\n%v", got, test.want, err)
			}
		})
	}
}

// A list tells of any number of packages at once.
func TestLockedNodePackagesCostNoRequests(t *testing.T) {
	asked := func(packages int) int {
		lines, entries := []string{"a@1:", "  dependencies:"}, []entry{depends("/app", "a"), depends(app + "a")}
		for i := range packages {
			name := fmt.Sprintf("x%d", i)
			lines, entries = append(lines, fmt.Sprintf(`    %s "1"`, name)), append(entries, depends(app+name))
		}
		r := requests{nodeRoot(append(entries, yarnLock(lines...))), &sync.Mutex{}, map[string]bool{}, new(int)}
		if r, err := image.Check(nodeConfig(nil).bytes(), r, platform(t, "arm64"), image.Options{}); err != nil || len(r.Notes) > 0 {
			t.Error(err, r.Notes)
		}
		return len(r.listed) + *r.read
	}
	if got := asked(101) - asked(1); got != 0 {
		t.Errorf("%d requests for 100 packages, want none", got)
	}
}

// What an application needs itself is looked at beside what lists tell, however much that is.
func TestManyOwnNodePackages(t *testing.T) {
	entries, names := []entry{yarnNeeds}, []string{"zz"}
	for i := range 70 {
		names = append(names, fmt.Sprintf("a%d", i))
		entries = append(entries, depends(app+names[i+1]))
	}
	entries = append(entries, depends("/app", names...), manifest(app+"zz", script()), text(app+"zz/binding.gyp", ""), lib(app+"zz/build/Release/x.node", "amd64"))
	r, err := image.Check(nodeConfig(nil).bytes(), nodeRoot(entries), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:"+app+"zz/build/Release/x.node" {
		t.Errorf("%s, notes %q", got, r.Notes)
	}
}

// What a hostile list makes of it stays bounded, and is told.
func TestManyLockedNodePackages(t *testing.T) {
	lines, entries := []string{"a@1:", "  dependencies:"}, []entry{depends("/app", "a")}
	for i := range 1100 {
		lines = append(lines, fmt.Sprintf(`    x%d "1"`, i))
	}
	for i := range 1100 {
		lines = append(lines, fmt.Sprintf("x%d@1:", i), "  dependencies:", `    nan "2"`)
	}
	r := requests{nodeRoot(append(entries, yarnLock(lines...))), &sync.Mutex{}, map[string]bool{}, new(int)}
	got, err := image.Check(nodeConfig(nil).bytes(), r, platform(t, "arm64"), image.Options{})
	if err != nil || fmt.Sprint(got.Notes) != "[/app has so many packages that not all were looked at]" {
		t.Errorf("%v, notes %q", err, got.Notes)
	}
}

// FuzzLocks holds that nothing that a list says makes addons for the right machine a fault, or fails the check.
func FuzzLocks(f *testing.F) {
	f.Add(`{"packages":{"a":["a@1","",{"dependencies":{"x":"*","../x":1,"":1}}],"a/x":["x@1","",{"dependencies":{"nan":2}}],"":[],"/":["@"],"nan":["nan@2"]}}`, false)
	f.Add("a@1:\n  dependencies:\n    x \"1\"\nx@1:\n  dependencies:\n    nan \"2\"\n", false)
	f.Add("\"a@npm:1, x@npm:1\":\n  dependencies:\n    \"@esbuild/linux-x64\": \"npm:1\"\n  dependenciesMeta:\n    \"@esbuild/linux-x64\":\n      optional: true\n", true)
	f.Add("\"\n\"\":\n :\n@:\n  requiresBuild: true\n../x@/:\n  dependencies:\n   @ @\n", true)
	f.Fuzz(func(t *testing.T, list string, packed bool) {
		entries := []entry{depends("/app", "a", "x", "@", ""), pnpmLock(list), yarnLock(list), depends(app + "a"), gyp, lib(bcrypt, "arm64"), depends(app + "x"), lib(app+"x/build/Release/x.node", "arm64"),
			text("/app/bun.lock", list), chosenFor(unplugged+"@esbuild-linux-x64-npm-1-1", "x64", "arm64"), chosenFor(pnpmStore+"@esbuild+linux-x64@1", "x64", "arm64")}
		if packed {
			entries = append(entries, pnp("a", "x"))
		}
		r, err := image.Check(nodeConfig(nil).bytes(), watched{MapFS: nodeRoot(entries), t: t}, platform(t, "arm64"), image.Options{})
		if err != nil || r.Verdict != image.Verified {
			t.Errorf("%s, %v", r.Verdict, err)
		}
	})
}
