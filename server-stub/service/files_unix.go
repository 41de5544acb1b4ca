//go:build linux || darwin

package service

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// replace writes a file of the system, 0644, in the place of what was there.
func replace(path, text string) error {
	temporary := path + "." + rand.Text()[:8]
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}

// offer writes the configuration to fill in, if there is none, in a folder that it makes if there is none. Only root and the group of
// the service's account read there: passwords of directories come beside it.
func offer(path, text string, gid int) error {
	dir := filepath.Dir(path)
	err := os.Mkdir(dir, 0o750)
	if err == nil {
		err = os.Chown(dir, 0, gid)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Chown(0, gid), f.Chmod(0o640), f.Close())
}

// installable makes sure that root installs, and a program that only root can replace.
func installable(path string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can; run it with sudo")
	}
	return trusted(path)
}

// trusted makes sure that nobody but root can put another program in the place of the service's.
func trusted(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("look at the program: %w", err)
	}
	for step := real; ; step = filepath.Dir(step) {
		info, err := os.Lstat(step)
		if err != nil {
			return fmt.Errorf("look at the program: %w", err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		others := info.Mode().Perm() & 0o022
		if ok && st.Gid == 0 {
			others &^= 0o020
		}
		if !ok || st.Uid != 0 || others != 0 && (!info.IsDir() || info.Mode()&fs.ModeSticky == 0) {
			return fmt.Errorf("others than root may change %s, so they could put another program in the place of %s; "+
				"move platen-server to /usr/local/bin or make both root's", step, path)
		}
		if step == filepath.Dir(step) {
			return nil
		}
	}
}

// remove deletes a file or a folder with all in it; that there is none is no error. os.RemoveAll follows no link.
func remove(paths ...string) error {
	var errs []error
	for _, path := range paths {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
