//go:build unix

package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/platenprint/platen/server-stub/datadir"
)

// Listen opens the socket in d, which must be locked: what lies there already is left from a server that died.
func Listen(d *datadir.Dir) (net.Listener, error) {
	path := d.File(datadir.Socket)
	if len(path) > maxSocketPath {
		return nil, tooLong(path)
	}
	if err := d.Remove(datadir.Socket); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	return &checked{l}, nil
}

// checked lets in only the server's own user and root.
type checked struct{ net.Listener }

func (c *checked) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(conn); err == nil && (uid == os.Geteuid() || uid == 0) {
			return conn, nil
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = conn.Close()
	}
}

// dial connects to the server of dir and makes sure that it is our own user's, or, for root, that of the folder's owner:
// a call may carry a password.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, datadir.Socket)
	if len(path) > maxSocketPath {
		return nil, tooLong(path)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%w: nothing answers in %s; start it with: platen-server serve --data %s", ErrNotRunning, dir, dir)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	uid, err := peer(conn)
	if err == nil && uid != os.Geteuid() && (os.Geteuid() != 0 || uid != owner(dir)) && uid != 0 {
		err = errRefused
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: the socket in %s belongs to uid %d", errRefused, dir, uid)
	}
	return conn, nil
}

func owner(dir string) int {
	info, err := os.Stat(dir)
	if err != nil {
		return -1
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(st.Uid)
}

func tooLong(path string) error {
	return fmt.Errorf("the path of the socket, %s, has %d bytes, and sockets take %d: choose a data folder with a shorter path", path, len(path), maxSocketPath)
}

// peer returns the effective uid of the other end, as the kernel knows it.
func peer(conn net.Conn) (int, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return -1, errors.New("not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid, failed := -1, error(nil)
	if err := raw.Control(func(fd uintptr) { uid, failed = peerUID(int(fd)) }); err != nil {
		return -1, err
	}
	return uid, failed
}
