//go:build unix

package build

import (
	"os/exec"
	"syscall"
)

// together makes the command the first of a group of processes, which interrupt and kill end as a whole: a script passes no signal on
// to what it waits for.
func together(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
}

// killAll ends what is left of a command's group, if anything is.
func killAll(command *exec.Cmd) {
	if command.Process == nil {
		return
	}
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
}
