package engine

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"path/filepath"

	cerrdefs "github.com/containerd/errdefs"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// dockerEndpoint names the only endpoint of a docker context that matters here.
const dockerEndpoint = "docker"

// address is where an engine may be, and who says so.
type address struct {
	host string
	from string // "DOCKER_HOST"; empty for the usual places
	tls  *tls.Config
}

// addresses are the places to try in turn. Whoever names one gets that alone,
// as with the docker command: asking for one engine and being given another
// would build on the wrong machine.
func (o Options) addresses() ([]address, error) {
	switch {
	case o.Host != "":
		return o.named(o.Host, cmp.Or(o.Origin, "the given address"))
	case o.Context != "":
		return o.fromContext(o.Context, cmp.Or(o.Origin, "the given context"))
	case o.getenv("DOCKER_HOST") != "":
		return o.named(o.getenv("DOCKER_HOST"), "DOCKER_HOST")
	case o.getenv("DOCKER_CONTEXT") != "":
		return o.fromContext(o.getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT")
	}
	docker, err := o.dockerConfig()
	if err != nil {
		return nil, err
	}
	if docker.CurrentContext != "" {
		return o.fromContext(docker.CurrentContext, "docker's current context")
	}
	return o.usual(), nil
}

func (o Options) getenv(name string) string {
	if o.Getenv == nil {
		return ""
	}
	return o.Getenv(name)
}

// usual are the sockets of Docker, rootless Docker, Docker Desktop and Podman.
func (o Options) usual() []address {
	out := []address{{host: client.DefaultDockerHost}}
	add := func(base string, path ...string) {
		if base != "" {
			out = append(out, address{host: "unix://" + filepath.Join(append([]string{base}, path...)...)})
		}
	}
	add(o.getenv("XDG_RUNTIME_DIR"), "docker.sock")
	add(o.getenv("HOME"), ".docker", "run", "docker.sock")
	add(o.getenv("XDG_RUNTIME_DIR"), "podman", "podman.sock")
	add("/run", "podman", "podman.sock")
	return out
}

// named is an address with the TLS material that DOCKER_TLS, DOCKER_TLS_VERIFY and
// DOCKER_CERT_PATH ask for.
func (o Options) named(host, from string) ([]address, error) {
	if _, err := client.ParseHostURL(host); err != nil {
		return nil, fmt.Errorf("%w: %s is %q: %w; give an address such as unix:///var/run/docker.sock or ssh://user@host", ErrUnreachable, from, host, err)
	}
	conf, err := o.environmentTLS(host)
	if err != nil {
		return nil, fmt.Errorf("%w: the certificates for %s: %w; check DOCKER_CERT_PATH", ErrUnreachable, host, err)
	}
	return []address{{host: host, from: from, tls: conf}}, nil
}

// configDir is where docker keeps its contexts; empty when nobody has a home.
func (o Options) configDir() string {
	if dir := cmp.Or(o.ConfigDir, o.getenv("DOCKER_CONFIG")); dir != "" {
		return dir
	}
	if home := o.getenv("HOME"); home != "" {
		return filepath.Join(home, ".docker")
	}
	return ""
}

// fromContext reads an address from docker's context store. The name "default"
// stands for the usual places.
func (o Options) fromContext(name, from string) ([]address, error) {
	if name == "default" {
		return o.usual(), nil
	}
	kept := store.New(filepath.Join(o.configDir(), "contexts"), storeConfig())
	meta, err := kept.GetMetadata(name)
	if cerrdefs.IsNotFound(err) {
		return nil, fmt.Errorf("%w: %s is %q, and there is no such docker context; `docker context ls` lists them", ErrUnreachable, from, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s is %q: %w; `docker context ls` lists the contexts", ErrUnreachable, from, name, err)
	}
	end, ok := meta.Endpoints[dockerEndpoint].(dockercontext.EndpointMetaBase)
	if !ok || end.Host == "" {
		return nil, fmt.Errorf("%w: the context %q has no docker endpoint; choose another with DOCKER_CONTEXT", ErrUnreachable, name)
	}
	conf, err := contextTLS(kept, name, end)
	if err != nil {
		return nil, fmt.Errorf("%w: the certificates of context %q: %w; create the context again", ErrUnreachable, name, err)
	}
	return []address{{host: end.Host, from: fmt.Sprintf("the context %q", name), tls: conf}}, nil
}

// storeConfig tells the store which types its JSON has.
func storeConfig() store.Config {
	return store.NewConfig(func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockerEndpoint, func() any { return &dockercontext.EndpointMetaBase{} }))
}
