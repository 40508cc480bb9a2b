package image_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

const site = "/usr/local/lib/python3.11/site-packages/"

// python is an interpreter as the python images have it.
func python(arch string) entry {
	return func(root fstest.MapFS) {
		elf("/usr/local/bin/python3.11", arch)(root)
		link("/usr/local/bin/python3", "python3.11")(root)
		link("/usr/local/bin/python", "python3")(root)
	}
}

// uv is a program, other project tools are scripts.
func uv(root fstest.MapFS) { elf("/usr/local/bin/uv", "arm64")(root) }

// venv is a virtual environment with a foreign package.
func venv(prefix string) entry {
	return func(root fstest.MapFS) {
		link(prefix+"bin/python", "/usr/local/bin/python3")(root)
		text(prefix+"pyvenv.cfg", "home = /usr/local/bin\n")(root)
		wheel(prefix+"lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")(root)
	}
}

// test is a health check.
func test(words ...string) map[string]any {
	return map[string]any{"Test": append([]string{"CMD"}, words...)}
}

// standard is of the standard library.
func standard(root fstest.MapFS) {
	text("/usr/local/lib/python3.11/http/server.py", "")(root)
	text("/usr/local/lib/python3.11/pdb.py", "")(root)
}

// wheel is a package that pip has installed for a tag's platform into a folder, with these files for machines: "numpy/_core.abi3.so arm64".
func wheel(folder, name, tag string, files ...string) entry {
	return func(root fstest.MapFS) {
		record := name + "/__init__.py,sha256=x,0\n"
		for _, f := range files {
			file, arch, _ := strings.Cut(f, " ")
			record += file + ",sha256=x,100\n"
			switch arch {
			case "":
			case "macos":
				text(folder+file, "\xcf\xfa\xed\xfe\x0c\x00\x00\x01")(root)
			case "windows":
				text(folder+file, "MZ"+strings.Repeat("\x00", 58)+"\x40\x00\x00\x00PE\x00\x00\x64\xaa")(root)
			case "text":
				text(folder+file, "INPUT(x)")(root)
			default:
				lib(folder+file, arch)(root)
			}
		}
		info := folder + name + "-1.0.dist-info/"
		text(info+"WHEEL", "Wheel-Version: 1.0\nGenerator: bdist_wheel (0.45.1)\nRoot-Is-Purelib: false\nTag: "+tag+"\n")(root)
		text(info+"RECORD", record+name+"-1.0.dist-info/RECORD,,\n")(root)
	}
}

const (
	armTag  = "cp311-cp311-manylinux_2_17_aarch64"
	amdTag  = "cp311-cp311-manylinux_2_17_x86_64"
	armName = ".cpython-311-aarch64-linux-gnu.so"
	amdName = ".cpython-311-x86_64-linux-gnu.so"
)

// roots are two folders of modules.
var roots = []string{"PYTHONPATH=/a:/b"}

// twice are modules of which each is there for either machine.
func twice(name string, n int) (files []string) {
	for i := range n {
		files = append(files, fmt.Sprintf("%s%d%s amd64", name, i, amdName), fmt.Sprintf("%s%d%s arm64", name, i, armName))
	}
	return files
}

