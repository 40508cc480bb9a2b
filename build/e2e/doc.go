// Package e2e drives the targets as a user does, against real engines and registries. It holds tests only.
//
// A test says what is there (Dir, Engine, Registry, Busybox, Debian, Golang), runs the targets (Run), and looks at what came
// of it with programs that are not ours (docker pull, skopeo, the image's own output under QEMU):
//
//	reg := Plain(t)
//	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY hello-${TARGETARCH} /hello\n" + ...})
//	Run(t, dir, With(Engine(t, Docker20)), "build", "push", "IMG="+reg.Repo(t)).Exits(t, 0)
//
// Engines, registries and fixtures are started or made when the first test asks for them, shared by all tests of the process,
// and ended by TestMain. Tests share them by using names of their own (Registry.Repo) and folders of their own (Dir).
// They need root on Debian and the project's scripts, nothing installed by hand; `go test -short` leaves them out.
package e2e
