package private

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is an open private folder. Names are plain file names in it. It is safe for concurrent use by callers that do not
// write the same name.
type Dir struct {
	root *os.Root
	path string
}

// Path is where the folder is, for people.
func (d *Dir) Path() string { return d.path }

// Close lets go of the folder.
func (d *Dir) Close() error { return d.root.Close() }

// Read returns a file, fs.ErrNotExist if there is none, ErrUnsafe if it is not ours alone.
func (d *Dir) Read(name string) ([]byte, error) {
	f, err := d.open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.file(name), err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("read %s: it is larger than %d bytes", d.file(name), maxFile)
	}
	return text, nil
}

// open opens a file that must be ours alone.
func (d *Dir) open(name string, flag int, mode fs.FileMode) (*os.File, error) {
	// Looked at before it is opened, so that a pipe cannot hold us up, and after, so that it is the one we looked at.
	before, err := d.root.Lstat(name)
	switch {
	case err == nil && !before.Mode().IsRegular():
		return nil, fmt.Errorf("open %s: %w (no plain file); remove it", d.file(name), ErrUnsafe)
	case err != nil && (!errors.Is(err, fs.ErrNotExist) || flag&os.O_CREATE == 0):
		return nil, fmt.Errorf("open %s: %w", d.file(name), err)
	case err != nil:
		flag |= os.O_EXCL
	}
	f, err := d.root.OpenFile(name, flag|noFollow, mode)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.file(name), err)
	}
	if err := checkFile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open %s: %w; remove it", d.file(name), err)
	}
	return f, nil
}

// Write puts text in the place of a file, as a whole: after a crash there is the old or the new one.
func (d *Dir) Write(name string, text []byte) error {
	temporary := name + "." + rand.Text()[:8] + ".new"
	f, err := d.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.file(name), err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = d.root.Rename(temporary, name)
	}
	if err == nil {
		err = d.sync()
	}
	if err != nil {
		_ = d.root.Remove(temporary)
		return fmt.Errorf("write %s: %w", d.file(name), err)
	}
	return nil
}

// Remove removes a file; that there is none is no error.
func (d *Dir) Remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", d.file(name), err)
	}
	return nil
}

// Rename gives a file another name in the folder, in the place of what had it.
func (d *Dir) Rename(from, to string) error {
	if err := d.root.Rename(from, to); err != nil {
		return fmt.Errorf("rename %s: %w", d.file(from), err)
	}
	return nil
}

// Append opens a file for writing at its end and makes it if it is missing.
func (d *Dir) Append(name string) (*os.File, error) {
	return d.open(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }
