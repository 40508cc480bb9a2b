package build

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
)

func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("a step failed"), 1},
		{context.Canceled, 1},
		{&config.UsageError{Knob: "IMG"}, 2},
		{fmt.Errorf("me/app:1: %w", &index.DuplicateError{}), 2},
		{fmt.Errorf("me/app:1: %w", index.ErrAnnotations), 2},
		{git.ErrEpoch, 2},
		{lists.ErrUsage, 2},
		{engine.ErrReference, 2},
		{engine.ErrIndex, 2},
		{engine.ErrNoPlatform, 2},
		{engine.ErrContext, 2},
		{engine.ErrUnsupported, 2},
		{fmt.Errorf("arm64: %w", &image.Refusal{}), 3},
		{errors.Join(engine.ErrUnreachable, &image.Refusal{}), 3},
		{&FaultyError{}, 3},
		{&lists.DropError{}, 4},
		{&ScanError{}, 4},
		{&registry.Error{Err: registry.ErrDenied}, 4},
		{engine.ErrChanged, 4},
		{engine.ErrTagRefused, 4},
		{&registry.Error{Err: registry.ErrUnexpected}, 1},
		{fmt.Errorf("%w: no socket", engine.ErrUnreachable), 5},
		{engine.ErrTooOld, 5},
		{&registry.Error{Err: registry.ErrUnreachable}, 5},
		{engine.ErrRegistryUnreachable, 5},
		{ErrLoopback, 5},
	} {
		if got := ExitCode(test.err); got != test.want {
			t.Errorf("ExitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}
