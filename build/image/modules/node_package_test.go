package modules_test

import (
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/tree"
)

func TestNodeName(t *testing.T) {
	for id, want := range map[string]string{"": "", "cowsay": "cowsay", "cowsay@1.6": "cowsay", "@nestjs/cli": "@nestjs/cli", "@nestjs/cli@10": "@nestjs/cli", "@": "@"} {
		if got := modules.NodeName(id); got != want {
			t.Errorf("%q is of %q, want %q", id, got, want)
		}
	}
}

// The nearest package of a name is the one that is required, as Node has it.
func TestNodePackage(t *testing.T) {
	root := tree.New(fstest.MapFS{"app/node_modules/x/index.js": {}, "node_modules/y/index.js": {}, "app/node_modules/x/node_modules/y/index.js": {}, "node_modules/file": {}})
	for _, test := range []struct{ name, from, want string }{
		{"x", "/app/src", "/app/node_modules/x"},
		{"y", "/app/src", "/node_modules/y"},
		{"y", "/app/node_modules/x", "/app/node_modules/x/node_modules/y"},
		{"x", "/app/node_modules", "/app/node_modules/x"},
		{"x", "/", ""},
		{"file", "/app", ""},
		{"../x", "/app/node_modules/x", ""},
		{"", "/app", ""},
	} {
		if got, err := modules.NodePackage(root, test.name, test.from); got != test.want || err != nil {
			t.Errorf("%s from %s: %q, %v, want %q", test.name, test.from, got, err, test.want)
		}
	}
}
