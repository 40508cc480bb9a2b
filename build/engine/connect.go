package engine

import (
	"context"
	"errors"
)

// Open connects to the engine that o and the environment name: Host,
// DOCKER_HOST, Context, DOCKER_CONTEXT, docker's current context, and then the
// first of the usual sockets that is there.
func Open(ctx context.Context, o Options) (*Engine, error) {
	return nil, errors.ErrUnsupported
}
