package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// helperLimit is how long a helper may take: one that unlocks a keychain asks a person.
	helperLimit = time.Minute
	maxHelper   = 1 << 20 // bytes of an answer; tokens are kilobytes

	// helperNone is the word by which helpers say that they do not have a credential
	// (docker-credential-helpers, credentials/error.go).
	helperNone = "credentials not found in native keychain"

	// tokenUser is the user name by which a helper marks its secret as an identity token.
	tokenUser = "<token>"
)

// askHelper runs `docker-credential-NAME get`, with the server's name on its standard input and never in its arguments.
func askHelper(ctx context.Context, name, server string, getenv func(string) string) (Credential, error) {
	program, err := findHelper(name, getenv)
	if err != nil {
		return Credential{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, helperLimit)
	defer cancel()
	out := &boundedBuffer{limit: maxHelper, full: cancel}
	cmd := exec.CommandContext(ctx, program, "get")
	cmd.Stdin = strings.NewReader(server)
	cmd.Stdout = out
	said := &head{}
	cmd.Stderr = said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) { // it has ended well, and a grandchild keeps the pipe: an agent
		return helperFailed(ctx, name, out.kept, said.kept, err)
	}
	return parseHelper(name, out.kept)
}

// findHelper looks through PATH. A name with a path in it is no helper's.
func findHelper(name string, getenv func(string) string) (string, error) {
	if name != filepath.Base(name) {
		return "", fmt.Errorf("%q is no name of a credential helper", name)
	}
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // as os/exec: not from the current folder
		}
		if found, err := exec.LookPath(filepath.Join(dir, "docker-credential-"+name)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("there is no docker-credential-%s on PATH, which docker's configuration names; install it or take it out of config.json", name)
}

func helperFailed(ctx context.Context, name string, out, complaint []byte, err error) (Credential, error) {
	said := strings.TrimSpace(string(out))
	switch {
	case said == helperNone:
		return Credential{}, nil
	case ctx.Err() == context.DeadlineExceeded:
		return Credential{}, fmt.Errorf("docker-credential-%s did not answer within %s; call it by hand to see what it waits for, or take it out of config.json", name, helperLimit)
	case len(out) >= maxHelper/2 && ctx.Err() != nil:
		return Credential{}, fmt.Errorf("docker-credential-%s did not come to an end with its answer", name)
	case ctx.Err() != nil:
		return Credential{}, context.Cause(ctx)
	}
	var exit *exec.ExitError
	if said == "" || said[0] == '{' { // an answer, with the secret in it
		said = strings.TrimSpace(string(complaint))
	}
	if said != "" && errors.As(err, &exit) { // a helper that fails says why on its standard output, or as programs do
		return Credential{}, fmt.Errorf("docker-credential-%s: %s", name, clip(said))
	}
	return Credential{}, fmt.Errorf("docker-credential-%s: %w", name, err)
}

// parseHelper reads a helper's answer. Its errors do not quote it.
func parseHelper(name string, out []byte) (Credential, error) {
	var answer struct{ Username, Secret string }
	if json.Unmarshal(out, &answer) != nil {
		return Credential{}, fmt.Errorf("docker-credential-%s did not answer in JSON", name)
	}
	if answer.Username == tokenUser {
		return Credential{IdentityToken: answer.Secret}, nil
	}
	return Credential{Username: answer.Username, Password: answer.Secret}, nil
}

// head keeps the beginning of what is written, as much as an error repeats, and takes the rest as well.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), maxSaid+1-len(h.kept))]...)
	return len(p), nil
}

// boundedBuffer is a buffer that refuses to grow beyond its limit, and has the writer stopped then.
// It does not embed bytes.Buffer, whose ReadFrom would go round the limit.
type boundedBuffer struct {
	kept  []byte
	limit int
	full  func()
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if len(b.kept)+len(p) > b.limit {
		b.full()
		return 0, io.ErrShortBuffer
	}
	b.kept = append(b.kept, p...)
	return len(p), nil
}
