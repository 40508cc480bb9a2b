package image_test

import (
	little "encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// published is the deps.json of a publish for an identifier, "" for a portable one: natives are "library" beside the application, or
// "identifier:library" in a folder of runtimes. Each is a package of its own, unless its name stands before the library: "Package=library".
func published(id string, natives ...string) entry {
	packages := map[string]map[string]map[string]any{"App/1.0.0": {}}
	for _, native := range natives {
		name, file, ok := strings.Cut(native, "=")
		if !ok {
			name, file = "Package", native
		}
		name += "/1.0.0"
		if packages[name] == nil {
			packages[name] = map[string]map[string]any{"native": {}, "runtimeTargets": {}}
		}
		if rid, library, ok := strings.Cut(file, ":"); ok {
			packages[name]["runtimeTargets"]["runtimes/"+rid+"/native/"+library] = map[string]string{"rid": rid, "assetType": "native"}
		} else {
			packages[name]["native"][file] = map[string]string{"fileVersion": "0.0.0.0"}
		}
	}
	target := strings.TrimSuffix(".NETCoreApp,Version=v8.0/"+id, "/")
	b, _ := json.Marshal(map[string]any{"runtimeTarget": map[string]string{"name": target}, "targets": map[string]any{".NETCoreApp,Version=v8.0": map[string]any{}, target: packages}})
	return text("/app/App.deps.json", string(b))
}

// native is a library in the folder of an identifier.
func native(id, name, arch string) entry { return lib("/app/runtimes/"+id+"/native/"+name, arch) }

// assembly is managed code for a machine, by the number that its header has, and with the flags of what was compiled ahead of time, 0 for nothing.
func assembly(name string, machine uint16, plus bool, ahead uint32) entry {
	le, b := little.LittleEndian, make([]byte, 0x400)
	copy(b, "MZ")
	b[0x3c] = 0x80
	header, optional := b[0x80:], b[0x80+24:]
	copy(header, "PE\x00\x00")
	le.PutUint16(header[4:], machine)
	le.PutUint16(header[6:], 1) // sections
	size, directories := uint16(0xe0), optional[96:]
	le.PutUint16(optional, 0x10b)
	if plus {
		size, directories = 0xf0, optional[112:]
		le.PutUint16(optional, 0x20b)
	}
	le.PutUint16(header[20:], size)
	le.PutUint32(optional[size-16*8-4:], 16)
	le.PutUint32(directories[14*8:], 0x2000)
	section := optional[size:]
	copy(section, ".text")
	for at, value := range map[int]uint32{8: 0x200, 12: 0x2000, 16: 0x200, 20: 0x200} { // its size and address in memory, and in the file
		le.PutUint32(section[at:], value)
	}
	le.PutUint32(b[0x200:], 72)
	if ahead != 0 {
		le.PutUint32(b[0x200+64:], 0x2100)
		copy(b[0x300:], "RTR\x00")
		le.PutUint32(b[0x308:], ahead)
	}
	return put(name, 0o644, b)
}

// Each row declares linux/arm64, has a right dotnet with glibc and /app/App.dll, and runs them unless it says otherwise.
var dotnetChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"managed code alone", nil, []entry{published("")}, "verified"},
	{"... without a word of what there is", nil, []entry{lib("/app/libx.so", "amd64")}, "verified"},
	{"a deps.json that cannot be read", nil, []entry{text("/app/App.deps.json", `{"targets":[1`), lib("/app/libx.so", "amd64")}, "verified"},

	{"a publish for this machine", nil, []entry{published("linux-arm64", "libSkiaSharp.so"), lib("/app/libSkiaSharp.so", "arm64")}, "verified"},
	{"a publish for another", nil, []entry{published("linux-x64", "libSkiaSharp.so"), lib("/app/libSkiaSharp.so", "amd64")}, "foreign-module:/app/libSkiaSharp.so"},
	{"... with the library in its package's folder", nil, []entry{published("linux-x64", "runtimes/linux-x64/native/libx.so"), lib("/app/libx.so", "amd64")}, "foreign-module:/app/libx.so"},
	{"... with a right library put over it", nil, []entry{published("linux-x64", "libx.so"), lib("/app/libx.so", "arm64")}, "verified"},
	{"... that is not there", nil, []entry{published("linux-x64", "libx.so")}, "verified"},
	{"... with the runtime", run("/app/App"), []entry{elf("/app/App", "arm64"), published("linux-x64", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64=libcoreclr.so", "createdump"), lib("/app/libcoreclr.so", "amd64")}, "foreign-module:/app/libcoreclr.so"},
	{"what is none of Linux", nil, []entry{published("", "x.dll", "libx.dylib"), text("/app/x.dll", "MZ"), text("/app/libx.dylib", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01")}, "verified"},

	{"a portable publish", nil, []entry{published("", "linux-x64:libx.so", "linux-arm64:libx.so", "win-x64:x.dll"), native("linux-x64", "libx.so", "amd64"), native("linux-arm64", "libx.so", "arm64")}, "verified"},
	{"... whose library for this machine is for another", nil, []entry{published("", "linux-x64:libx.so", "linux-arm64:libx.so"), native("linux-arm64", "libx.so", "amd64"), native("linux-x64", "libx.so", "amd64")}, "foreign-module:/app/runtimes/linux-arm64/native/libx.so"},
	{"... for all of Linux that is for one machine", nil, []entry{published("", "linux:libmongocrypt.so"), native("linux", "libmongocrypt.so", "amd64")}, "verified, /app/runtimes/linux/native has libmongocrypt.so for other machines alone: what needs it fails"},
	{"... as a publish for this machine has it, too", nil, []entry{published("linux-arm64", "libmongocrypt.so"), lib("/app/libmongocrypt.so", "amd64")}, "verified, /app has libmongocrypt.so for other machines alone: what needs it fails"},
	{"... but of the runtime itself", nil, []entry{published("linux-arm64", "runtimepack.Microsoft.NETCore.App.Runtime.linux-arm64=libcoreclr.so"), lib("/app/libcoreclr.so", "amd64")}, "foreign-module:/app/libcoreclr.so"},
	{"... of which another package has one for this machine", nil, []entry{published("", "linux:libx.so", "Arm=linux-arm64:libx.so"), native("linux", "libx.so", "amd64"), native("linux-arm64", "libx.so", "amd64")}, "foreign-module:/app/runtimes/linux-arm64/native/libx.so"},
	{"... for all of Linux, or one machine", nil, []entry{published("", "linux:libx.so", "linux-arm64:libx.so"), native("linux", "libx.so", "amd64"), native("linux-arm64", "libx.so", "arm64")}, "verified"},
	{"... without one for this machine", nil, []entry{published("", "linux-x64:libx.so", "win-x64:x.dll"), native("linux-x64", "libx.so", "amd64")}, "verified, /app has libx.so for other machines alone: what needs it fails"},
	{"... of which the others were removed", nil, []entry{published("", "linux-x64:libx.so", "win-x64:x.dll")}, "verified"},
	{"... which another package has", nil, []entry{published("", "linux-x64:libx.so", "Arm=linux-arm64:libx.so"), native("linux-x64", "libx.so", "amd64"), native("linux-arm64", "libx.so", "arm64")}, "verified"},
	{"... for a distribution, as older hosts know it", nil, []entry{published("", "debian.12-arm64:libx.so"), native("debian.12-arm64", "libx.so", "amd64")}, "foreign-module:/app/runtimes/debian.12-arm64/native/libx.so"},
	{"... for any Unix, or anything", nil, []entry{published("", "unix:libx.so", "Any=any:liby.so"), native("unix", "libx.so", "amd64"), native("any", "liby.so", "amd64")}, "verified, /app/runtimes/any/native has liby.so for other machines alone: what needs it fails, /app/runtimes/unix/native has libx.so for other machines alone: what needs it fails"},
	{"... whose managed code has a nearer identifier", nil, []entry{text("/app/App.deps.json", `{"runtimeTarget":{"name":"x"},"targets":{"x":{"a":{"runtimeTargets":{"a.dll":{"rid":"linux-arm64","assetType":"runtime"},"libx.so":{"rid":"linux","assetType":"native"}}}}}}`), lib("/app/libx.so", "amd64")}, "verified, /app has libx.so for other machines alone: what needs it fails"},
	{"... for Android", nil, []entry{published("", "android-arm64:libx.so"), native("android-arm64", "libx.so", "amd64")}, "verified, /app has libx.so for other machines alone: what needs it fails"},
	{"musl's, which glibc's host passes over", nil, []entry{published("", "linux-musl-arm64:libx.so", "linux-arm64:libx.so"), native("linux-musl-arm64", "libx.so", "amd64"), native("linux-arm64", "libx.so", "arm64")}, "verified"},
	{"... and musl's takes", nil, []entry{musl("arm64"), muslProgram("/usr/bin/dotnet", "arm64"), published("", "linux-musl-arm64:libx.so", "linux-arm64:libx.so"), native("linux-musl-arm64", "libx.so", "amd64"), native("linux-arm64", "libx.so", "arm64")}, "foreign-module:/app/runtimes/linux-musl-arm64/native/libx.so"},
	{"... which goes on with glibc's", nil, []entry{musl("arm64"), muslProgram("/usr/bin/dotnet", "arm64"), published("", "linux-arm64:libx.so"), native("linux-arm64", "libx.so", "amd64")}, "foreign-module:/app/runtimes/linux-arm64/native/libx.so"},

	{"code for any machine", nil, []entry{assembly("/app/App.dll", 0x14c, false, 0)}, "verified"},
	{"code for this machine", nil, []entry{assembly("/app/App.dll", 0xaa64, true, 0)}, "verified"},
	{"code for another, as -r says it", nil, []entry{assembly("/app/App.dll", 0x8664, true, 0)}, "foreign-module:/app/App.dll"},
	{"... of 32 bits", nil, []entry{assembly("/app/App.dll", 0x1c4, false, 0)}, "foreign-module:/app/App.dll"},
	{"... compiled ahead of time", nil, []entry{assembly("/app/App.dll", 0x8664^0x7b79, true, 2)}, "foreign-module:/app/App.dll"},
	{"... and from code for any, which is compiled anew", nil, []entry{assembly("/app/App.dll", 0x8664^0x7b79, true, 3)}, "verified"},
	{"code for this machine, compiled ahead of time", nil, []entry{assembly("/app/App.dll", 0xaa64^0x7b79, true, 2)}, "verified"},
	{"what is no managed code", nil, []entry{text("/app/App.dll", "MZ"+strings.Repeat("\x00", 58)+"\x40\x00\x00\x00PE\x00\x00\x64\x86"+strings.Repeat("\x00", 100))}, "verified"},
	{"a library of another machine's code", nil, []entry{assembly("/app/x.dll", 0x8664, true, 0)}, "verified"},

	{"a profiler for another machine", run("dotnet", "/app/App.dll").and("Env", []string{"CORECLR_ENABLE_PROFILING=1", "CORECLR_PROFILER_PATH=/opt/linux-x64/p.so"}), []entry{lib("/opt/linux-x64/p.so", "amd64")}, "verified, CORECLR_PROFILER_PATH names /opt/linux-x64/p.so, which is amd64 (x86-64, 64-bit little-endian): programs start without it"},
	{"... that is not there", run("dotnet", "/app/App.dll").and("Env", []string{"CORECLR_ENABLE_PROFILING=1", "CORECLR_PROFILER_PATH_64=/opt/p.so"}), nil, "verified, CORECLR_PROFILER_PATH_64 names /opt/p.so, which is not in the image: programs start without it"},
	{"... beside this machine's", run("dotnet", "/app/App.dll").and("Env", []string{"CORECLR_ENABLE_PROFILING=1", "CORECLR_PROFILER_PATH_64=/opt/linux-x64/p.so", "CORECLR_PROFILER_PATH_ARM64=/opt/linux-arm64/p.so"}), []entry{lib("/opt/linux-x64/p.so", "amd64"), lib("/opt/linux-arm64/p.so", "arm64")}, "verified"},
	{"... that is not asked for", run("dotnet", "/app/App.dll").and("Env", []string{"CORECLR_PROFILER_PATH=/opt/linux-x64/p.so"}), []entry{lib("/opt/linux-x64/p.so", "amd64")}, "verified"},

	{"options before the application", run("dotnet", "--roll-forward", "Major", "exec", "--depsfile", "x", "--runtimeconfig", "x.dll", "App.dll", "y.dll").and("WorkingDir", "/app"), []entry{published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "foreign-module:/app/libx.so"},
	{"behind a link", run("dotnet", "/App.dll"), []entry{link("/App.dll", "/app/App.dll"), published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "foreign-module:/app/libx.so"},
	{"the application's own host", run("/bin/app"), []entry{link("/bin/app", "/app/App"), elf("/app/App", "arm64"), published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "foreign-module:/app/libx.so"},
	{"what only the running system knows", sh("dotnet $(cat /run/app).dll"), []entry{busybox("arm64"), published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "verified"},
	{"a command of dotnet's own", run("dotnet", "test").and("WorkingDir", "/app"), []entry{published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "verified"},
	{"a health check's application", run("/x").and("Healthcheck", test("dotnet", "/app/App.dll")), []entry{elf("/x", "arm64"), published("linux-x64", "libx.so"), lib("/app/libx.so", "amd64")}, "foreign-module:/app/libx.so"},
}

func TestDotnetLibraries(t *testing.T) {
	for _, test := range dotnetChecks {
		t.Run(test.name, func(t *testing.T) {
			if test.config == nil {
				test.config = run("dotnet", "/app/App.dll")
			}
			root := rootOf(append([]entry{elf("/usr/bin/dotnet", "arm64"), text("/app/App.dll", "MZ")}, test.root...)...)
			r, err := image.Check(test.config.bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
			if got := strings.Join(append([]string{outcome(t, r, err)}, r.Notes...), ", "); got != test.want {
				t.Errorf("%s, want %s\n%v", got, test.want, err)
			}
		})
	}
}

// What other runtimes than Microsoft's make of such code nobody tells.
func TestDotnetElsewhere(t *testing.T) {
	root := rootOf(elf("/usr/bin/dotnet", "riscv64"), assembly("/app/App.dll", 0x8664, true, 0))
	r, err := image.Check(run("dotnet", "/app/App.dll").bytes(), root, platform(t, "riscv64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzDotnet holds that nothing that is written down about an application fails the check, or makes a library for the right machine a fault.
func FuzzDotnet(f *testing.F) {
	code := rootOf(assembly("/x", 0x8664, true, 2))["x"].Data
	f.Add(code, `{"runtimeTarget":{"name":"x"},"targets":{"x":{"a":{"native":{"libx.so":{}},"runtimeTargets":{"b/libx.so":{"rid":"linux-x64","assetType":"native"}}}}}}`)
	f.Add(code[:0x210], `{"runtimeTarget":{"name":"x"},"targets":{"x":[{"native":["libx.so"]}]}}`)
	f.Add(code[:0x90], `{"runtimeTarget":"x","targets":{"x":{"a":{"native":{"../../\u0000":1,"libx.so":0}}}}}`)
	f.Fuzz(func(t *testing.T, code []byte, deps string) {
		root := rootOf(elf("/usr/bin/dotnet", "arm64"), put("/app/App.dll", 0o644, code), text("/app/App.deps.json", deps), lib("/app/libx.so", "arm64"))
		r, err := image.Check(run("dotnet", "/app/App.dll").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != "verified" && got != "foreign-module:/app/App.dll" {
			t.Errorf("%s, %v", got, err)
		}
	})
}
