//go:build !darwin

package residents

import (
	"fmt"
	"os"
	"path/filepath"
)

// beside is the folder of the running program, links resolved.
func beside() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", fmt.Errorf("find own program: %w", err)
	}
	return filepath.Dir(self), nil
}
