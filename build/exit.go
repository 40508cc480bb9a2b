package build

import (
	"errors"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
)

// The exit codes of the targets.
const (
	ExitFailed      = 1 // something did not work
	ExitUsage       = 2 // wrong usage or configuration
	ExitRefused     = 3 // a truth check refused
	ExitPublish     = 4 // publishing was refused: a platform would be dropped, an immutable tag differs
	ExitUnreachable = 5 // no engine or no registry
)

// ExitCode is the exit code for an error, 0 for none.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	for _, c := range []struct {
		is   error
		code int
	}{
		{image.ErrRefused, ExitRefused},
		{lists.ErrPublish, ExitPublish},
		{registry.ErrDenied, ExitPublish},
		{config.ErrUsage, ExitUsage},
		{git.ErrEpoch, ExitUsage},
		{lists.ErrUsage, ExitUsage},
		{index.ErrDuplicate, ExitUsage},
		{index.ErrAnnotations, ExitUsage},
		{engine.ErrReference, ExitUsage},
		{engine.ErrIndex, ExitUsage},
		{engine.ErrNoPlatform, ExitUsage},
		{engine.ErrChanged, ExitPublish},
		{engine.ErrTagRefused, ExitPublish},
		{engine.ErrContext, ExitUsage},
		{engine.ErrUnsupported, ExitUsage},
		{engine.ErrUnreachable, ExitUnreachable},
		{engine.ErrTooOld, ExitUnreachable},
		{registry.ErrUnreachable, ExitUnreachable},
		{engine.ErrRegistryUnreachable, ExitUnreachable},
		{ErrLoopback, ExitUnreachable},
	} {
		if errors.Is(err, c.is) {
			return c.code
		}
	}
	return ExitFailed
}
