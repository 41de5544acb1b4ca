package residents

import "syscall"

// closeFiles keeps from programs we start what whoever has started us left open: the installer's files are not people's.
func closeFiles() {
	const first, most = 3, 256 // what a program may have open by default
	for fd := first; fd < most; fd++ {
		syscall.CloseOnExec(fd)
	}
}
