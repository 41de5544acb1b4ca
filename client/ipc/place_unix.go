//go:build unix

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	socketName = "agent.sock"
	lockName   = "agent.lock"
)

// ErrRunning says that another resident has the place.
var ErrRunning = errors.New("platen is already running for this user")

// Find says where this person's resident listens. getenv is os.Getenv. In this order: the folder PLATEN_RUNTIME_DIR;
// "platen" in the runtime folder of the session (XDG_RUNTIME_DIR; on macOS TMPDIR, which is per user there), if that
// belongs to this user; /tmp/platen-UID.
func Find(getenv func(string) string) (Place, error) {
	dir := getenv(EnvRuntimeDir)
	if dir == "" {
		if base := getenv(runtimeEnv); base != "" && filepath.IsAbs(base) && owned(base) {
			dir = filepath.Join(base, "platen")
		} else {
			dir = filepath.Join("/tmp", "platen-"+strconv.Itoa(os.Getuid()))
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Place{}, fmt.Errorf("find the folder for the socket: %w", err)
	}
	path := filepath.Join(dir, socketName)
	return Place{dir: dir, address: path}, checkLength(path)
}

// owned tells whether the folder belongs to this user.
func owned(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// private tells whether the folder is there, no link, this user's, and closed to everybody else.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is no folder; remove it, or set %s to another one", dir, EnvRuntimeDir)
	case !ok || int(st.Uid) != os.Getuid():
		return fmt.Errorf("%s: %w; set %s to a folder of your own", dir, ErrOtherUser, EnvRuntimeDir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may enter %s: %w", dir, fs.ErrPermission)
	}
	return nil
}

// Listen takes the place, or fails with ErrRunning. A socket that a killed resident left is removed; the lock, which ends
// with its process, tells that it was left.
func Listen(ctx context.Context, place Place) (*Listener, error) {
	if err := os.MkdirAll(filepath.Dir(place.dir), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the socket: %w", err)
	}
	if err := os.Mkdir(place.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder for the socket: %w", err)
	}
	if err := private(place.dir); errors.Is(err, fs.ErrPermission) {
		if err := os.Chmod(place.dir, 0o700); err != nil {
			return nil, fmt.Errorf("close the folder for the socket: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("check the folder for the socket: %w", err)
	}
	lock, err := takeLock(filepath.Join(place.dir, lockName))
	if err != nil {
		return nil, err
	}
	free := func() { _ = lock.Close() } // the file stays: removing it would let two processes lock two files
	if err := os.Remove(place.address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		free()
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", place.address)
	if err != nil {
		free()
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := os.Chmod(place.address, 0o600); err != nil { // the folder is closed already
		_ = l.Close()
		free()
		return nil, fmt.Errorf("close the socket to others: %w", err)
	}
	return &Listener{net: l, place: place, verify: samePeer, free: free}, nil
}

// takeLock locks the file at path until it is closed.
func takeLock(path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrRunning
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return lock, nil
}

// dial connects to the resident, after a look at the folder and before a word is said.
func dial(ctx context.Context, place Place) (net.Conn, error) {
	if err := private(place.dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNotRunning
		}
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", place.address)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, ErrNotRunning
	case err != nil:
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := samePeer(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// samePeer asks the kernel whether the other end is this user's.
func samePeer(conn net.Conn) error {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return fmt.Errorf("check the other end: %T is no socket", conn)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("check the other end: %w", err)
	}
	var uid int
	var credErr error
	if err := raw.Control(func(fd uintptr) { uid, credErr = peerUID(int(fd)) }); err != nil {
		return fmt.Errorf("check the other end: %w", err)
	}
	if credErr != nil {
		return fmt.Errorf("check the other end: %w", credErr)
	}
	if uid != os.Getuid() {
		return fmt.Errorf("%w (uid %d)", ErrOtherUser, uid)
	}
	return nil
}

// Remove removes the folder with what a resident leaves in it, if that is all there is. No resident may run, and none be started
// meanwhile.
func (p Place) Remove() error {
	if err := private(p.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove the folder of the socket: %w", err)
	}
	for _, name := range []string{p.address, filepath.Join(p.dir, lockName), p.dir} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the folder of the socket: %w", err)
		}
	}
	return nil
}
