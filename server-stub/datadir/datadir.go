package datadir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrInUse says that another server holds the folder.
var ErrInUse = errors.New("another platen-server is using this data folder")

// ErrExposed says that others than the owner may enter the folder or own it.
var ErrExposed = errors.New("the data folder is not private")

// unfinished is in the names of files that are being written.
const unfinished = ".new-"

// Dir is an open data folder. Safe for concurrent use.
type Dir struct {
	path string
	root *os.Root
	lock *os.File
}

// Open opens the folder at path, and makes it (0700, with its parents) when there is none. A folder that others may
// enter, or that another user owns, is refused with ErrExposed: its keys may have been read or planted.
func Open(path string) (*Dir, error) {
	if path == "" {
		return nil, errors.New("no data folder given: say --data DIR")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data folder %s: %w", path, err)
	}
	if err := makePrivate(path); err != nil {
		return nil, fmt.Errorf("make the data folder %s: %w", path, err)
	}
	return open(path)
}

// OpenExisting is Open for a folder that must be there already.
func OpenExisting(path string) (*Dir, error) {
	if path == "" {
		return nil, errors.New("no data folder given: say --data DIR")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data folder %s: %w", path, err)
	}
	return open(path)
}

func open(path string) (*Dir, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the data folder: %s is not a folder", path)
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	return &Dir{path: path, root: root}, nil
}

// Path is the folder's absolute path.
func (d *Dir) Path() string { return d.path }

// File is the absolute path of a file in the folder.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// Lock holds the folder for this process until Close, and removes what a server that died left unfinished. It returns ErrInUse when another server holds it.
func (d *Dir) Lock() error {
	f, err := d.root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the data folder %s: %w", d.path, err)
	}
	if err := lock(f); err != nil {
		_ = f.Close()
		if errors.Is(err, ErrInUse) {
			return fmt.Errorf("%s: %w; stop it first, or give this one another --data", d.path, ErrInUse)
		}
		return fmt.Errorf("lock the data folder %s: %w", d.path, err)
	}
	d.lock = f
	return d.tidy()
}

// tidy removes what writes left that were cut short.
func (d *Dir) tidy() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("tidy the data folder %s: %w", d.path, err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), unfinished) {
			if err := d.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close lets the folder go. It may be called more than once.
func (d *Dir) Close() error {
	var err error
	if d.lock != nil {
		err = d.lock.Close() // the lock goes with the file
		d.lock = nil
	}
	return errors.Join(err, d.root.Close())
}

// Exists tells whether there is a file of that name.
func (d *Dir) Exists(name string) (bool, error) {
	_, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Read returns the contents of a file of at most 1 MiB. It fails with fs.ErrNotExist when there is none.
func (d *Dir) Read(name string) ([]byte, error) {
	info, err := d.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > 1<<20 {
		return nil, fmt.Errorf("read %s: it is larger than it can be", d.File(name))
	}
	return d.root.ReadFile(name)
}

// Write replaces a file, or makes it, with the given permission bits. When it returns nil the contents are on the disk;
// when it fails the old file is as it was.
func (d *Dir) Write(name string, contents []byte, perm fs.FileMode) error {
	tmp := name + unfinished + strings.ToLower(rand.Text())
	if err := d.writeNew(tmp, contents, perm); err != nil {
		_ = d.removeFile(tmp)
		return fmt.Errorf("write %s: %w", d.File(name), err)
	}
	if err := d.root.Rename(tmp, name); err != nil {
		_ = d.removeFile(tmp)
		return fmt.Errorf("write %s: %w", d.File(name), err)
	}
	return d.sync()
}

// Create writes a file that must not exist yet (fs.ErrExist).
func (d *Dir) Create(name string, contents []byte, perm fs.FileMode) error {
	tmp := name + unfinished + strings.ToLower(rand.Text())
	defer func() { _ = d.removeFile(tmp) }()
	if err := d.writeNew(tmp, contents, perm); err != nil {
		return fmt.Errorf("write %s: %w", d.File(name), err)
	}
	// A link fails when the name is taken, a rename would replace it; and the file appears whole or not at all.
	if err := d.root.Link(tmp, name); err != nil {
		return fmt.Errorf("write %s: %w", d.File(name), err)
	}
	return d.sync()
}

// Remove deletes a file; that there is none is no error.
func (d *Dir) Remove(name string) error {
	if err := d.removeFile(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", d.File(name), err)
	}
	return nil
}

func (d *Dir) writeNew(name string, contents []byte, perm fs.FileMode) error {
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(contents)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
