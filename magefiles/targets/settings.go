package targets

import (
	"cmp"
	"context"
	"crypto/x509"
	"os"
	"runtime/debug"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/git"
)

// module is this project's import path.
const module = "github.com/manymage/manymage"

// Settings are what a magefile that imports the targets decides for its project. The zero value decides nothing.
type Settings struct {
	// Knobs are values for the knobs, weaker than manymage.yaml, the environment and the command line.
	Knobs config.Defaults
	// Extra are names of NAME=value words that the magefile reads itself; any other unknown name is refused.
	Extra []string
	// Before runs once before the first build, with the platforms that are to be built ("linux/arm64"): generate code, compile. It may
	// make the Dockerfile and anything else that is built from; a missing engine and a registry that takes no push are told before.
	Before func(ctx context.Context, platforms []string) error
	// Embedded serves a registry in this process, for when no image is named. Nil: IMG has to be set.
	Embedded build.Embedded
	// Ensure gets a container engine going when none is named and none is there. Nil: that is the user's business.
	Ensure func(ctx context.Context) error
	// Roots gives the certificate authorities for registries on a machine that has none, such as an image from scratch. Nil: none.
	Roots func() *x509.CertPool
	// Emulation lets the engine run foreign programs. Nil: the target says how.
	Emulation func(ctx context.Context) error
}

// Defaults gives the targets the project's own settings. Call it from an init function of the magefile:
//
//	func init() {
//		targets.Defaults(targets.Settings{
//			Knobs:  config.Defaults{Img: "ghcr.io/me/app", Arches: []string{"amd64", "arm64", "arm/v7"}},
//			Before: func(ctx context.Context, _ []string) error { return sh.Run("go", "generate", "./...") },
//		})
//	}
func Defaults(s Settings) { process.settings = s }

// toolVersion is what the linker was told (-X), which is how the project's own image is built.
var toolVersion string

// devel is what Go calls the version of a module that it compiles where it stands.
const devel = "(devel)"

// tool is the version of this program. The targets of a clone are compiled anew whenever it changes, so that theirs is what git says of
// the clone that scripts/mage names.
func tool(ctx context.Context) string {
	version := linked()
	if version == devel {
		version = cmp.Or(git.Version(ctx, os.Getenv("MANYMAGE_HOME")), version)
	}
	return version
}

// linked is the version of this module in this program, as far as the program knows.
func linked() string {
	if toolVersion != "" {
		return toolVersion
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module {
			return m.Version
		}
	}
	return "unknown"
}
