// Package build is the pipeline: it makes one image per platform, publishes them under one tag, and checks what was published.
//
//	config -> Plan     which image, which platforms, how each is built, on which engines; no side effect
//	       -> Build    one solve per platform, concurrently, the context sent once;
//	                   each image is checked (image.Check) and relabelled (image.Relabel) before the engine stores it
//	       -> Push     each image by the engine that built it, unless the registry has it;
//	                   then one index over them, the tags last (lists.Publish)
//	       -> Verify   what was published, read back
//
// There is no other path: one platform goes the same way as ten, and Push always goes through Build.
package build

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// Options are what a Pipeline works with. Config is required, everything else has a use for its zero value.
type Options struct {
	Config config.Config
	// Git is what the repository says of itself, for labels.
	Git git.Info
	// Getenv is the environment; nil is an empty one.
	Getenv func(string) string
	// Show is told what happens; nil is silence.
	Show func(progress.Event)
	// Embedded serves a registry in this process; nil: there is none, and IMG has to be set.
	Embedded Embedded
	// Ensure is called once when no engine is named and none is there (engine.ErrNone), to get one going; nil: that is the user's business.
	Ensure func(context.Context) error
	// Before runs in Build before anything is read that it could make, the Dockerfile and the context, and after all that can be
	// known to be in the way: it may take minutes. It is told the platforms that are to be built ("linux/arm64"); nil: there is none.
	Before func(ctx context.Context, platforms []string) error
	// Roots gives the certificate authorities for registries where the machine has none; nil: then none is trusted.
	Roots func() *x509.CertPool
	// Tool is this program's version, for the record.
	Tool string
}

// Pipeline is one run: it opens the engines, the registry and the plan when they are first needed, and keeps them. Its methods
// are not for concurrent use.
type Pipeline struct {
	cfg  config.Config
	opts Options

	engines   map[string]*engine.Engine // open ones, by their names in NODES; the run's own has none
	images    *engine.Engine            // the run's own without a builder
	asking    sync.Mutex                // for registry, which solves that fail at once and doctor's questions share
	registry  *registry.Client
	served    *Served
	built     []result         // of the platforms of this run, in order; nil until Build was done
	published *lists.Published // nil until the index was
	begun     clock
	foresight *foresight // nil until Foresee
	aim       string     // the repository that a target on lists works on

	closeOnce sync.Once
}

// New makes a Pipeline. Nothing happens until one of its methods is called, and Close ends what they left open.
func New(o Options) *Pipeline {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Show == nil {
		o.Show = func(progress.Event) {}
	}
	o.Getenv = o.Config.Getenv(o.Getenv)
	return &Pipeline{cfg: o.Config, opts: o, begun: now(), engines: make(map[string]*engine.Engine)}
}

// Close ends the embedded registry and the connections to the engines, for a process that goes on. The targets leave it to the end of
// theirs: none knows whether it is the last of the command line, and those behind it need both.
func (p *Pipeline) Close() error {
	var err error
	p.closeOnce.Do(func() {
		if p.served != nil {
			err = errors.Join(err, p.served.Close())
		}
		for _, e := range p.engines {
			err = errors.Join(err, e.Close())
		}
		if p.images != nil {
			err = errors.Join(err, p.images.Close())
		}
	})
	return err
}

// Registry is the client with the user's credentials that this run reads and publishes with.
func (p *Pipeline) Registry() (*registry.Client, error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	if p.registry != nil {
		return p.registry, nil
	}
	lookup, err := p.credentials()
	if err != nil {
		return nil, err
	}
	retry := p.cfg.Retry
	if retry == 0 {
		retry = -1 // the knob's zero is "never again", the client's is its default
	}
	p.registry = registry.New(registry.Options{
		Credentials: lookup,
		LoggedIn:    registry.LoggedIn("", p.account, p.home()),
		Insecure:    p.cfg.Insecure,
		Roots:       p.opts.Roots,
		Retry:       retry,
		Notice:      p.notice,
		Getenv:      p.opts.Getenv,
	})
	return p.registry, nil
}

func (p *Pipeline) notice(text string) { p.opts.Show(progress.Notice{Text: text}) }

// Aim says which reference a target works on. Where no IMG says it, REGISTRY_USER and REGISTRY_PASSWORD are for its registry.
func (p *Pipeline) Aim(ref reference.Named) {
	if ref.Name() == p.aim {
		return
	}
	p.aim = ref.Name()
	if p.registry != nil { // of another target's credentials
		p.registry.Close()
		p.registry = nil
	}
}

// credentials reads Docker's configuration with CI's REGISTRY_USER and REGISTRY_PASSWORD before it.
func (p *Pipeline) credentials() (registry.Credentials, error) {
	return registry.LoadCredentials("", p.account, p.home())
}

// account is the environment with the knobs for CI's account.
func (p *Pipeline) account(name string) string {
	switch name {
	case "REGISTRY_USER":
		return p.cfg.Username
	case "REGISTRY_PASSWORD":
		return string(p.cfg.Password)
	}
	return p.opts.Getenv(name)
}

// home is the repository whose registry CI's account is for.
func (p *Pipeline) home() string {
	if ref, err := reference.ParseNormalizedNamed(p.cfg.Image); err == nil && !p.cfg.Embedded {
		return ref.Name()
	}
	return p.aim
}

// imageStore is the run's own engine for those who build nothing, in a tenth of the time when it has the image that they come for.
func (p *Pipeline) imageStore(ctx context.Context, tag string) (*engine.Engine, error) {
	if own := p.engines[""]; own != nil {
		return own, nil
	}
	if p.images != nil {
		return p.images, nil
	}
	e, err := p.ensured(ctx, engine.Options{NoBuilds: true, Tag: tag})
	p.images = e
	return e, err
}

// ensured opens the engine, and gets one going where there is none. One that is named, or closed to this user, is the user's to mend.
func (p *Pipeline) ensured(ctx context.Context, o engine.Options) (*engine.Engine, error) {
	e, err := p.open(ctx, o)
	if !errors.Is(err, engine.ErrNone) || p.opts.Ensure == nil {
		return e, err
	}
	if err := p.foresight.wait(ctx); err != nil { // before one is installed for nothing
		return nil, err
	}
	if err := p.opts.Ensure(ctx); err != nil {
		return nil, err
	}
	return p.open(ctx, o)
}

func (p *Pipeline) open(ctx context.Context, o engine.Options) (*engine.Engine, error) {
	lookup, err := p.credentials()
	if err != nil {
		return nil, err
	}
	o.Getenv, o.Insecure = p.opts.Getenv, p.cfg.Insecure
	o.Credentials = p.forEngine(lookup)
	o.Listed = p.listed
	return engine.Open(ctx, o)
}

// forEngine gives an engine's base images and pushes the logins that the run has.
func (p *Pipeline) forEngine(lookup registry.Credentials) engine.Credentials {
	lookup = lookup.Awaited(p.notice)
	return func(ctx context.Context, host string) (engine.Credential, error) {
		c, err := lookup(ctx, host)
		return engine.Credential{Username: c.Username, Password: c.Password, IdentityToken: c.IdentityToken}, err
	}
}
