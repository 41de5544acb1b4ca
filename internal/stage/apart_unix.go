//go:build unix

package stage

import "syscall"

// apart puts a program into a process group of its own: an interrupt at the terminal is ours to pass on, in order.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
