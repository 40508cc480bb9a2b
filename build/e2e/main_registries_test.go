package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/registry/registrytest"
)

// The account of the private registry; the hash is bcrypt's of the password, which docker-registry's htpasswd wants.
const (
	User         = "ada"
	Password     = "lovelace-1815"
	passwordHash = "$2b$05$abcdefghijklmnopqrstuuUm1bmQ6hqDn8C0JyX9j.Na0sccPtBsW"
)

// Registry is a running docker-registry of Debian's.
type Registry struct {
	Host           string // 127.0.0.1:PORT
	User, Password string // "" where nobody is asked
	log            *Transcript
	stop           func()
}

// Stop ends the registry; what it held stays unreachable.
func (r *Registry) Stop() { r.stop() }

// Log is everything that the registry wrote so far: a line per request among it.
func (r *Registry) Log() string { return r.log.String() }

// Writes counts the requests so far that sent something to the repository: blobs and manifests, and blobs of other repositories. An
// upload that was only begun has sent nothing.
func (r *Registry) Writes(repo string) int {
	name := regexp.QuoteMeta(strings.TrimPrefix(repo, r.Host+"/"))
	return len(regexp.MustCompile(`"((PUT|PATCH) /v2/`+name+`/|POST /v2/`+name+`/\S*mount=)`).FindAllString(r.Log(), -1))
}

// Plain is the shared registry that asks nobody.
func Plain(t *testing.T) *Registry {
	t.Helper()
	Tools(t)
	return lazily(t, "docker-registry", func() (*Registry, error) { return startRegistry("", suite.atEnd) })
}

// Private is the shared registry that wants User and Password.
func Private(t *testing.T) *Registry {
	t.Helper()
	Tools(t)
	return lazily(t, "docker-registry with htpasswd", func() (*Registry, error) {
		htpasswd := filepath.Join(suite.temp, "htpasswd")
		if err := os.WriteFile(htpasswd, []byte(User+":"+passwordHash+"\n"), 0o600); err != nil {
			return nil, err
		}
		r, err := startRegistry(fmt.Sprintf("auth: {htpasswd: {realm: e2e, path: %q}}\n", htpasswd), suite.atEnd)
		if err == nil {
			r.User, r.Password = User, Password
		}
		return r, err
	})
}

// OwnRegistry is a registry of this test alone, with more lines for its config.yml ("" for none); it ends with the test.
func OwnRegistry(t *testing.T, config string) *Registry {
	t.Helper()
	Tools(t)
	r, err := startRegistry(config, t.Cleanup)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// startRegistry runs one with a folder of its own.
func startRegistry(config string, atEnd func(func())) (*Registry, error) {
	dir, err := os.MkdirTemp(suite.temp, "registry-")
	if err != nil {
		return nil, err
	}
	log := &Transcript{}
	r, err := registrytest.Debian(dir, config, log)
	if err != nil {
		return nil, err
	}
	atEnd(r.Stop)
	return &Registry{Host: r.Host, log: log, stop: r.Stop}, nil
}

// Repo is a repository that belongs to the test: "127.0.0.1:PORT/e2e/NAME-HASH".
func (r *Registry) Repo(t *testing.T) string {
	hash := sha256.Sum256([]byte(t.Name()))
	name := strings.ToLower(strings.TrimPrefix(strings.Split(t.Name(), "/")[0], "Test"))
	return fmt.Sprintf("%s/e2e/%s-%x", r.Host, name, hash[:4])
}

// Login is a DOCKER_CONFIG folder that knows the registry's account.
func (r *Registry) Login(t *testing.T) string {
	t.Helper()
	return Dir(t, Files{"config.json": fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, r.Host, basic(r.User, r.Password))})
}

// do sends a request as the registry's user.
func (r *Registry) do(req *http.Request) (*http.Response, error) {
	if r.User != "" {
		req.SetBasicAuth(r.User, r.Password)
	}
	return http.DefaultClient.Do(req)
}
