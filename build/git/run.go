package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
	err             error
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
	if ctx.Err() != nil {
		err = ctx.Err() // rather than that git was killed
	}
	return answer{text: strings.TrimSpace(out.String()), complaint: complaint.String(), err: err}
}

// note is what people must hear of a failure: without it the image would silently be version dev.
func (a answer) note(dir string) string {
	switch {
	case strings.Contains(a.complaint, "dubious ownership"), strings.Contains(a.complaint, "unsafe repository"):
		return "git does not answer about " + dir + " because another user owns it: run git config --global --add safe.directory " + a.unsafe(dir)
	case errors.Is(a.err, context.DeadlineExceeded):
		return "git has not answered about " + dir + " in " + patience.String() + ": without VERSION the image is version dev; see what makes `git describe --dirty` slow there"
	case errors.Is(a.err, exec.ErrNotFound) && isRepository(dir):
		return dir + " is in a git repository, and there is no git to ask about it: without VERSION the image is version dev"
	}
	return ""
}

// unsafe is what git wants to be told is safe, quoted for a shell: the top of the repository, or of a submodule.
func (a answer) unsafe(dir string) string {
	_, advice, _ := strings.Cut(a.complaint, "--add safe.directory ")
	top, _, _ := strings.Cut(advice, "\n")
	return cmp.Or(top, dir)
}

// refusal is what git has against a repository that it has found: a worktree or submodule that points to what is not there, as in a
// container, or a configuration that it cannot read.
func (a answer) refusal(dir string) string {
	first, _, _ := strings.Cut(a.complaint, "\n")
	why, fatal := strings.CutPrefix(first, "fatal: ")
	if !fatal || strings.Contains(why, "(or any") { // found none in this folder or above it
		return ""
	}
	return "git does not answer about " + dir + ": " + why + "; without VERSION the image is version dev"
}

// isRepository looks for what git looks for, in dir and in the folders that hold it.
func isRepository(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
		return true
	}
	parent := filepath.Dir(dir)
	return parent != dir && isRepository(parent)
}

// bounded keeps the first bytes and lets the writer believe that it kept all. The buffer is no embedded field, so that
// nothing can write past the bound with its other methods.
type bounded struct{ kept bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), longest-b.kept.Len())])
	return len(p), nil
}

func (b *bounded) String() string { return b.kept.String() }
