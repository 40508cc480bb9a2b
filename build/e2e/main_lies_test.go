package e2e

import (
	"os"
	"strings"
	"testing"
)

// lie is an image that would not run on the platform that it is made for, and what the refusal names.
type lie struct {
	name   string
	arches string
	files  func(t *testing.T, reg *Registry) Files
	says   []string
	once   bool // it is the check's alone, whatever engine shows the root to it
}

// program reads a file into the folder's content.
func contentOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func lies() []lie {
	return []lie{
		{name: "an amd64 program under arm64", arches: "arm64", says: []string{"/hello", "amd64", "arm64"},
			files: func(t *testing.T, _ *Registry) Files {
				return Files{"Dockerfile": "FROM scratch\nCOPY hello /hello\nENTRYPOINT [\"/hello\"]\n", "hello*": contentOf(t, Hello(t, "amd64"))}
			}},
		{name: "an amd64 base under a right program", arches: "arm64", says: []string{"/bin/", "amd64", "ALLOW_FOREIGN="},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM --platform=linux/amd64 " + Busybox(t, reg) + "\nCOPY hello /usr/bin/hello\nENTRYPOINT [\"/usr/bin/hello\"]\n",
					"hello*": contentOf(t, Hello(t, "arm64"))}
			}},
		{name: "GOARM=7 under v6", arches: "arm/v6", says: []string{"/hello", "GOARM=7", "arm/v6"},
			files: func(t *testing.T, _ *Registry) Files {
				return Files{"Dockerfile": "FROM scratch\nCOPY hello /hello\nENTRYPOINT [\"/hello\"]\n", "hello*": contentOf(t, Hello(t, "armv7"))}
			}},
		{name: "a script with a foreign interpreter", arches: "arm64", says: []string{"/interpreter", "amd64"},
			files: func(t *testing.T, _ *Registry) Files {
				return Files{"Dockerfile": "FROM scratch\nCOPY interpreter script /\nENTRYPOINT [\"/script\"]\n",
					"script*": "#!/interpreter\n", "interpreter*": contentOf(t, Hello(t, "amd64"))}
			}},
		{name: "a foreign helper on PATH", arches: "arm64", says: []string{"/usr/local/bin/helper", "arm", "ALLOW_FOREIGN="},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nCOPY helper /usr/local/bin/\nENTRYPOINT [\"sh\", \"-c\", \"helper\"]\n",
					"helper*": contentOf(t, Hello(t, "armv7"))}
			}},
		{name: "a missing loader", arches: "amd64", says: []string{"/busybox", "/lib64/ld-linux-x86-64.so.2"},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM " + Debian(t, reg) + " AS debian\nFROM scratch\nCOPY --from=debian /usr/bin/busybox /busybox\nENTRYPOINT [\"/busybox\"]\n"}
			}},
		{once: true, name: "a foreign library under a right program", arches: "arm64", says: []string{"/usr/lib/aarch64-linux-gnu/libc.so.6", "amd64", "/usr/bin/tini needs it", "ALLOW_FOREIGN="},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM --platform=linux/amd64 " + Debian(t, reg) + " AS other\nFROM " + Debian(t, reg) +
					"\nCOPY --from=other /usr/lib/x86_64-linux-gnu/libc.so.6 /usr/lib/aarch64-linux-gnu/libc.so.6\nENTRYPOINT [\"/usr/bin/tini\"]\n"}
			}},
		{once: true, name: "a Python module from a stage of the builder's platform", arches: "arm64", says: []string{"/app/markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so", "amd64", "/usr/bin/python3.11", "ALLOW_FOREIGN="},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM --platform=linux/amd64 " + Python(t, reg) + " AS build\nFROM " + Python(t, reg) +
					"\nCOPY --from=build /usr/lib/python3/dist-packages /app\nWORKDIR /app\nENTRYPOINT [\"python3.11\", \"-m\", \"markupsafe\"]\n"}
			}},
		{once: true, name: "a Node addon from a stage of the builder's platform", arches: "arm64", says: []string{"/app/node_modules/bcrypt/build/Release/bcrypt.node", "amd64", "/usr/local/bin/node", "ALLOW_FOREIGN="},
			files: func(t *testing.T, _ *Registry) Files {
				return Files{"Dockerfile": "FROM scratch\nCOPY app /app\nCOPY node /usr/local/bin/\nWORKDIR /app\nCMD [\"node\", \"server.js\"]\n",
					"node*": contentOf(t, Hello(t, "arm64")), "app/server.js": "require('bcrypt')\n",
					"app/node_modules/.package-lock.json":               `{"packages": {"node_modules/bcrypt": {"hasInstallScript": true}}}`,
					"app/node_modules/bcrypt/build/Release/bcrypt.node": contentOf(t, Hello(t, "amd64"))}
			}},
		{once: true, name: "a server's module from a stage of the builder's platform", arches: "arm64", says: []string{"/usr/lib/nginx/modules/geoip.so", "amd64", "/etc/nginx/modules-enabled/geoip.conf", "ALLOW_FOREIGN="},
			files: func(t *testing.T, _ *Registry) Files {
				return Files{"Dockerfile": "FROM scratch\nCOPY etc /etc\nCOPY nginx /usr/sbin/\nCOPY geoip.so /usr/lib/nginx/modules/\nCMD [\"/usr/sbin/nginx\"]\n",
					"nginx*": contentOf(t, Hello(t, "arm64")), "geoip.so": contentOf(t, Hello(t, "amd64")),
					"etc/nginx/nginx.conf": "include modules-enabled/*.conf;\nevents {}\n", "etc/nginx/modules-enabled/geoip.conf": "load_module /usr/lib/nginx/modules/geoip.so;\n"}
			}},
		{name: "a loop of symbolic links", arches: "amd64", says: []string{"/bin/loop", "circle"},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN ln -s pool /bin/loop && ln -s loop /bin/pool\nENTRYPOINT [\"/bin/loop\"]\n"}
			}},
		{name: "a FIFO for a program", arches: "amd64", says: []string{"/bin/fifo"},
			files: func(t *testing.T, reg *Registry) Files {
				return Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN mkfifo -m 755 /bin/fifo\nENTRYPOINT [\"/bin/fifo\"]\n"}
			}},
	}
}

