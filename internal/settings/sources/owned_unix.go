//go:build unix

package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// readShared reads a file of the computer for a person: the folders that hold them are root's.
func readShared(path string) ([]byte, error) { return readFile(path) }

// readOwned reads a file that nobody but root can change: the file itself and every folder on its way.
func readOwned(path string) ([]byte, error) {
	f, err := openOwned(path, unix.O_NONBLOCK, 0o022)
	if err != nil {
		return nil, err
	}
	return readAll(f)
}

func forToken(c *Computer) { c.ReadSecret = readSecret }

// readSecret reads a file that nobody but root can read, and that is no link.
func readSecret(path string) ([]byte, error) {
	f, err := openOwned(path, unix.O_NONBLOCK|unix.O_NOFOLLOW, 0o077)
	if err != nil {
		return nil, err
	}
	return readAll(f)
}

// openOwned opens a plain file that is root's (or ours) and has none of the forbidden bits, in folders that only root can change.
func openOwned(path string, flags int, forbidden fs.FileMode) (*os.File, error) {
	if _, err := os.Lstat(path); err != nil { // most often: there is none
		return nil, err
	}
	if err := ownedFolders(path); err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err != nil || ownedFolders(real) != nil { // a link leads through other folders
		return nil, errors.Join(err, ownedFolders(real))
	}
	f, err := os.OpenFile(path, os.O_RDONLY|flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = ownedFile(path, info, forbidden)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func ownedFile(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case !ok || !info.Mode().IsRegular():
		return fmt.Errorf("open %s: not a plain file", path)
	case !ours(st):
		return fmt.Errorf("open %s: it belongs to user id %d and not to root; chown root %s", path, st.Uid, path)
	case mode&forbidden != 0 && forbidden&0o044 != 0:
		return fmt.Errorf("open %s: its mode is %#o, so others can read it; chmod 0600 %s", path, mode, path)
	case mode&forbidden != 0:
		return fmt.Errorf("open %s: its mode is %#o, so others can write it; chmod go-w %s", path, mode, path)
	}
	return nil
}

// adminGroup is the highest id of a group whose members may do what root may: on macOS admin (80) has /Library.
const adminGroup = 80

func ownedFolders(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		others := info.Mode().Perm() & 0o022
		if ok && (st.Gid == 0 || runtime.GOOS == "darwin" && st.Gid <= adminGroup) {
			others &^= 0o020
		}
		// In a folder with the sticky bit only the owner can rename what is theirs.
		if !ok || !ours(st) || others != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("open %s: others may change %s; make that root's, mode 0755", path, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// ours tells whether a file is root's, or this process' where it is not root's (in tests).
func ours(st *syscall.Stat_t) bool { return st.Uid == 0 || int(st.Uid) == os.Geteuid() }
