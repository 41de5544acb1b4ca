//go:build unix

package osservice

import (
	"crypto/rand"
	"errors"
	"os"
)

// Replace writes a file of the system, 0644, in the place of what was there; nobody sees half of it.
func Replace(path, text string) error {
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
