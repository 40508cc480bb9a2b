package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// dockerConfig is the part of docker's config.json that is about engines.
type dockerConfig struct {
	CurrentContext string          `json:"currentContext"` // what `docker context use` chose
	Proxies        json.RawMessage `json:"proxies"`        // by an engine's address, or "default"
}

// proxy is how the steps of a build reach the network.
type proxy struct {
	HTTP  string `json:"httpProxy"`
	HTTPS string `json:"httpsProxy"`
	None  string `json:"noProxy"`
	FTP   string `json:"ftpProxy"`
	All   string `json:"allProxy"`
}

// dockerConfig is zero when nobody has configured docker.
func (o Options) dockerConfig() (dockerConfig, error) {
	var file dockerConfig
	dir := o.configDir()
	if dir == "" {
		return file, nil
	}
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil
	case err != nil:
		return file, fmt.Errorf("%w: docker's configuration: %w; make it readable or set DOCKER_HOST", ErrUnreachable, err)
	case len(bytes.TrimSpace(text)) == 0: // as docker has it
		return file, nil
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return file, fmt.Errorf("%w: %s: %w; repair the file or set DOCKER_HOST", ErrUnreachable, path, err)
	}
	return file, nil
}

// buildProxies are the build arguments that the docker command gives every build
// on an engine. A configuration that cannot be read has none: whoever looks for
// credentials in it says so.
func (o Options) buildProxies(host string) (map[string]string, error) {
	file, err := o.dockerConfig()
	if err != nil || file.Proxies == nil {
		return nil, nil
	}
	var all map[string]proxy
	if json.Unmarshal(file.Proxies, &all) != nil {
		return nil, fmt.Errorf("the proxies in %s are not written as docker has them: write {\"default\": {\"httpProxy\": \"http://HOST:PORT\"}}", filepath.Join(o.configDir(), "config.json"))
	}
	one, ok := all[host]
	if !ok {
		one = all["default"]
	}
	args := map[string]string{}
	for name, value := range map[string]string{
		"HTTP_PROXY": one.HTTP, "HTTPS_PROXY": one.HTTPS, "NO_PROXY": one.None, "FTP_PROXY": one.FTP, "ALL_PROXY": one.All,
	} {
		if value != "" {
			args[name], args[strings.ToLower(name)] = value, value
		}
	}
	return args, nil
}

// proxied gives the steps of each solve the proxies of docker's configuration,
// where the caller gives none. Builders know these arguments without an ARG,
// and keep them out of the image and of the cache's keys.
type proxied struct {
	Builder
	args map[string]string
}

func (p proxied) Solve(ctx context.Context, s Solve, hook Hook, onEvent func(Event)) (Built, error) {
	args := maps.Clone(p.args)
	maps.Copy(args, s.BuildArgs)
	s.BuildArgs = args
	return p.Builder.Solve(ctx, s, hook, onEvent)
}
