package engine

import (
	"context"
	"time"
)

// podman is Info.Name of an engine that is Podman. It answers Docker's API but
// for these differences:
//
//   - its build cache looks at a history in which arguments have no values,
//     and before Podman 5 not at the platform;
//   - inspect hides fields of the config, so that it cannot be rebuilt;
//   - a request for an archive starts a process, and follows a link in the last place;
//   - a client that hangs up in the middle of a build can take the whole
//     service with it (buildah 1.28 goes on with a stage that it has cleaned up).
const podman = "Podman"

// podmanHeader is in each answer of Podman's service, with its version.
const podmanHeader = "Libpod-Api-Version"

// podmanGrace is how long an interrupted build is waited for before Podman is
// left alone with it: longer than any step but a slow RUN.
const podmanGrace = time.Minute

// podmanGoesOn is all that can be done at Ctrl-C: between two steps there is no
// moment at which hanging up is safe, and Mage ends a program that needs longer
// than 5 s to clean up.
const podmanGoesOn = "Podman goes on with its build, and is waited for up to a minute (after Ctrl-C as long as Mage allows, 5 s); " +
	"if its service has not survived that afterwards, systemctl start podman.socket starts it again"

// buildContext is the context of a build request. Podman's outlives the
// caller's, so that its build can come to an end.
func (e *Engine) buildContext(ctx context.Context, emit func(Event)) (context.Context, func()) {
	if e.info.Name != podman {
		return ctx, func() {}
	}
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		emit(Notice{podmanGoesOn})
		late := time.AfterFunc(podmanGrace, cancel)
		context.AfterFunc(detached, func() { late.Stop() })
	})
	return detached, func() { stop(); cancel() }
}
