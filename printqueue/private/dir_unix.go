//go:build unix

package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW

// Open makes the folder if it is missing, mode 0700, and opens it. It must be this user's, no link, and in folders
// that nobody else can change. A mode that lets others in is mended.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", path, err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	if err := checkParents(path); err != nil {
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s (a link is refused): %w", path, err)
	}
	dir := os.NewFile(uintptr(fd), path)
	defer func() { _ = dir.Close() }()
	info, err := dir.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("open %s: %w: it belongs to user id %d; remove it", path, ErrUnsafe, st.Uid)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := dir.Chmod(0o700); err != nil {
			return nil, fmt.Errorf("close %s to others: %w", path, err)
		}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if now, err := root.Stat("."); err != nil || !os.SameFile(now, info) {
		_ = root.Close()
		return nil, fmt.Errorf("open %s: %w: it changed while it was looked at", path, ErrUnsafe)
	}
	return &Dir{root: root, path: path}, nil
}

// checkParents makes sure that nobody else can put another folder in the place of ours.
func checkParents(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("look at %s: %w", dir, err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		others := info.Mode().Perm() & 0o022
		if ok && st.Gid <= adminGroup {
			others &^= 0o020
		}
		// In a folder with the sticky bit only the owner can rename what is theirs.
		if !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid() || others != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("open %s: %w: others may change %s; make that root's, mode 0755", path, ErrUnsafe, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// checkFile makes sure that an open file is a plain one of ours, with one name.
func checkFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return fmt.Errorf("%w (no plain file)", ErrUnsafe)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%w (it belongs to user id %d)", ErrUnsafe, st.Uid)
	case st.Nlink != 1:
		return fmt.Errorf("%w (it has %d names)", ErrUnsafe, st.Nlink)
	case info.Mode().Perm()&0o022 != 0: // who may read it does not matter: nobody else can enter the folder
		return fmt.Errorf("%w (its mode is %#o)", ErrUnsafe, info.Mode().Perm())
	}
	return nil
}

// sync makes a rename last.
func (d *Dir) sync() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Lock takes the folder for this process, until the returned function is called or the process ends. ErrBusy if another
// one has it.
func (d *Dir) Lock() (func(), error) {
	f, err := d.open("lock", os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrExist) { // made by another one between two looks
		f, err = d.open("lock", os.O_RDWR, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("take %s: %w", d.path, ErrBusy)
		}
		return nil, fmt.Errorf("lock %s: %w", d.path, err)
	}
	return func() { _ = f.Close() }, nil
}
