package testenv

import (
	"os/exec"
	"syscall"
)

// ownGroup lets a program be killed with everything it starts, and end when the tests do.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup kills what is left of a program's group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // mostly nothing is
