//go:build linux || darwin

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	socketName = "deploy.sock"
	lockName   = "deploy.lock"
)

// Place is where the service listens, and whose it must be. It prints as what it is.
type Place struct {
	dir     string // the folder of the socket
	address string // the socket's path
	owner   string // the user id that the service must have
}

// maxPath is the longest path of a socket that every system takes (sun_path has 104 bytes on macOS, 108 on Linux).
const maxPath = 100

// System is where the service of this computer listens: a socket in a folder of root's.
func System() Place { return At(systemDir, "0") }

// At is another place, for tests: a folder, and the user id of whoever serves there ("" for this process's).
func At(dir, owner string) Place {
	if owner == "" {
		owner = strconv.Itoa(os.Getuid())
	}
	return Place{dir: dir, address: filepath.Join(dir, socketName), owner: owner}
}

// listener is the service's end.
type listener struct {
	net.Listener
	lock *os.File
}

func (l *listener) Close() error {
	err := l.Listener.Close() // removes the socket
	_ = l.lock.Close()
	return err
}

// earlyPeer: the kernel knows who is at the other end of a socket before anything was said.
const earlyPeer = true

// listen takes the place. The folder is made if it is missing; everything else that is not as it must be is refused:
// whoever could have prepared the folder could also answer in our place. Nothing is followed, and modes are set through
// file descriptors (R-LINK-1).
func listen(ctx context.Context, place Place) (net.Listener, error) {
	if len(place.address) > maxPath {
		return nil, fmt.Errorf("the path of the socket is longer than %d bytes: %s", maxPath, place)
	}
	if strconv.Itoa(os.Getuid()) != place.owner {
		return nil, fmt.Errorf("take %s: this must run as user id %s", place, place.owner)
	}
	dir, err := openDir(place)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	lock, err := takeLock(dir, place)
	if err != nil {
		return nil, err
	}
	l, err := bind(ctx, dir, place)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &listener{Listener: l, lock: lock}, nil
}

// openDir makes the folder if it is missing, and opens it if it is the service's alone.
func openDir(place Place) (*os.Root, error) {
	if err := os.Mkdir(place.dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of the socket: %w", err)
	}
	fd, err := unix.Open(place.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the folder of the socket, %s (a link is refused): %w", place.dir, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("look at %s: %w", place.dir, err)
	}
	if strconv.Itoa(int(st.Uid)) != place.owner {
		return nil, fmt.Errorf("%s belongs to user id %d, not to %s: somebody has prepared it; remove it", place.dir, st.Uid, place.owner)
	}
	if err := unix.Fchmod(fd, 0o755); err != nil {
		return nil, fmt.Errorf("set the mode of %s: %w", place.dir, err)
	}
	root, err := os.OpenRoot(place.dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place.dir, err)
	}
	if err := sameDir(root, st); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("open %s: %w", place.dir, err)
	}
	if err := checkParents(place); err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

func sameDir(root *os.Root, want unix.Stat_t) error {
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Ino != want.Ino || st.Dev != want.Dev {
		return errors.New("it changed while it was looked at")
	}
	return nil
}

// daemonGroup is the group of /var/run on macOS; no person is in it.
const daemonGroup = 1

// checkParents makes sure that nobody else can put another folder in the place of ours.
func checkParents(place Place) error {
	for dir := filepath.Dir(place.dir); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("look at %s: %w", dir, err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		owned := ok && (st.Uid == 0 || strconv.Itoa(int(st.Uid)) == place.owner)
		others := info.Mode().Perm() & 0o022
		if ok && (st.Gid == 0 || runtime.GOOS == "darwin" && st.Gid == daemonGroup) {
			others &^= 0o020
		}
		// In a folder with the sticky bit only the owner can rename what is theirs.
		if !owned || others != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("others may change %s, where the folder of the socket is: make it root's, mode 0755", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// takeLock tells whether a service runs here already. It ends with its process.
func takeLock(dir *os.Root, place Place) (*os.File, error) {
	lock, err := dir.OpenFile(lockName, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock beside %s: %w", place, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrRunning
		}
		return nil, fmt.Errorf("lock %s: %w", place, err)
	}
	return lock, nil
}

// bind removes the socket that a killed service left, and makes one that everybody may connect to.
func bind(ctx context.Context, dir *os.Root, place Place) (net.Listener, error) {
	info, err := dir.Lstat(socketName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("look at %s: %w", place, err)
	default:
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || info.Mode().Type() != fs.ModeSocket || strconv.Itoa(int(st.Uid)) != place.owner {
			return nil, fmt.Errorf("%s is there already and is not a socket of the service: somebody has prepared it; remove it", place)
		}
		if err := dir.Remove(socketName); err != nil {
			return nil, fmt.Errorf("remove the old socket: %w", err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", place.address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", place, err)
	}
	// Only we can change the folder, so the name is the socket that was just made.
	if err := dir.Chmod(socketName, 0o666); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open %s to users: %w", place, err)
	}
	return l, nil
}

// identify asks the kernel who is at the other end.
func identify(conn net.Conn) (Peer, error) {
	uid, pid, err := peerOf(conn)
	return Peer{UID: strconv.Itoa(uid), PID: pid}, err
}

// early names the user for the limits, before anything is read.
func early(conn net.Conn) (string, error) {
	peer, err := identify(conn)
	return limitKey(peer), err
}

func peerOf(conn net.Conn) (uid, pid int, err error) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return 0, 0, fmt.Errorf("ask who is at the other end: %T is no socket", conn)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, 0, fmt.Errorf("ask who is at the other end: %w", err)
	}
	var credErr error
	if err := raw.Control(func(fd uintptr) { uid, pid, credErr = peerCred(int(fd)) }); err != nil {
		return 0, 0, fmt.Errorf("ask who is at the other end: %w", err)
	}
	if credErr != nil {
		return 0, 0, fmt.Errorf("ask who is at the other end: %w", credErr)
	}
	return uid, pid, nil
}

// dial connects and makes sure that the service is at the other end.
func dial(ctx context.Context, place Place) (net.Conn, error) {
	info, err := os.Lstat(place.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notRunning(place)
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", place.dir, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || strconv.Itoa(int(st.Uid)) != place.owner || info.Mode().Perm()&0o022 != 0 {
		return nil, &Error{Code: CodeImpostor, Text: fmt.Sprintf("others than the service may change %s; remove it and start the service anew", place.dir)}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", place.address)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, notRunning(place)
	case err != nil:
		return nil, fmt.Errorf("connect to %s: %w", place, err)
	}
	uid, _, err := peerOf(conn)
	if err == nil && strconv.Itoa(uid) != place.owner {
		err = wrongOwner(place, "user id "+strconv.Itoa(uid))
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
