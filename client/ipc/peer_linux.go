package ipc

import "golang.org/x/sys/unix"

const runtimeEnv = "XDG_RUNTIME_DIR"

// peerUID returns who is at the other end of a socket (unix(7), SO_PEERCRED).
func peerUID(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