// A lie is refused with exit code 3, by name, and nothing of it is anywhere.
func TestLiesAreRefused(t *testing.T) {
	EachEngine(t, Dockers(), func(t *testing.T, e *EngineUnderTest) {
		for _, l := range lies() {
			if l.once && e.Kind != Docker20 {
				continue
			}
			t.Run(l.name, func(t *testing.T) {
				reg := Plain(t)
				repo := reg.Repo(t)
				Run(t, Dir(t, l.files(t, reg)), With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES="+l.arches).Exits(t, 3).Says(t, l.says...)
				if images := e.Docker(t, "images", "-q", repo); images != "" {
					t.Errorf("the engine holds %s", images)
				}
				if reg.Writes(repo) != 0 {
					t.Errorf("something was sent to the registry:\n%s", reg.Log())
				}
			})
		}
	})
}

// A Python whose modules are there for its own machine and for another one beside it runs, and is not refused.
func TestModulesForSeveralMachinesAreNotRefused(t *testing.T) {
	e, reg := Engine(t, Docker26Containerd), Plain(t)
	Emulation(t)
	repo := reg.Repo(t)
	dir := Dir(t, Files{"Dockerfile": "FROM --platform=linux/amd64 " + Python(t, reg) + " AS build\nFROM " + Python(t, reg) +
		"\nCOPY --from=build /usr/lib/python3/dist-packages /usr/lib/python3/dist-packages\n" +
		"ENTRYPOINT [\"python3.11\", \"-c\", \"import markupsafe._speedups as s; print(s.__file__)\"]\n"})
	Run(t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=arm64").Exits(t, 0).Says(t, "verified")
	if got := e.Says(t, repo+":1", "linux/arm64"); !strings.Contains(got, "_speedups.cpython-311-aarch64-linux-gnu.so") {
		t.Errorf("it says %q", got)
	}
}

// A chain of links inside the image is followed, and a wanted foreign program can be allowed.
func TestTruthIsNotRefused(t *testing.T) {
	e, reg := Engine(t, Docker26Containerd), Plain(t)
	repo := reg.Repo(t)
	dir := Dir(t, Files{"hello*": contentOf(t, Hello(t, "arm64")), "firmware*": contentOf(t, Hello(t, "armv7")),
		"Dockerfile":      "FROM scratch\nCOPY hello /opt/v2/hello\nCOPY links /\nCOPY firmware /bin/firmware\nENV PATH=/bin\nENTRYPOINT [\"start\"]\n",
		"links/bin/start": "-> ../opt/current/hello", "links/opt/current": "-> /opt/v2"})
	words := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=arm64"}
	Run(t, dir, With(e), words...).Exits(t, 3).Says(t, "ALLOW_FOREIGN=/bin/firmware")
	Run(t, dir, With(e), append(words, "ALLOW_FOREIGN=/bin/firmware")...).Exits(t, 0)
	if got := e.Says(t, repo+":1", "linux/arm64"); !strings.HasPrefix(got, "hello from arm64") {
		t.Errorf("it says %q", got)
	}
}
