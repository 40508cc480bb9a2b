package git

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"time"
)

const (
	// patience bounds one git process: a folder on a dead network mount must not hang a build that needs none of this.
	patience = 10 * time.Second
	// longest bounds what is read of one answer; remotes are the longest and rarely a page.
	longest = 1 << 20
)

// answer is what one git process said.
type answer struct {
	text, complaint string
	ok              bool
}

// run asks git one question about dir. It never prompts, takes no lock (another run may be going on in the same folder), speaks English.
func run(ctx context.Context, dir string, args ...string) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out, complaint bounded
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &out, &complaint
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	return answer{text: strings.TrimSpace(out.String()), complaint: complaint.String(), ok: err == nil}
}

// note is the one complaint that people must hear: without it the image would silently be version dev.
func (a answer) note(dir string) string {
	if !strings.Contains(a.complaint, "dubious ownership") && !strings.Contains(a.complaint, "unsafe repository") {
		return ""
	}
	return "git does not answer about " + dir + " because another user owns it: run git config --global --add safe.directory " + dir
}

// bounded keeps the first bytes and lets the writer believe that it kept all. The buffer is no embedded field, so that
// nothing can write past the bound with its other methods.
type bounded struct{ kept bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), longest-b.kept.Len())])
	return len(p), nil
}

func (b *bounded) String() string { return b.kept.String() }
