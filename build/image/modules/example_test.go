package modules_test

import (
	"fmt"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/build/image/view"
	"github.com/manymage/manymage/platforms/elftest"
)

// host prints what it is told.
type host struct{}

func (host) Library(name, what, cure string) error { return host{}.Module(name, what, cure) }

func (host) Module(name, what, cure string) error {
	fmt.Printf("%s is %s: %s\n", name, what, cure)
	return nil
}

func (host) Note(text string) { fmt.Println("note:", text) }

// Python was copied from a stage for arm64, and its packages from one for amd64.
func ExampleChecker() {
	declared := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	root := tree.New(fstest.MapFS{
		"usr/local/bin/python3.12": {Data: elftest.Of("arm64"), Mode: 0o755},
		"usr/local/lib/python3.12/site-packages/_cffi.cpython-312-x86_64-linux-gnu.so": {Data: elftest.Of("amd64")},
	})
	c := modules.New(&view.View{Tree: root, Texts: shell.New(root, nil, declared), Declared: declared, Note: host{}.Note})
	at, _, err := root.Regular("/usr/local/bin/python3.12")
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := root.Read(at.Real, at.Info)
	c.Interpret(modules.Program{At: at, File: file, Frame: shell.Frame{Dir: "/app"}, Host: host{}}, []string{"-m", "app"})
	fmt.Println(err, c.Libraries(), c.Modules())
	// Output:
	// /usr/local/lib/python3.12/site-packages/_cffi.cpython-312-x86_64-linux-gnu.so is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64, and /usr/local/bin/python3.12 finds no other module of _cffi: install it in a stage for linux/arm64
	// <nil> <nil> <nil>
}
