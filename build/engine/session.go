package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/moby/buildkit/solver/pb"
	"github.com/tonistiigi/fsutil"
)

// mainContext is the name that both the session and the frontend know the
// build context by.
const mainContext = "context"

// wholeContext is the name of all that there is of it, for those whose bases
// may read more than the Dockerfile says.
const wholeContext = "whole context"

// kitBuilder solves over one session: what the engine has seen of the context
// is not sent to it again.
type kitBuilder struct {
	kit     *buildkit
	given   Context
	session *session.Session
	inputs  map[string]*pb.Definition // frontend inputs: the contexts
	opts    map[string]string         // frontend options that every solve has
	sent    atomic.Int64
	fault   atomic.Pointer[error] // why a context cannot be read

	run    context.Context // the session's life
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start opens the session that all solves of a context share.
func (k *buildkit) start(ctx context.Context, c Context) (Builder, error) {
	b := &kitBuilder{kit: k, given: c, inputs: map[string]*pb.Definition{}, opts: map[string]string{}}
	dirs, err := b.contexts(ctx, c)
	if err != nil {
		return nil, err
	}
	if b.session, err = session.NewSession(ctx, sharedKey(c.Dir)); err != nil {
		return nil, fmt.Errorf("open a build session: %w", err)
	}
	if err := b.allow(c, dirs); err != nil {
		return nil, errors.Join(err, b.session.Close())
	}
	b.serve()
	return b, nil
}

// sharedKey names the context to the engine's cache of received files: the
// same directory of the same machine is compared with what it sent last time.
func sharedKey(dir string) string {
	host, _ := os.Hostname() // without one, equal paths of two machines share a cache, which costs bytes and nothing else
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	sum := sha256.Sum256([]byte("manymage\x00" + host + "\x00" + dir))
	return hex.EncodeToString(sum[:])
}

// contexts prepares the directories that the session offers, and the frontend
// inputs and options that refer to them.
func (b *kitBuilder) contexts(ctx context.Context, c Context) (filesync.StaticDirSource, error) {
	dirs := filesync.StaticDirSource{}
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	if err := b.offer(ctx, dirs, mainContext, files, "load build context"); err != nil {
		return nil, err
	}
	if c.Reads != nil {
		if files, err = c.whole().files(); err != nil {
			return nil, err
		}
		if err := b.offer(ctx, dirs, wholeContext, files, "load all of the build context"); err != nil {
			return nil, err
		}
	}
	for _, named := range c.Named {
		if err := b.named(ctx, dirs, named); err != nil {
			return nil, fmt.Errorf("build context %q: %w", named.Name, err)
		}
	}
	return dirs, nil
}

// offer makes a directory one of the session's and an input of the frontend.
// An input is the same definition for every platform, so BuildKit receives it
// once; a directory that the frontend asks for itself is received once for
// each set of paths that a platform copies.
func (b *kitBuilder) offer(ctx context.Context, dirs filesync.StaticDirSource, name string, files fsutil.FS, title string) error {
	local := llb.Local(name, llb.SharedKeyHint(name), llb.WithCustomName("[internal] "+title))
	def, err := local.Marshal(ctx, llb.Platform(b.kit.native))
	if err != nil {
		return err
	}
	b.inputs[name] = def.ToPB()
	dirs[name] = watched{newSteady(files), func(n int64) { b.sent.Add(n) }, b.refuse}
	return nil
}

func (b *kitBuilder) named(ctx context.Context, dirs filesync.StaticDirSource, named Named) error {
	key := "context:" + named.key()
	if named.Name == "" || named.Name == mainContext || named.Name == wholeContext {
		return fmt.Errorf("%w: this name cannot be used; give it another", ErrContext)
	}
	if named.isImage() {
		b.opts[key] = named.Source
		return nil
	}
	files, err := named.context().files()
	if err != nil {
		return err
	}
	b.opts[key] = "input:" + named.Name
	return b.offer(ctx, dirs, named.Name, files, "load build context "+named.Name)
}

// allow lets the engine ask the session for files, credentials, secrets,
// local caches and signatures, and for nothing else.
func (b *kitBuilder) allow(c Context, dirs filesync.StaticDirSource) error {
	b.session.Allow(filesync.NewFSSyncProvider(dirs))
	b.session.Allow(&authServer{find: b.kit.engine.auth})
	secrets, err := newSecrets(c.Secrets, b.kit.engine.getenv)
	if err != nil {
		return err
	}
	b.session.Allow(secrets)
	stores, err := cacheStores(c.Caches)
	if err != nil {
		return err
	}
	b.session.Allow(stores)
	if len(c.SSH) == 0 {
		return nil
	}
	agents, err := sshprovider.NewSSHAgentProvider(agentConfigs(c.SSH, b.kit.engine.getenv))
	if err != nil {
		return fmt.Errorf("forward ssh: %w; start an ssh agent or name a key file", err)
	}
	b.session.Allow(agents)
	return nil
}

func agentConfigs(asked []SSH, getenv func(string) string) []sshprovider.AgentConfig {
	var out []sshprovider.AgentConfig
	for _, one := range asked {
		paths := one.Paths
		if len(paths) == 0 {
			paths = []string{getenv("SSH_AUTH_SOCK")}
		}
		out = append(out, sshprovider.AgentConfig{ID: one.ID, Paths: paths})
	}
	return out
}

// serve runs the session until Close.
func (b *kitBuilder) serve() {
	b.run, b.cancel = context.WithCancel(context.Background())
	b.done.Go(func() {
		// A session that cannot be opened shows in the first solve, which
		// waits for it and fails with the engine's own words.
		_ = b.session.Run(b.run, func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			conn, err := b.kit.engine.api.DialHijack(ctx, "/session", proto, meta)
			if err != nil {
				return nil, err
			}
			return gather(conn), nil
		})
	})
}

// refuse ends the session, and with it every solve: what they would get of the
// context is not what is there.
func (b *kitBuilder) refuse(err error) {
	b.fault.CompareAndSwap(nil, &err)
	b.cancel()
}

// contextInputs are the frontend inputs of a solve: of the context what the
// Dockerfiles read, or the whole.
func (b *kitBuilder) contextInputs(whole bool) map[string]*pb.Definition {
	inputs := maps.Clone(b.inputs)
	if all, ok := inputs[wholeContext]; ok && whole {
		inputs[mainContext] = all
	}
	delete(inputs, wholeContext)
	return inputs
}

// Sent counts the bytes of files that left for the engine.
func (b *kitBuilder) Sent() int64 { return b.sent.Load() }

// Close ends the session and with it every solve that still needs it.
func (b *kitBuilder) Close() error {
	b.cancel()
	err := b.session.Close()
	b.done.Wait()
	return err
}
