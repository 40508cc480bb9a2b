package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// command is a process of one side, and the most memory that any of its kind took.
type command struct {
	*exec.Cmd
	env  []string
	peak int64 // bytes, after it has run
	out  bytes.Buffer
}

// command prepares a process that speaks to the engine.
func (b *bench) command(ctx context.Context, name string, args ...string) *command {
	c := &command{Cmd: exec.CommandContext(ctx, name, args...)}
	c.Dir = b.dir
	c.env = []string{"DOCKER_HOST=" + b.host(), "DOCKER_CONFIG=" + b.dir + "/docker", "DOCKER_CLI_EXPERIMENTAL=enabled", "NO_COLOR=1"}
	return c
}

func (b *bench) host() string {
	if b.metered {
		return b.meter.address
	}
	return b.meter.engine.String()
}

// in sets the folder; an empty one is this process's.
func (c *command) in(dir string) *command {
	c.Dir = dir
	return c
}

func (c *command) run() error {
	_, err := c.output()
	return err
}

// output runs the process and gives its stdout.
func (c *command) output() (string, error) {
	var errout bytes.Buffer
	c.Cmd.Env = append(os.Environ(), c.env...)
	c.Stdout, c.Stderr = &c.out, &errout
	err := c.Cmd.Run()
	if c.ProcessState != nil {
		if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			c.peak = usage.Maxrss << 10 // Linux counts in KiB
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(c.Args, " "), err, c.out.String(), errout.String())
	}
	return c.out.String(), nil
}
