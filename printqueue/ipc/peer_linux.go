package ipc

import "golang.org/x/sys/unix"

// systemDir is made by systemd (RuntimeDirectory=platen) or by the service itself.
const systemDir = "/run/platen"

// peerCred returns who connected a socket (unix(7), SO_PEERCRED).
func peerCred(fd int) (uid, pid int, err error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, 0, err
	}
	return int(cred.Uid), int(cred.Pid), nil
}
