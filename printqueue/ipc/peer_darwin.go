package ipc

import "golang.org/x/sys/unix"

// systemDir is emptied when macOS starts; the service makes it.
const systemDir = "/var/run/platen"

// peerCred returns who connected a socket (unix(4) of macOS, LOCAL_PEERCRED and LOCAL_PEERPID).
func peerCred(fd int) (uid, pid int, err error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, 0, err
	}
	if pid, err = unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID); err != nil {
		pid = 0 // a nicety
	}
	return int(cred.Uid), pid, nil
}
