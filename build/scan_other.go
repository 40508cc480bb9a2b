//go:build !unix

package build

import "os/exec"

// together leaves a command as it is: it is killed by itself, as exec does.
func together(*exec.Cmd) {}

// killAll has nothing to end.
func killAll(*exec.Cmd) {}
