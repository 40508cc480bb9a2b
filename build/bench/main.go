// Command bench measures this project against what it replaces, on the machine's own engine: the Makefile's recipe with the
// docker CLI, its set_image_arch macro, `docker manifest` and, where they are on PATH, other tools for manifest lists and for moving images.
//
//	go run ./build/bench [-only start,job,setarch,lists,transfer] [-sizes 3,100,500] [-rounds 3] [-recipes classic,buildkit] [-blobs shared,own] [-docker docker]
//
// DOCKER_BUILDKIT=0 is for our side alone: it then goes without BuildKit, as the classic recipe does.
//
// Both sides do the same work in alternation, on fresh content that nothing has cached, each into a repository of its own. What they
// send the engine is counted by a proxy, in a round of its own; peak memory is that of the client's process, as the kernel counts it.
// The images are removed afterwards; the engine's build cache is the user's and is not pruned.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// plan is what is to be measured.
type plan struct {
	only    []string
	sizes   []int // MB, of the job
	rounds  int
	recipes []string
	blobs   []string // whose the job's megabytes are
	docker  string   // the CLI
	ours    string   // the compiled targets; empty: compiled first
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := 0
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = 1
	}
	stop()
	os.Exit(code)
}

// sections are all that can be measured.
const sections = "start,job,setarch,lists,transfer"

// among splits a list of words, of which each must be a known one.
func among(option, list, known string) ([]string, error) {
	words := strings.Split(list, ",")
	for _, word := range words {
		if !slices.Contains(strings.Split(known, ","), word) {
			return nil, fmt.Errorf("%s: %q is none of %s", option, word, known)
		}
	}
	return words, nil
}

func parse(args []string) (plan, error) {
	p := plan{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", sections, "what to measure")
	sizes := flags.String("sizes", "3,100,500", "sizes of the job's images in MB")
	recipes := flags.String("recipes", "classic,buildkit", "builders of the recipe")
	blobs := flags.String("blobs", "shared,own", "whose the job's megabytes are: one file for all platforms, or one for each")
	flags.IntVar(&p.rounds, "rounds", 3, "pairs per measurement")
	flags.StringVar(&p.docker, "docker", "docker", "the docker CLI; one from before 23 has BuildKit without a plugin")
	flags.StringVar(&p.ours, "ours", "", "the compiled targets")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	var wrong [3]error
	p.only, wrong[0] = among("-only", *only, sections)
	p.recipes, wrong[1] = among("-recipes", *recipes, "classic,buildkit")
	p.blobs, wrong[2] = among("-blobs", *blobs, "shared,own")
	if err := errors.Join(wrong[:]...); err != nil {
		return p, err
	}
	for n, word := range p.blobs {
		p.blobs[n] = map[string]string{"shared": sharedBlob, "own": ownBlob}[word]
	}
	if p.rounds < 1 {
		return p, fmt.Errorf("-rounds: %d pairs measure nothing", p.rounds)
	}
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 {
			return p, fmt.Errorf("-sizes: %q is no number of MB", size)
		}
		p.sizes = append(p.sizes, n)
	}
	return p, nil
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 2 && args[0] == serveWord {
		return serveRegistry(ctx, args[1])
	}
	p, err := parse(args)
	if err != nil {
		return err
	}
	b, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, section := range []struct {
		name    string
		measure func(context.Context) error
	}{{"start", b.start}, {"job", b.jobs}, {"setarch", b.setarchs}, {"lists", b.lists}, {"transfer", b.transfers}} {
		if !slices.Contains(p.only, section.name) {
			continue
		}
		if err := section.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return nil
}