// Each row declares linux/arm64 and has a right Python.
var pythonChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	// Truth.
	{"no packages", run("python", "/app.py"), nil, "verified"},
	{"a right wheel", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+armName+" arm64")}, "verified"},
	{"a wheel that is labelled wrongly", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so arm64")}, "verified"},
	{"a wheel for any platform that brings libraries of one", run("python", "/app.py"), []entry{wheel(site, "debugpy", "py2-none-any\nTag: py3-none-any", "debugpy/attach_linux_amd64.so amd64", "debugpy/attach_linux_x86.so 386")}, "verified"},
	{"libraries for several machines", run("python", "/app.py"), []entry{wheel(site, "tls", amdTag, "tls/tls-amd64.so amd64", "tls/tls-arm64.so arm64", "tls/tls.dll windows", "tls/tls.dylib macos")}, "verified"},
	{"a module for each of two machines", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" amd64", "x/_x"+armName+" arm64")}, "verified"},
	{"a folder for each of two machines", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/amd64/_x"+amdName+" amd64", "x/arm64/_x"+armName+" arm64")}, "verified"},
	{"a module of a name in another folder of its package", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/sub/_x"+amdName+" amd64", "x/_x"+armName+" arm64")}, "foreign-module:" + site + "x/sub/_x" + amdName},
	{"... in one beside it", run("python", "/app.py"), []entry{wheel(site, "scipy", armTag, "scipy/fft/_impl"+amdName+" amd64", "scipy/linalg/_impl"+armName+" arm64")}, "foreign-module:" + site + "scipy/fft/_impl" + amdName},
	{"... of another application's package", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), text("/app/fft/__init__.py", ""), lib("/app/fft/_impl"+amdName, "amd64"), text("/app/linalg/__init__.py", ""), lib("/app/linalg/_impl"+armName, "arm64")}, "foreign-module:/app/fft/_impl" + amdName},
	{"... behind many that are there twice", run("python", "/app.py"), []entry{wheel(site, "x", armTag, append(twice("x/_x", 9), "x/z/_z"+amdName+" amd64")...)}, "foreign-module:" + site + "x/z/_z" + amdName},
	{"a namespace package on two roots", run("python").and("Env", roots), []entry{wheel("/a/", "x-amd", amdTag, "x/_x"+amdName+" amd64"), wheel("/b/", "x-arm", armTag, "x/_x"+armName+" arm64")}, "verified"},
	{"... of which one is a package of its own", run("python").and("Env", roots), []entry{text("/a/x/__init__.py", ""), wheel("/a/", "x-amd", amdTag, "x/_x"+amdName+" amd64"), wheel("/b/", "x-arm", armTag, "x/_x"+armName+" arm64")}, "foreign-module:/a/x/_x" + amdName},
	{"... whose first one has what Python takes", run("python").and("Env", roots), []entry{wheel("/a/", "x-amd", amdTag, "x/_x.abi3.so amd64"), wheel("/b/", "x-arm", armTag, "x/_x"+armName+" arm64")}, "foreign-module:/a/x/_x.abi3.so"},
	{"... with another module on each", run("python").and("Env", roots), []entry{wheel("/a/", "x-amd", amdTag, "x/_x"+amdName+" amd64"), wheel("/b/", "x-arm", armTag, "x/_y"+armName+" arm64", "y/_x"+armName+" arm64")}, "foreign-module:/a/x/_x" + amdName},
	{"a module on two roots", run("python").and("Env", roots), []entry{lib("/a/_x"+amdName, "amd64"), lib("/b/_x"+armName, "arm64")}, "verified"},
	{"modules that hold what the other's name says", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" arm64", "x/_x"+armName+" amd64")}, "foreign-module:" + site + "x/_x" + armName},
	{"a module that holds what the other's name says, over another installation", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+armName+" amd64"), lib(site+"x/_x"+amdName, "arm64")}, "foreign-module:" + site + "x/_x" + armName},
	{"one installation over another", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" amd64"), lib(site+"x/_x"+armName, "arm64")}, "verified"},
	{"... that has less", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" amd64", "x/_y"+amdName+" amd64"), lib(site+"x/_x"+armName, "arm64")}, "foreign-module:" + site + "x/_y" + amdName},
	{"musl beside glibc", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x.cpython-311-aarch64-linux-musl.so arm64", "x/_x"+armName+" arm64")}, "verified"},
	{"another system's modules beside its own", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x.abi3.so macos", "x/_y.abi3.so arm64")}, "verified"},
	{"files that are gone", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so", "x/_y.abi3.so text")}, "verified"},
	{"test data", run("python", "/app.py"), []entry{wheel(site, "elf", armTag, "elf/_x.abi3.so arm64", "elf/tests/foo.so amd64", "elf/tests/a.abi3.so amd64")}, "verified"},
	{"a program of a wheel", run("python", "/app.py"), []entry{wheel(site, "ruff", amdTag, "../../../../opt/ruff amd64", "/opt/ruff.so amd64")}, "verified"},
	{"another Python's packages", run("python", "/app.py"), []entry{wheel("/usr/local/lib/python3.12/site-packages/", "x", amdTag, "x/_x.abi3.so amd64"), wheel("/venv/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"Python is not run", run("/app"), []entry{elf("/app", "arm64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"Python runs as health check alone", run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "python", "-c", "1"}}), []entry{elf("/app", "arm64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"packages that come first for the right machine", run("python").and("Env", []string{"PYTHONPATH=/vendor/a:/vendor/b"}), []entry{wheel("/vendor/a/", "x", armTag, "x/_x.abi3.so arm64"), wheel("/vendor/b/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"packages that come first for another machine", run("python").and("Env", []string{"PYTHONPATH=/vendor"}), []entry{wheel(site, "x", armTag, "x/_x.abi3.so arm64"), wheel("/vendor/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/vendor/x/_x.abi3.so"},
	{"a PYTHONPATH that may be another", sh("[ $X ] && export PYTHONPATH=/a; python").and("Env", []string{"PYTHONPATH=/b"}), []entry{busybox("arm64"), wheel("/a/", "x", armTag, "x/_x.abi3.so arm64"), wheel("/b/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"the root is no folder of modules", run("python", "/app.py"), []entry{text("/app.py", ""), lib("/x"+amdName, "amd64")}, "verified"},
	{"a folder of programs is none", run("/usr/local/bin/gunicorn"), []entry{exe("/usr/local/bin/gunicorn", "#!/usr/local/bin/python\n"), lib("/usr/local/bin/x"+amdName, "amd64")}, "verified"},
	{"a folder instead of a file", run("python", "/app.py"), []entry{dir(site + "x-1.dist-info/RECORD"), dir(site + "x-1.dist-info/WHEEL"), dir(site + "x.abi3.so"), text(site+"y-1.dist-info", "")}, "verified"},
	{"a folder named as a module", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so"), dir(site + "x/_x.abi3.so")}, "verified"},
	{"libraries of an application", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), lib("/app/libs/firmware.so", "amd64"), lib("/app/x.so", "amd64")}, "verified"},
	{"folders for several machines under other names", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), lib("/app/intel/x"+amdName, "amd64"), lib("/app/graviton/x"+armName, "arm64")}, "verified"},
	{"another module of a name in another folder", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), lib("/app/intel/x"+amdName, "amd64"), lib("/app/graviton/y"+armName, "arm64")}, "foreign-module:/app/intel/x" + amdName},
	{"folders for several machines", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), lib("/app/for_x86_64/x"+amdName, "amd64"), lib("/app/aarch64/x"+armName, "arm64")}, "verified"},
	{"tests of an application", run("python", "/app/main.py"), []entry{text("/app/main.py", ""), lib("/app/tests/x"+amdName, "amd64")}, "verified"},
	{"a wheel whose one library is what its tests read", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/tests/foo.so amd64")}, "verified"},
	{"a server of the standard library, over foreign modules", run("python", "-m", "http.server").and("WorkingDir", "/srv"), []entry{standard, lib("/srv/y"+amdName, "amd64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"what a wheel for any machine brings, beside a package without wheel", run("python", "/app.py"), []entry{wheel(site, "y", "py3-none-any"), dir(site + "z.egg-info"), lib(site+"y/_y"+amdName, "amd64")}, "verified"},

	{"a module over its source", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/md"+amdName+" amd64", "x/_md"+amdName+" amd64"), text(site+"x/md.py", ""), text(site+"x/_md.py", "")}, "verified"},
	{"... and what mypyc has them share", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/md"+amdName+" amd64", "81d243bd__mypyc"+amdName+" amd64", "x/md__mypyc"+amdName+" amd64"), text(site+"x/md.py", "")}, "verified"},
	{"... of an application", run("python", "main.py").and("WorkingDir", "/app"), []entry{text("/app/main.py", ""), lib("/app/pkg/fast"+amdName, "amd64"), text("/app/pkg/fast.py", ""), lib("/app/fast"+amdName, "amd64"), text("/app/fast.py", ""), lib("/app/81d243bd__mypyc"+amdName, "amd64")}, "verified"},
	{"... where another module has none", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/md"+amdName+" amd64", "x/z"+amdName+" amd64"), text(site+"x/md.py", "")}, "foreign-module:" + site + "x/z" + amdName},
	{"... that is recorded and gone", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/md"+amdName+" amd64", "x/md.py")}, "foreign-module:" + site + "x/md" + amdName},
	{"... that Python does not pass over", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/md.abi3.so amd64"), text(site+"x/md.py", "")}, "foreign-module:" + site + "x/md.abi3.so"},
	{"... whose name is right", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/md"+armName+" amd64"), text(site+"x/md.py", "")}, "foreign-module:" + site + "x/md" + armName},
	{"what mypyc has modules share that fit", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/md"+armName+" arm64", "x/_md"+amdName+" amd64", "81d243bd__mypyc"+amdName+" amd64"), text(site+"x/md.py", ""), text(site+"x/_md.py", "")}, "foreign-module:" + site + "81d243bd__mypyc" + amdName},
	{"... that nobody knows", run("python", "/app.py"), []entry{lib(site+"81d243bd__mypyc"+amdName, "amd64")}, "foreign-module:" + site + "81d243bd__mypyc" + amdName},

	// Lies.
	{"data of a wheel for any machine that says much", run("python", "/app.py"), []entry{wheel(site, "x", "py2-none-any\nTag: py3-none-any", "x/_x.abi3.so amd64")}, "verified"},
	{"... beside the packages", run("python", "/app.py"), []entry{wheel(site, "x", "py2-none-any\nTag: py3-none-any", "_x.abi3.so amd64")}, "verified"},
	{"a foreign wheel that says little", run("python", "/app.py"), []entry{wheel(site, "x", "cp39-abi3-linux_i686", "x/_x.abi3.so amd64"), text(site+"x-1.0.dist-info/WHEEL", "Tag: cp39-abi3-linux_x86_64\n")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"a foreign wheel", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" amd64")}, "foreign-module:" + site + "x/_x" + amdName},
	{"a foreign wheel among right ones", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so amd64"), wheel(site, "a", armTag, "a/_a.abi3.so arm64"), wheel(site, "z", "py3-none-any")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"a foreign wheel that says that it is right", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x.abi3.so amd64")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"foreign modules over right libraries", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x.abi3.so amd64", "x.libs/libz.so.1 arm64")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"a foreign library that is opened by name", run("python", "/app.py"), []entry{wheel(site, "xgb", "py3-none-manylinux_2_28_x86_64", "xgb/lib/libxgb.so.1 amd64")}, "foreign-module:" + site + "xgb/lib/libxgb.so.1"},
	{"a macOS wheel", run("python", "/app.py"), []entry{wheel(site, "x", "cp311-cp311-macosx_11_0_arm64", "x/_x.cpython-311-darwin.so macos")}, "foreign-module:" + site + "x/_x.cpython-311-darwin.so"},
	{"a module beside the packages", run("python", "/app.py"), []entry{wheel(site, "z", "py3-none-any"), lib(site+"_y"+amdName, "amd64")}, "foreign-module:" + site + "_y" + amdName},
	{"a package without wheel", run("python", "/app.py"), []entry{lib("/usr/local/lib/python3.11/dist-packages/y/_y"+amdName, "amd64"), dir("/usr/local/lib/python3.11/dist-packages/y.egg-info")}, "foreign-module:/usr/local/lib/python3.11/dist-packages/y/_y" + amdName},
	{"... beside wheels", run("python", "/app.py"), []entry{wheel(site, "z", "py3-none-any"), dir(site + "y.egg-info"), lib(site+"y/_y"+amdName, "amd64")}, "foreign-module:" + site + "y/_y" + amdName},
	{"modules of a server of the standard library", run("python", "-uIm", "http.server"), []entry{standard, lib("/usr/local/lib/python3.11/lib-dynload/math"+amdName, "amd64")}, "foreign-module:/usr/local/lib/python3.11/lib-dynload/math" + amdName},
	{"a module that is called as one of the standard library", run("python", "-mhttp").and("WorkingDir", "/srv"), []entry{standard, lib("/srv/http/y"+amdName, "amd64")}, "foreign-module:/srv/http/y" + amdName},
	{"a module of the standard library that runs another", run("python", "-m", "pdb", "/app.py"), []entry{standard, wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"the standard library", run("python", "/app.py"), []entry{lib("/usr/local/lib/python3.11/lib-dynload/math"+amdName, "amd64")}, "foreign-module:/usr/local/lib/python3.11/lib-dynload/math" + amdName},
	{"a foreign module beside another that fits", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+amdName+" amd64", "x/_y"+armName+" arm64")}, "foreign-module:" + site + "x/_x" + amdName},
	{"two foreign modules", run("python", "/app.py"), []entry{wheel(site, "x", amdTag, "x/_x"+amdName+" amd64", "x/_y"+amdName+" amd64")}, "foreign-module:" + site + "x/_x" + amdName},
	{"... and libraries named after machines", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/a.x86_64.so amd64", "x/b.aarch64.so arm64")}, "verified"},
	{"... without wheel", run("python", "/app.py"), []entry{lib(site+"x/_x"+amdName, "amd64"), lib(site+"x/_y"+armName, "arm64")}, "foreign-module:" + site + "x/_x" + amdName},
	{"... of a name that is a machine's, and no tag", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x64.abi3.so amd64", "x/_y"+armName+" arm64")}, "verified"},
	{"... beside its own of the right machine", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+amdName+" amd64", "x/_y"+armName+" arm64"), lib(site+"x/_x"+armName, "arm64")}, "verified"},
	{"... in another folder", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/a/_x"+amdName+" amd64", "x/b/_x"+armName+" arm64", "x/_y"+armName+" arm64")}, "foreign-module:" + site + "x/a/_x" + amdName},
	{"... for any version of Python", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+amdName+" amd64", "x/_x.abi3.so arm64", "x/_y"+armName+" arm64")}, "verified"},
	{"... that was cross-built and named after its builder", run("python", "/app.py"), []entry{wheel(site, "x", armTag, "x/_x"+amdName+" arm64", "x/_y"+armName+" arm64")}, "verified"},
	{"two of one package", run("python"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so amd64", "x/_y.abi3.so amd64")}, "foreign-module:" + site + "x/_x.abi3.so"},

	// Where Python looks.
	{"the user's packages", run("python"), []entry{wheel("/root/.local/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/root/.local/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of HOME", run("python").and("Env", []string{"HOME=/h"}), []entry{wheel("/h/.local/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/h/.local/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of USER", run("python").and("User", "me:me"), []entry{wheel("/home/me/.local/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/home/me/.local/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of a HOME that a text may change", sh("[ $X ] && export HOME=/x; python").and("Env", []string{"HOME=/h"}), []entry{busybox("arm64"), wheel("/h/.local/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/h/.local/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... not with -s", run("python", "-us"), []entry{wheel("/root/.local/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"no packages with -S", run("python", "-S"), []entry{wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"pip install --target beside the script", run("python", "main.py").and("WorkingDir", "/app"), []entry{text("/app/main.py", ""), wheel("/app/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/app/x/_x.abi3.so"},
	{"the folder of the script behind a link", run("python", "-W", "ignore", "-Xfrozen_modules=off", "/main.py"), []entry{link("/main.py", "/opt/a/main.py"), text("/opt/a/main.py", ""), lib("/opt/a/y"+amdName, "amd64")}, "foreign-module:/opt/a/y" + amdName},
	{"a folder as script", run("python", "--check-hash-based-pycs", "never", "--", "/opt/a"), []entry{lib("/opt/a/y"+amdName, "amd64")}, "foreign-module:/opt/a/y" + amdName},
	{"the working folder of -m", run("python", "-um", "mine").and("WorkingDir", "/app"), []entry{lib("/app/mine/y"+amdName, "amd64")}, "foreign-module:/app/mine/y" + amdName},
	{"neither with -I", run("python", "-I", "/app/main.py").and("Env", []string{"PYTHONPATH=/app"}), []entry{text("/app/main.py", ""), lib("/app/y"+amdName, "amd64")}, "verified"},
	{"a PYTHONPATH of which a part is not known", sh("export PYTHONPATH=/vendor:$PYTHONPATH; exec python"), []entry{busybox("arm64"), wheel("/vendor/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/vendor/x/_x.abi3.so"},
	{"PYTHONPATH", run("python").and("Env", []string{"PYTHONPATH=/x:/vendor"}), []entry{wheel("/vendor/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/vendor/x/_x.abi3.so"},
	{"PYTHONPATH of a text", sh("export PYTHONPATH=/vendor; exec python x.py"), []entry{busybox("arm64"), wheel("/vendor/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/vendor/x/_x.abi3.so"},
	{"PYTHONPATH for each machine", sh("PYTHONPATH=/vendor/$(uname -m) python x.py"), []entry{busybox("arm64"), wheel("/vendor/x86_64/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"PYTHONPATH that is not heard", run("python", "-E").and("Env", []string{"PYTHONPATH=/vendor"}), []entry{wheel("/vendor/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"PYTHONHOME", run("python").and("Env", []string{"PYTHONHOME=/py"}), []entry{wheel("/py/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/py/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"PYTHONHOME that is not heard", run("python", "-E").and("Env", []string{"PYTHONHOME=/py"}), []entry{wheel("/py/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"a folder that a .pth file adds", run("python"), []entry{text(site+"__editable__.y.pth", "# x\nimport os\n\n/opt/src\n"), lib("/opt/src/y"+amdName, "amd64")}, "foreign-module:/opt/src/y" + amdName},
	{"an egg", run("python"), []entry{text(site+"easy-install.pth", "./y-1.0-py3.11-linux-x86_64.egg"), lib(site+"y-1.0-py3.11-linux-x86_64.egg/y/_y"+amdName, "amd64")}, "foreign-module:" + site + "y-1.0-py3.11-linux-x86_64.egg/y/_y" + amdName},
	{"lib64", run("python"), []entry{wheel("/usr/local/lib64/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/usr/local/lib64/python3.11/site-packages/x/_x.abi3.so"},
	{"Debian's Python", run("/usr/bin/python3"), []entry{link("/usr/bin/python3", "python3.13t"), elf("/usr/bin/python3.13t", "arm64"), lib("/usr/lib/python3/dist-packages/y/_y.cpython-313-x86_64-linux-gnu.so", "amd64")}, "foreign-module:/usr/lib/python3/dist-packages/y/_y.cpython-313-x86_64-linux-gnu.so"},
	{"PyPy", run("/opt/bin/pypy3"), []entry{link("/opt/bin/pypy3", "pypy3.9"), elf("/opt/bin/pypy3.9", "arm64"), wheel("/opt/lib/pypy3.9/site-packages/", "x", amdTag, "x/_x.pypy39-pp73-x86_64-linux-gnu.so amd64")}, "foreign-module:/opt/lib/pypy3.9/site-packages/x/_x.pypy39-pp73-x86_64-linux-gnu.so"},
	{"a virtual environment", run("python").and("Env", []string{"PATH=/venv/bin:/usr/local/bin"}), []entry{link("/venv/bin/python", "/usr/local/bin/python3"), text("/venv/pyvenv.cfg", "home = /usr/local/bin\n"), wheel("/venv/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... by a script of it", run("/venv/bin/flask"), []entry{exe("/venv/bin/flask", "#!/venv/bin/python\n"), link("/venv/bin/python", "/usr/local/bin/python3"), text("/venv/pyvenv.cfg", "home = /usr/local/bin\n"), wheel("/venv/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... has no part in the installation's packages", run("/venv/bin/python"), []entry{link("/venv/bin/python", "/usr/local/bin/python3"), text("/venv/pyvenv.cfg", "home = /usr/local/bin\ninclude-system-site-packages = false\n"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"... and none with -S", run("/venv/bin/python", "-S"), []entry{link("/venv/bin/python", "/usr/local/bin/python3"), text("/venv/pyvenv.cfg", "home = /usr/local/bin\n"), wheel("/venv/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "verified"},
	{"... unless it says so", run("/venv/bin/python"), []entry{link("/venv/bin/python", "/usr/local/bin/python3"), text("/venv/bin/pyvenv.cfg", "include-system-site-packages = True\n"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"... with a copied interpreter", run("/venv/bin/python3"), []entry{elf("/venv/bin/python3", "arm64"), text("/venv/pyvenv.cfg", "version = 3.11.2\n"), wheel("/venv/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"uv run", run("uv", "run", "--no-sync", "main.py").and("WorkingDir", "/app"), []entry{uv, venv("/app/.venv/")}, "foreign-module:/app/.venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of a module, in a project above", run("uv", "run", "--with", "a", "-m", "mine").and("WorkingDir", "/app/src"), []entry{uv, venv("/app/.venv/")}, "foreign-module:/app/.venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of a program, in a project elsewhere", run("uv", "--directory", "/app", "run", "flask"), []entry{uv, venv("/app/.venv/"), exe("/app/.venv/bin/flask", "#!/app/.venv/bin/python\n")}, "foreign-module:/app/.venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... in an environment that the image names", run("uv", "run", "python").and("Env", []string{"UV_PROJECT_ENVIRONMENT=/venv"}), []entry{uv, venv("/venv/")}, "foreign-module:/venv/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... of what is not there yet", run("uv", "run", "flask").and("WorkingDir", "/app"), []entry{uv, dir("/app")}, "verified"},
	{"uv for something else", run("uv", "pip", "list").and("WorkingDir", "/app"), []entry{uv, venv("/app/.venv/")}, "verified"},
	{"poetry run", run("poetry", "run", "python", "x.py"), []entry{exe("/usr/local/bin/poetry", "#!/usr/local/bin/python\n"), venv("/root/.cache/pypoetry/virtualenvs/app-3f-py3.11/")}, "foreign-module:/root/.cache/pypoetry/virtualenvs/app-3f-py3.11/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... where another project's environment is, too", run("poetry", "run", "python", "x.py"), []entry{exe("/usr/local/bin/poetry", "#!/usr/local/bin/python\n"), venv("/root/.cache/pypoetry/virtualenvs/app-3f-py3.11/"), venv("/root/.cache/pypoetry/virtualenvs/x-1d-py3.11/")}, "verified"},
	{"pipenv run", run("pipenv", "run", "python", "x.py"), []entry{exe("/usr/local/bin/pipenv", "#!/usr/local/bin/python\n"), venv("/root/.local/share/virtualenvs/app-3f/")}, "foreign-module:/root/.local/share/virtualenvs/app-3f/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"pdm run without an environment", run("pdm", "run", "/opt/tool"), []entry{elf("/usr/local/bin/pdm", "arm64"), elf("/opt/tool", "amd64")}, "foreign:/opt/tool"},
	{"conda run", run("conda", "run", "-n", "web", "python", "x.py"), []entry{elf("/opt/conda/bin/python3.11", "arm64"), exe("/opt/conda/bin/conda", "#!/opt/conda/bin/python3.11\n"), link("/usr/local/bin/conda", "/opt/conda/bin/conda"), elf("/opt/conda/envs/web/bin/python3.11", "arm64"), link("/opt/conda/envs/web/bin/python", "python3.11"), wheel("/opt/conda/envs/web/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/opt/conda/envs/web/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"a Python that does not tell its version", run("/opt/python3"), []entry{elf("/opt/python3", "arm64")}, "verified"},
	{"a health check's own packages", run("/app").and("Healthcheck", test("python", "/hc/check.py")), []entry{elf("/app", "arm64"), text("/hc/check.py", ""), wheel("/hc/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:/hc/x/_x.abi3.so"},
	{"... in a virtual environment", run("python", "/app.py").and("Healthcheck", test("/hc/bin/python", "-m", "mine")), []entry{venv("/hc/")}, "foreign-module:/hc/lib/python3.11/site-packages/x/_x.abi3.so"},
	{"... behind what the application finds, too", run("python", "/app.py").and("Env", []string{"PYTHONPATH=/vendor"}).and("Healthcheck", test("/hc/bin/python", "/check.py")), []entry{venv("/hc/"), wheel("/vendor/", "x", armTag, "x/_x.abi3.so arm64")}, "verified"},
	{"... of a text", run("/app").and("Healthcheck", test("/hc/bin/python", "-c", "import x")), []entry{elf("/app", "arm64"), venv("/hc/")}, "verified"},
	{"behind an entrypoint script", run("/entry.sh", "python", "x.py"), []entry{busybox("arm64"), exe("/entry.sh", "#!/bin/sh\nexec \"$@\"\n"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64")}, "foreign-module:" + site + "x/_x.abi3.so"},
	{"a foreign Python says it all", run("/opt/bin/python3.11"), []entry{elf("/opt/bin/python3.11", "386"), wheel("/opt/lib/python3.11/site-packages/", "x", amdTag, "x/_x.abi3.so amd64")}, "foreign:/opt/bin/python3.11"},
}

func TestPythonModules(t *testing.T) {
	for _, test := range pythonChecks {
		t.Run(test.name, func(t *testing.T) {
			root := watched{MapFS: rootOf(append(test.root, python("arm64"))...), t: t}
			r, err := image.Check(test.config.bytes(), root, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

func TestForeignModuleIsToldAndCanBeAllowed(t *testing.T) {
	root := rootOf(python("arm64"), wheel(site, "markupsafe", amdTag, "markupsafe/_speedups"+amdName+" amd64"))
	_, err := image.Check(run("python").bytes(), root, platform(t, "arm64"), image.Options{})
	file := site + "markupsafe/_speedups" + amdName
	want := file + " is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64, and /usr/local/bin/python3.11 finds no other module of markupsafe: " +
		"install it in a stage for linux/arm64, or with pip's --platform, or allow it with ALLOW_FOREIGN=" + file
	if err == nil || err.Error() != want {
		t.Errorf("says\n%v\nwant\n%s", err, want)
	}
	r, err := image.Check(run("python").bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: []string{site}})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) != 1 {
		t.Errorf("%s, %q", got, r.Notes)
	}
}

// requests counts what an engine is asked through its API: a folder is listed once, a file is read anew.
type requests struct {
	fstest.MapFS
	mu     *sync.Mutex
	listed map[string]bool
	read   *int
}

func (r requests) list(dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed[dir] = true
}

func (r requests) Lstat(name string) (fs.FileInfo, error) {
	r.list(path.Dir(name))
	return r.MapFS.Lstat(name)
}

func (r requests) ReadDir(name string) ([]fs.DirEntry, error) {
	r.list(name)
	return r.MapFS.ReadDir(name)
}

func (r requests) Open(name string) (fs.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*r.read++
	return r.MapFS.Open(name)
}

// A request takes an engine milliseconds, and many images have a hundred packages.
func TestPackagesCostFewRequests(t *testing.T) {
	for _, test := range []struct {
		name, tag string
		files     []string
		want      int // for each package
	}{
		{"a wheel for any machine: its folder and WHEEL", "py3-none-any", nil, 2},
		{"one with modules: its folder and RECORD, theirs and a header", armTag, []string{"%s/a/b/_x.abi3.so arm64", "%[1]s/_x.abi3.so arm64", "%[1]s/_y.abi3.so arm64"}, 4},
	} {
		asked := func(packages int) int {
			r := requests{rootOf(python("arm64")), &sync.Mutex{}, map[string]bool{}, new(int)}
			for i := range packages {
				name, files := fmt.Sprintf("x%d", i), []string{}
				for _, file := range test.files {
					files = append(files, fmt.Sprintf(file, name))
				}
				wheel(site, name, test.tag, files...)(r.MapFS)
			}
			if _, err := image.Check(run("python").bytes(), r, platform(t, "arm64"), image.Options{}); err != nil {
				t.Error(err)
			}
			return len(r.listed) + *r.read
		}
		if got := asked(11) - asked(1); got != 10*test.want {
			t.Errorf("%s: %d requests for 10, want %d", test.name, got, 10*test.want)
		}
	}
}

// A health check's interpreter that is given a text brings no note of modules, either.
func TestModulesOfAHealthCheckThatIsATextAreNotLookedAt(t *testing.T) {
	c := run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "python", "-c", "1"}})
	root := rootOf(python("arm64"), elf("/app", "arm64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64"))
	if r, err := image.Check(c.bytes(), root, platform(t, "arm64"), image.Options{}); err != nil || len(r.Notes) > 0 {
		t.Errorf("%q, %v", r.Notes, err)
	}
}

// What an application finds, too, is not asked for again.
func TestPackagesOfAHealthCheckCostNoRequests(t *testing.T) {
	asked := func(packages int, c config) int {
		r := requests{rootOf(python("arm64"), text("/hc/check.py", "")), &sync.Mutex{}, map[string]bool{}, new(int)}
		for i := range packages {
			wheel(site, fmt.Sprintf("x%d", i), armTag, fmt.Sprintf("x%d/_x.abi3.so arm64", i))(r.MapFS)
		}
		if _, err := image.Check(c.bytes(), r, platform(t, "arm64"), image.Options{}); err != nil {
			t.Error(err)
		}
		return len(r.listed) + *r.read
	}
	check := run("python", "/app.py").and("Healthcheck", test("python", "/hc/check.py"))
	if alone, both := asked(11, run("python", "/app.py"))-asked(1, run("python", "/app.py")), asked(11, check)-asked(1, check); alone != both {
		t.Errorf("%d requests for 10 packages, and %d with a health check", alone, both)
	}
}

// What a hostile image makes of it stays bounded, and is told.
func TestManyPackages(t *testing.T) {
	root := rootOf(python("arm64"))
	for i := range 1001 {
		wheel(site, fmt.Sprintf("x%d", i), "py3-none-any")(root)
	}
	r, err := image.Check(run("python").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || !strings.Contains(strings.Join(r.Notes, "\n"), site[:len(site)-1]+" has so many packages that not all were looked at") {
		t.Errorf("%s, %q", got, r.Notes)
	}
	var files []string
	for i := range 300 {
		files = append(files, fmt.Sprintf("x/_x%d.abi3.so amd64", i))
	}
	var opened atomic.Int64
	w := watched{MapFS: rootOf(python("arm64"), wheel(site, "x", amdTag, files...)), t: t, opened: func(string) { opened.Add(1) }}
	if _, err := image.Check(run("python").bytes(), w, platform(t, "arm64"), image.Options{}); err == nil || opened.Load() > 262 {
		t.Errorf("%d files were opened, %v", opened.Load(), err)
	}
}

// Whichever look at modules fails, the check fails with it.
func TestEveryFailureToReadModulesIsTold(t *testing.T) {
	for _, test := range pythonChecks {
		everyFailure(t, test.name, test.config, rootOf(append(test.root, python("arm64"))...))
	}
	for _, test := range lockChecks {
		everyFailure(t, test.name, nodeConfig(nil), nodeRoot(test.root))
	}
	for _, test := range nodeChecks {
		everyFailure(t, test.name, nodeConfig(test.config), nodeRoot(test.root))
	}
	for _, test := range rubyChecks {
		everyFailure(t, test.name, test.config, rootOf(append(test.root, ruby)...))
	}
	for _, test := range phpChecks {
		everyFailure(t, test.name, test.config, rootOf(append(test.root, php)...))
	}
}

func everyFailure(t *testing.T, name string, c config, files fstest.MapFS) {
	t.Helper()
	lost, config, declared := errors.New("connection lost"), c.bytes(), platform(t, "arm64")
	for n := int64(0); ; n++ {
		root := fragile{files, &atomic.Int64{}, lost}
		root.left.Store(n)
		r, err := image.Check(config, root, declared, image.Options{})
		if root.left.Load() >= 0 {
			return // it has not come to pass
		}
		if !errors.Is(err, lost) || errors.Is(err, image.ErrRefused) {
			t.Errorf("%s, failing at operation %d: %s, %v", name, n, r.Verdict, err)
		}
	}
}

// FuzzWheels holds that nothing that is written down about packages makes modules for the right machine a fault, or fails the check.
func FuzzWheels(f *testing.F) {
	f.Add("Wheel-Version: 1.0\nTag: "+amdTag+"\n", "x/_x.abi3.so,sha256=x,1\n\"x/_y.abi3.so\",,\n", "home = /usr/local/bin\nversion = 3.11.2\n", "-Wd")
	f.Add("Tag: py3-none-any\nTag: x", "../../x.so\n/x.so\n\x00.so\nx/_x.abi3.so", "version_info=3\ninclude-system-site-packages = TRUE", "-m")
	f.Add("", "x.so.1", "=", "--")
	f.Fuzz(func(t *testing.T, told, record, venv, option string) {
		root := watched{MapFS: rootOf(python("arm64"), text("/usr/local/pyvenv.cfg", venv), text(site+"x-1.dist-info/WHEEL", told),
			text(site+"x-1.dist-info/RECORD", record), lib(site+"x/_x.abi3.so", "arm64"), lib(site+"_x"+armName, "arm64"), text(site+"x/_y.abi3.so", "x")), t: t}
		r, err := image.Check(run("python", option, "x").bytes(), root, platform(t, "arm64"), image.Options{})
		if err != nil || r.Verdict != image.Verified {
			t.Errorf("%s, %v", r.Verdict, err)
		}
	})
}

// crowded is a root that counts how many ask it at once.
type crowded struct {
	fstest.MapFS
	asking, most *atomic.Int64
}

func (c crowded) enter() (leave func()) {
	now := c.asking.Add(1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	for range 20 {
		runtime.Gosched() // for others to come
	}
	return func() { c.asking.Add(-1) }
}

func (c crowded) Lstat(name string) (fs.FileInfo, error) {
	defer c.enter()()
	return c.MapFS.Lstat(name)
}

func (c crowded) ReadDir(name string) ([]fs.DirEntry, error) {
	defer c.enter()()
	return c.MapFS.ReadDir(name)
}

func (c crowded) Open(name string) (fs.File, error) {
	defer c.enter()()
	return c.MapFS.Open(name)
}

// Programs, libraries and modules are looked at beside each other, by eight in all.
func TestNoMoreThanEightAskAtOnce(t *testing.T) {
	root := rootOf(elf("/usr/local/bin/python3.11", "arm64", elftest.Needs("liba.so")))
	for i := range 50 {
		elf(fmt.Sprintf("/bin/x%d", i), "arm64")(root)
		wheel(site, fmt.Sprintf("x%d", i), armTag, fmt.Sprintf("x%d/_x.abi3.so arm64", i))(root)
	}
	c := crowded{root, &atomic.Int64{}, &atomic.Int64{}}
	if _, err := image.Check(run("python3.11").bytes(), c, platform(t, "arm64"), image.Options{}); err != nil || c.most.Load() > 8 {
		t.Errorf("%d at once, %v", c.most.Load(), err)
	}
}
