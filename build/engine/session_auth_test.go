package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/buildkit/session/auth"
)

// BuildKit asks for Docker Hub by the host that it pulls from, and knows an OAuth registry's token by the name that is missing.
func TestSessionCredentials(t *testing.T) {
	server := &authServer{find: func(_ context.Context, host string) (Credential, error) {
		switch host {
		case "docker.io":
			return Credential{Username: "ada", Password: "secret"}, nil
		case "oauth.example":
			return Credential{Username: "<token>", IdentityToken: "refresh"}, nil
		case "open.example":
			return Credential{}, nil
		}
		return Credential{}, errors.New("no helper")
	}}
	for host, want := range map[string][2]string{
		"registry-1.docker.io": {"ada", "secret"},
		"index.docker.io":      {"ada", "secret"},
		"docker.io":            {"ada", "secret"},
		"oauth.example":        {"", "refresh"},
		"open.example":         {},
	} {
		got, err := server.Credentials(t.Context(), &auth.CredentialsRequest{Host: host})
		if err != nil || got.Username != want[0] || got.Secret != want[1] {
			t.Errorf("%s: %q, %q, %v", host, got.GetUsername(), got.GetSecret(), err)
		}
	}
	if _, err := server.Credentials(t.Context(), &auth.CredentialsRequest{Host: "other.example"}); err == nil {
		t.Error("a helper that fails is nobody who has no credentials")
	}
}
