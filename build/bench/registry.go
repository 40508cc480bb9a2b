package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/manymage/manymage/build/registry/local"
)

// serveWord is the command line by which this program is its own registry: in a process of its own, because the kernel counts
// a parent's memory at the start of a child as the child's, and a registry that has taken a large push would be counted.
const serveWord = "serve"

// serveRegistry serves until its stdin ends.
func serveRegistry(ctx context.Context, dir string) error {
	s, err := local.Serve(ctx, local.Options{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println(s.Address())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// registry is the process that serves.
type registry struct {
	address string
	process *exec.Cmd
	stdin   io.Closer
}

// startRegistry leaves the end of the process to close, which ends it after everything else, whatever has become of ctx.
func startRegistry(dir string) (*registry, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, serveWord, dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &registry{process: cmd, stdin: stdin}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.address = strings.TrimSpace(address)
	return r, nil
}

func (r *registry) close() error { return errors.Join(r.stdin.Close(), r.process.Wait()) }
