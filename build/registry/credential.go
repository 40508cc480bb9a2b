package registry

import (
	"context"
	"errors"
)

// Credential is who we are at one registry. Its secrets do not print.
type Credential struct {
	Username, Password string
	IdentityToken      string // an OAuth2 refresh token, as `docker login` stores it
	RegistryToken      string // a bearer token to be sent as it is
}

// String hides the secrets.
func (c Credential) String() string { return "credential of " + c.Username }

// GoString hides the secrets from %#v.
func (c Credential) GoString() string { return c.String() }

// Credentials finds the credential for a registry's host ("ghcr.io", "127.0.0.1:5000", "docker.io"). An empty Credential is
// anonymous and no error.
type Credentials func(ctx context.Context, host string) (Credential, error)

// LoadCredentials reads Docker's configuration: config.json in dir, else in DOCKER_CONFIG, else in HOME/.docker, with its
// auths, credsStore and credHelpers. REGISTRY_USER and REGISTRY_PASSWORD win for the host target, which is the registry that the run
// publishes to ("" for none): they are CI's, and CI means where it pushes to. The file is read again for each question, and
// a helper asked again, so that a login during a long run counts.
func LoadCredentials(dir string, getenv func(string) string, target string) (Credentials, error) {
	return nil, errors.ErrUnsupported
}
