package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Credential is who we are at one registry. Its secrets do not print.
type Credential struct {
	Username, Password string
	IdentityToken      string // an OAuth2 refresh token, as `docker login` stores it
	RegistryToken      string // a bearer token to be sent as it is
}

// who names the account for messages.
func (c Credential) who() string {
	switch {
	case c.Username != "":
		return c.Username
	case c.IdentityToken != "" || c.RegistryToken != "":
		return "the holder of a token"
	}
	return "anonymous"
}

// login is the cure for credentials that are missing or are not enough.
func login(host string) string {
	return fmt.Sprintf("run `docker login %s` or `podman login %[1]s`", host)
}

// String names the account and hides the secrets.
func (c Credential) String() string { return "credential of " + c.who() }

// Format hides the secrets from every verb.
func (c Credential) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// MarshalJSON hides the secrets from records.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// Credentials finds the credential for a registry's host ("ghcr.io", "127.0.0.1:5000", "docker.io"). An empty Credential is
// anonymous and no error.
type Credentials func(ctx context.Context, host string) (Credential, error)

// Awaited tells of a look-up that takes long, once for each host: a helper may be asking its user something, or hang.
func (c Credentials) Awaited(notice func(text string)) Credentials {
	if c == nil {
		return nil
	}
	var told sync.Map // hosts
	return func(ctx context.Context, host string) (Credential, error) {
		slow := time.AfterFunc(waitingAfter, func() {
			if _, again := told.LoadOrStore(host, true); !again {
				notice("waiting for docker's credential helper to tell the login of " + host)
			}
		})
		defer slow.Stop()
		return c(ctx, host)
	}
}

func (c Credentials) of(ctx context.Context, host string) (Credential, error) {
	if c == nil {
		return Credential{}, nil
	}
	cred, err := c(ctx, host)
	if err != nil {
		return Credential{}, refusal(ErrUnauthorized, "looking up the credentials for %s: %w", host, err)
	}
	return cred, nil
}
