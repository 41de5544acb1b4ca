package tokenstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	sealedExt  = ".sealed"
	asideExt   = ".unreadable"
	maxSealed  = 1 << 20 // bytes; what we write is a few hundred
	tempMarker = ".tmp"
)

// readFile reads a sealed file: ErrNone if there is none, ErrDamaged if it is too large to be ours.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSealed+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxSealed {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", ErrDamaged, maxSealed)
	}
	return raw, nil
}

// writeFile puts a file in its place at once and for good: either the old or the new one is there, also after a power
// cut. Only the OS account can read it (on Windows the folder's own rights see to that).
func writeFile(path string, raw []byte) (err error) {
	dir := filepath.Dir(path)
	if err := privateDir(dir); err != nil {
		return err
	}
	removeLeftovers(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+tempMarker+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// privateDir makes the folder, and closes it to others if it is open to them.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return os.Chmod(dir, 0o700)
}

// removeLeftovers removes what a crash between writing and renaming has left.
func removeLeftovers(path string) {
	dir, base := filepath.Split(path)
	for _, name := range filesIn(dir) {
		if strings.HasPrefix(name, base+tempMarker) {
			_ = os.Remove(filepath.Join(dir, name)) // the next Save tries again
		}
	}
}

// filesIn lists the names in a folder, none if it cannot be read. (filepath.Glob would take a [ in the path for a pattern.)
func filesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// removeFile removes a file; none is fine.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
