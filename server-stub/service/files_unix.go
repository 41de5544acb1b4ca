//go:build linux || darwin

package service

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/platenprint/platen/internal/osservice"
)

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
	return osservice.Trusted(path, "move platen-server to /usr/local/bin or make both root's")
}

// remove deletes a file or a folder with all in it; that there is none is no error. os.RemoveAll follows no link.
func remove(paths ...string) error {
	var errs []error
	for _, path := range paths {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
