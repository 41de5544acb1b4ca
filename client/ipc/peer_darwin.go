package ipc

import "golang.org/x/sys/unix"

const runtimeEnv = "TMPDIR"

// peerUID returns who is at the other end of a socket (unix(4) of macOS, LOCAL_PEERCRED).
func peerUID(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
