// Package image holds pure functions on an image's config and root filesystem: what the image runs, whether
// that agrees with the platform on its label (Check), and how the label is repaired (Relabel).
//
//	config + root --> what runs (Entrypoint, Cmd, shells, wrappers, #! lines, PATH)
//	              --> each program's ELF header, loader, ARM version; the libraries of what is run,
//	                  what a Python, Node, Ruby, Perl, PHP, .NET, Erlang, R or Lua that is loads by itself, and a server as it is told
//	              --> Report, or a Refusal that lists every Fault
//
// Nothing is executed, only regular files are ever opened, and symbolic links never lead out of the root.
//
// By file:
//
//	check checker      a run of Check and what it keeps; facts, fault and remarks are what goes in and comes out
//	follow find        a command's words --> its program --> what that starts in turn
//	command_*          ... where that is told by the words of programs: #! lines, execline, env, wrappers, supervisors, package managers
//	host               ... or by a script, through which package shell walks; probe is what one only tries
//	judge              a program's header against the declared platform
//	search             every program on PATH
//	relabel config     the label, and its repair
//
// Package tree sees the root as a kernel does, and view as a command does; modules looks at what programs load: libraries, and the modules of
// interpreters and servers.
package image

import (
	"io/fs"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// Options of Check. The zero value allows nothing foreign.
type Options struct {
	// AllowForeign lists paths inside the image whose faults are wanted ones ("/opt/firmware/boot.elf"): they become
	// notes. A path that ends in "/" stands for everything below it. Both the path as the image names it and the
	// path of the file behind symbolic links count.
	AllowForeign []string
}

// Verdict says whether Check had anything to judge by.
type Verdict string

// Verified: at least one program that the image runs was read and fits. Unverified: there was none, and
// Report.Notes say why.
const (
	Verified   Verdict = "verified"
	Unverified Verdict = "unverified"
)

// Role is why a program was looked at.
type Role string

// The roles, from the strongest to the weakest claim.
const (
	Entry       Role = "entrypoint"  // what Entrypoint and Cmd start, wrappers and shells on the way included
	Interpreter Role = "interpreter" // named by a #! line
	Loader      Role = "loader"      // named by PT_INTERP
	Helper      Role = "helper"      // on the image's PATH
	Health      Role = "healthcheck" // started by HEALTHCHECK; what need not fail is a note
)

// Program is one program that was read.
type Program struct {
	Path string        // the regular file, absolute inside the image, links resolved
	Name string        // the word or path by which it was reached
	Role Role          // the strongest of its roles
	ELF  platforms.ELF // zero for a script
	Go   platforms.GoBuild
}

// Report is the result of a check that refused nothing. Programs are ordered by role, then path.
type Report struct {
	Verdict  Verdict
	Programs []Program
	Notes    []string // one sentence each, for people; of more than 200 the last says how many are left out
}

// defaultPath is what engines put into PATH when the image does not (moby: oci/defaults).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Check follows what an image with this config runs in this root and compares every program, and every executable on
// the image's PATH, with the declared platform. For another system than Linux it looks for one thing alone: a Linux
// program as what the image starts.
//
// The error is a *Refusal (errors.Is ErrRefused) with all faults, or a failure to read config or root. The report is
// filled as far as the check came even when it refuses. root may be nil for an image without layers; it should
// implement fs.ReadLinkFS, and must bear eight goroutines reading at once. Every Lstat, ReadLink and head of a program is
// asked for once; a root that answers from memory for what it has listed makes the check cheap.
func Check(config []byte, root fs.FS, declared ocispec.Platform, opts Options) (Report, error) {
	facts, err := FactsOf(config)
	if err != nil {
		return Report{Verdict: Unverified}, err
	}
	declared = platforms.Normalize(declared)
	if root == nil {
		root = emptyFS{}
	}
	c := newChecker(tree.New(root), declared, facts)
	c.wanted(opts.AllowForeign)
	follow := c.follow
	if declared.OS != platforms.Linux {
		follow = c.elsewhere
	}
	if err := follow(facts); err != nil {
		r, _ := c.report()
		return r, err
	}
	return c.report()
}

// first is the situation in which an engine starts the image.
func (c *checker) first(facts Facts) frame {
	search, ok := c.Env["PATH"]
	if !ok {
		search = defaultPath
	}
	return frame{Frame: shell.Frame{Dir: shell.Absolute("/", facts.WorkingDir), Path: shell.PathList(search)}, role: Entry}
}

// follow looks at everything that the image claims to be able to run.
func (c *checker) follow(facts Facts) error {
	f := c.first(facts)
	words := slices.Concat(facts.Entrypoint, facts.Cmd)
	if len(words) == 0 || words[0] == "" {
		c.note(f, "the image names neither ENTRYPOINT nor CMD")
	} else if err := c.run(words, f); err != nil {
		return err
	}
	if err := c.health(facts.Healthcheck, f); err != nil {
		return err
	}
	if err := c.judgeProbes(); err != nil {
		return err
	}
	var group errgroup.Group
	group.Go(c.loads.Libraries) // a chain of few reads, beside the many of PATH
	group.Go(c.loads.Modules)
	group.Go(func() error { return c.helpers(f) })
	if err := group.Wait(); err != nil {
		return err
	}
	if len(c.programs) == 0 && len(c.faults) == 0 {
		c.note(f, "there is no program in the image to judge the platform by")
	}
	return nil
}

// health follows the health check's command, whose faults are only worth a note.
func (c *checker) health(test []string, f frame) error {
	f.role = Health
	if len(test) < 2 {
		return nil
	}
	switch test[0] {
	case "CMD":
		return c.run(test[1:], f)
	case "CMD-SHELL":
		return c.text(test[1], nil, f)
	}
	return nil
}

// environment turns the config's Env into a map; of one name given twice the last counts.
func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// emptyFS is the root of an image without layers.
type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
