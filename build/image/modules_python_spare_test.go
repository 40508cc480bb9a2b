package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Each row is the source of a package, /x/__init__.py, and of x/fast.py behind a line "---". All that it has compiled is for another machine: x/_x
// alone. It is at fault, or with "spare" a note tells that the package goes on.
func TestSpareModules(t *testing.T) {
	const refused = "foreign-module:" + site + "x/_x.abi3.so"
	for _, test := range []struct{ source, want string }{
		{"try:\n    from ._x import escape\nexcept ImportError:\n    from ._native import escape\n", "spare"},
		{"try:\n    from x._x import escape\nexcept (AttributeError, ImportError) as e:\n    escape = None\n", "spare"},
		{"try:\n    import x._x as fast\nexcept ModuleNotFoundError:\n    pass\n", "spare"},
		{"try:\n    from . import a, _x # fast\nexcept:\n    _x = None\n", "spare"},
		{"try:\n    from . import (\n        a,\n        _x,\n    )\nexcept Exception:\n    _x = None\nraise SystemExit\n", "spare"},
		{"if slow:\n    from .slow import *\nelse:\n    try:\n        if True:\n            # fast\n\n            from ._x import *\n    except ImportError:\n        from .slow import *\n", "spare"},
		{"def f():\n    try:\n        from ._x import g\n    except ValueError:\n        raise\n    except ImportError:\n        return None\n", "spare"},
		{"if TYPE_CHECKING:\n    from ._x import A\ntry:\n    from ._x import f\nexcept ImportError:\n    f = None\n", "spare"},
		{"try:\n    from .fast import f\nexcept ImportError:\n    f = None\n---\nfrom x._x import f\n", "spare"},

		{strings.Repeat("try:\n    import x._x\nexcept ImportError:\n    pass\n", 65), refused}, // more than anybody has
		{"try:\n    import x._x\nexcept ImportError:\n    pass\n" + strings.Repeat("#", 4<<20), refused},
		{"from ._x import escape\n", refused},
		{"import x\n", refused},
		{"try:\n    from ._x import f\nexcept ImportError:\n    raise RuntimeError('x')\n", refused},
		{"try:\n    from ._x import f\nexcept ImportError: raise\n", refused},
		{"try:\n    from ._x import f\nexcept ImportError as e:\n    print(e)\n    sys.exit(1)\n", refused},
		{"try:\n    from ._x import f\nexcept ValueError:\n    f = None\n", refused},
		{"try:\n    from ._x import f\nfinally:\n    pass\n", refused},
		{"try:\n    from ._xy import f\nexcept ImportError:\n    from ._x import f\n", refused},
		{"try:\n    def f():\n        from ._x import g\nexcept ImportError:\n    pass\n", refused},
		{"try:\n    from ._x import f\nexcept ImportError:\n    f = None\nfrom ._x import g\n", refused},
		{"if not TYPE_CHECKING:\n    from ._x import A\n", refused},
		{"try:\n    from .fast import f\nexcept ImportError:\n    f = None\nimport x.fast\n---\nfrom x._x import f\n", refused},
		{"try:\n    from .other import f\nexcept ImportError:\n    f = None\n---\nfrom x._x import f\n", refused},
	} {
		source, fast, _ := strings.Cut(test.source, "---\n")
		root := rootOf(python("arm64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64", "x/fast.py ", "x/gone.py ", "x/tests/test_x.py "), text(site+"x/tests/test_x.py", "from x import _x"), text(site+"x/__init__.py", source), text(site+"x/fast.py", fast))
		r, err := image.Check(run("python").bytes(), watched{MapFS: root, t: t}, platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if strings.HasSuffix(strings.Join(r.Notes, "\n"), "in an image declared linux/arm64: x goes on without it") && got == "verified" {
			got = "spare"
		}
		if got != test.want {
			t.Errorf("%s\n%s, want %s\n%q", test.source, got, test.want, r.Notes)
		}
	}
}

// One module of several that the package needs is enough.
func TestSpareModulesBesideNeededOnes(t *testing.T) {
	root := rootOf(python("arm64"), wheel(site, "x", amdTag, "x/_x.abi3.so amd64", "x/_y.abi3.so amd64"), text(site+"x/__init__.py", "import x._y\ntry:\n    import x._x\nexcept ImportError:\n    pass\n"))
	r, err := image.Check(run("python").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "foreign-module:"+site+"x/_x.abi3.so" {
		t.Errorf("%s, %q", got, r.Notes)
	}
}
