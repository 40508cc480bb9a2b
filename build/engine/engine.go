// Package engine drives one container engine: it builds images, looks into
// them before they exist, and pushes, loads, tags and removes them.
//
// An engine is whatever answers the Docker API: Docker from 20.10 on with
// either image store, or Podman's compatible service. Two roads lead through
// it, and [Open] picks one:
//
//	buildkit  /grpc and /session; every platform at once, config edited in flight
//	classic   POST /build; one platform at a time, config edited by a thin load
//
// The data flow is the same on both:
//
//	Open -> Engine -> Start(Context) -> Builder -> Solve per platform
//	                                                 |-> Hook(config, root) -> config
//	                                                 '-> Built{ID, Config}
//	Engine -> Push(ref) -> Pushed{Digest}
//
// A [Hook] is given in standard types alone, so that this package knows
// nothing of what is checked or changed.
package engine

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

// Hook sees an image before the engine stores it: the bytes of its config and
// its root filesystem, nil for an image without layers. It returns the config
// that is to be stored. Its error stops the build, and [Builder.Solve] returns
// that very value, so that errors.Is and errors.As hold.
//
// root supports [fs.ReadLinkFS], [fs.ReadDirFS] and [fs.StatFS], is valid only
// during the call, and files opened from it implement [io.ReaderAt]. Only
// regular files can be opened.
type Hook func(ctx context.Context, config []byte, root fs.FS) ([]byte, error)

// Credential is what a registry wants to see.
type Credential struct {
	Username, Password string
	IdentityToken      string // instead of a password, as docker login stores it for OAuth registries
}

// Credentials looks up the credential of a registry host ("docker.io",
// "127.0.0.1:5000"). A host without one gives the zero Credential.
type Credentials func(ctx context.Context, host string) (Credential, error)

// Listed is what a registry has under a name: a list, or one image.
type Listed struct {
	Digest digest.Digest // of what the name stands for
	Config digest.Digest // of one image; empty for a list
	Images index.Index   // of a list; empty for one image
}

// Lister reads what a registry has under a name; an error where nobody knows.
type Lister func(ctx context.Context, name string) (Listed, error)

// Options say which engine to open. The zero value opens what the docker
// command would with an empty environment.
type Options struct {
	Host        string              // an address such as unix:///run/docker.sock; outranks DOCKER_HOST
	Context     string              // a context of docker's store; outranks DOCKER_CONTEXT
	Origin      string              // who names Host or Context, for errors: "NODES"
	ConfigDir   string              // docker's configuration, for its contexts and proxies; DOCKER_CONFIG or ~/.docker when empty
	Getenv      func(string) string // DOCKER_HOST, DOCKER_CONTEXT, DOCKER_BUILDKIT, XDG_RUNTIME_DIR, HOME ...; nil is an empty environment
	Credentials Credentials         // for base images and pushes; nil is anonymous
	Insecure    func(string) bool   // the registry hosts that need no TLS, beside loopback; nil: none. Docker has a list of its own and is not told
	Listed      Lister              // of base images; nil: nobody knows, and pulls move tags for a while
	Classic     bool                // no builds through BuildKit, as with DOCKER_BUILDKIT=0
	NoBuilds    bool                // nothing will be built: BuildKit is not asked what it can do, which takes longer than all else
	Tag         string              // with NoBuilds: an image that will be worked on. If it shows what the engine is, or the first answer does, Info tells neither Platform nor Apart
}

// Engine is an open engine. It is safe for concurrent use.
type Engine struct {
	api     *client.Client
	scheme  string // of the API's requests
	auth    Credentials
	getenv  func(string) string
	lax     func(host string) bool // Options.Insecure
	listed  Lister                 // Options.Listed
	proxies map[string]string      // build arguments
	info    Info
	road    road
	kit     *buildkit // nil when the engine has none that is used

	discarding sync.Mutex
}

// road is one way to build in an engine.
type road interface {
	// start prepares a build context for any number of solves.
	start(ctx context.Context, c Context) (Builder, error)
	// runnable lists the platforms whose programs run in a build, as far as the
	// builder knows.
	runnable(ctx context.Context) ([]ocispec.Platform, error)
}

// Builder solves a Dockerfile for one platform after another, or all at once,
// over one context that the engine is sent once.
type Builder interface {
	// Solve builds one image, gives it to the hook, and stores it under its tags.
	// onEvent may be nil; it is called by one goroutine at a time per Solve.
	Solve(ctx context.Context, s Solve, hook Hook, onEvent func(Event)) (Built, error)
	// Sent counts the bytes of build context sent to the engine so far.
	Sent() int64
	// Close ends what all solves share; it is for when none runs any more.
	Close() error
}

// Start prepares to build from a context directory.
func (e *Engine) Start(ctx context.Context, c Context) (Builder, error) {
	b, err := e.road.start(ctx, c)
	if err != nil || len(e.proxies) == 0 {
		return b, err
	}
	return proxied{b, e.proxies}, nil
}

// Info says what was opened.
func (e *Engine) Info() Info { return e.info }

// Close lets go of the engine's connections.
func (e *Engine) Close() error {
	if e.kit == nil {
		return e.api.Close()
	}
	return errors.Join(e.kit.close(), e.api.Close())
}
