package macos

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/platenprint/platen/installer/flatpkg"
)

// content reads a small file of a package.
func content(f flatpkg.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// put writes a file of a package to the disk.
func put(name string, f flatpkg.File) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.Mode.Perm())
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Close(), r.Close())
}
