package stage

import "syscall"

// apart puts a program into a process group of its own: an interrupt at the console is ours to pass on, in order.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
