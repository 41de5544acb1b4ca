//go:build unix

package sources

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReadFileTakesPlainFilesOnly(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir} {
		if _, err := readFile(path); err == nil || os.IsNotExist(err) {
			t.Errorf("read %s: got %v, want it refused", path, err)
		}
	}
}
