package engine

import (
	"context"
	"fmt"
	"os"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"google.golang.org/grpc"
)

// authServer gives the engine the credentials of the registries that base
// images come from. What it does not implement (tokens fetched by the client)
// the engine then does itself.
type authServer struct {
	auth.UnimplementedAuthServer
	find Credentials
}

func (s *authServer) Register(server *grpc.Server) { auth.RegisterAuthServer(server, s) }

// Credentials answers for one host.
func (s *authServer) Credentials(ctx context.Context, req *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	found, err := s.find(ctx, registryHost(req.Host))
	if err != nil {
		return nil, err
	}
	if found.IdentityToken != "" {
		return &auth.CredentialsResponse{Secret: found.IdentityToken}, nil
	}
	return &auth.CredentialsResponse{Username: found.Username, Secret: found.Password}, nil
}

// registryHost undoes the one alias that engines use on the wire.
func registryHost(host string) string {
	if host == "registry-1.docker.io" || host == "index.docker.io" {
		return "docker.io"
	}
	return host
}

// secretStore reads a secret when a step asks for it, never before.
type secretStore map[string]func() ([]byte, error)

func newSecrets(asked []Secret, getenv func(string) string) (session.Attachable, error) {
	store := secretStore{}
	for _, one := range asked {
		switch {
		case one.ID == "":
			return nil, fmt.Errorf("%w: a secret has no id; write id=NAME,src=FILE or id=NAME,env=VARIABLE", ErrContext)
		case one.File != "" && one.Env != "":
			return nil, fmt.Errorf("%w: the secret %q has both a file and a variable; keep one", ErrContext, one.ID)
		case one.File == "" && one.Env == "":
			return nil, fmt.Errorf("%w: the secret %q has no source; add src=FILE or env=VARIABLE", ErrContext, one.ID)
		case one.Env != "":
			store[one.ID] = func() ([]byte, error) { return []byte(getenv(one.Env)), nil }
		default:
			if _, err := os.Stat(one.File); err != nil {
				return nil, fmt.Errorf("%w: the secret %q: %w; correct src", ErrContext, one.ID, err)
			}
			store[one.ID] = func() ([]byte, error) { return os.ReadFile(one.File) }
		}
	}
	return secretsprovider.NewSecretProvider(store), nil
}

// GetSecret implements BuildKit's secrets.SecretStore.
func (s secretStore) GetSecret(_ context.Context, id string) ([]byte, error) {
	read, ok := s[id]
	if !ok {
		return nil, secrets.ErrNotFound
	}
	return read()
}
