package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/magefiles/targets/early"
)

// session is what the targets of one command line share: Mage gives a target nothing but a context, so that `build push` finds the
// images of build in push by this.
type session struct {
	settings Settings
	pipeline *build.Pipeline
	cfg      config.Config
	getenv   func(string) string // the environment, with the words of the command line before it
	asked    bool                // git was asked about the folder
	note     string              // what git has to say, until it was said
	display  *progress.Display   // of the target that runs now
	targets  int                 // that the command line names; 0: not known
	started  int                 // of them
}

// describe is what is known of the folder's repository: git.Describe, or nil for what concerns no folder. Git's answers take
// processes, which together take longer than a request to a registry.
type describe func(ctx context.Context, dir string, getenv func(string) string) (git.Info, error)

// process is the one session of this process.
var process = session{targets: entered.targets}

// run does what a target is for, in a folder that git is asked about.
func run(ctx context.Context, do func(context.Context, *session) error) error {
	return process.run(ctx, git.Describe, do)
}

// run does what a target is for: with signals handled, events shown, and the exit code that fits the error.
func (s *session) run(ctx context.Context, ask describe, do func(context.Context, *session) error) error {
	ctx, stop := Signals(ctx)
	defer stop()
	s.started++
	early.LargePages() // initialisation has mostly filled what it was asked for first
	s.getenv = config.Overlay(Words(), os.Getenv)
	err := s.open(ctx, ask)
	options := progress.For(os.Stderr, s.getenv)
	options.Verbose, options.Folder = s.cfg.Verbose, progress.FolderIn(s.getenv("GITHUB_WORKSPACE"), s.cfg.Dir)
	s.display = progress.New(os.Stderr, options)
	if s.note != "" {
		s.display.Send(progress.Notice{Text: s.note})
		s.note = ""
	}
	if err == nil {
		early.LargePages() // and so has the reading of all that
		err = do(ctx, s)
	}
	if err == nil && ctx.Err() != nil && s.started < s.targets {
		err = context.Cause(ctx) // or the next target would begin as if nothing had been said
	}
	if err = because(ctx, err); err != nil {
		s.display.Send(progress.Problem{Text: progress.CleanLines(err.Error())})
	}
	return exit(errors.Join(err, s.display.Close()))
}

// because gives the reason for which the run was ended, a signal or -t, where an error only says that it was.
func because(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cause) // net/http gives the cause
	if !ended || cause == nil {
		return err
	}
	return fmt.Errorf("stopped before the end: %w", cause)
}

// open reads the configuration once, and again when a later target of the command line wants to know of git.
func (s *session) open(ctx context.Context, ask describe) error {
	if s.pipeline != nil && (s.asked || ask == nil) {
		return nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	var info git.Info
	uses := listKnobs()
	if ask != nil {
		uses = nil
		if info, err = ask(ctx, dir, s.getenv); err != nil {
			return err
		}
		s.asked, s.note = true, info.Note
	}
	s.cfg, err = config.Load(config.Input{
		Words:    Words(),
		Getenv:   os.Getenv,
		Dir:      dir,
		Defaults: s.settings.Knobs,
		Extra:    s.settings.Extra,
		Uses:     uses,
		Repository: config.Repository{
			Version: info.Version, Origin: info.Origin, Name: info.Name, Prefix: info.Prefix,
		},
	})
	if err != nil {
		return err
	}
	s.pipeline = build.New(build.Options{
		Config:   s.cfg,
		Git:      info,
		Getenv:   s.getenv,
		Show:     func(e progress.Event) { s.display.Send(e) },
		Embedded: s.settings.Embedded,
		Ensure:   s.settings.Ensure,
		Before:   s.settings.Before,
		Roots:    s.settings.Roots,
		Tool:     linked(),
	})
	return nil
}

// words refuses what is wrong with the words of the command line, for targets that go by none of them.
func (s *session) words() error { return config.CheckWords(Words(), s.settings.Extra) }

// follows tells whether a target of this package is on the command line too, under whatever name the targets were imported.
func follows(target string) bool { return slices.Contains(entered.runs, target) }
