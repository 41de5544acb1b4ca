//go:build unix

package osservice

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Trusted makes sure that nobody but root can put another program in the place of the service's: a service that is started
// from somebody's folder makes them root. The error ends with the remedy.
func Trusted(path, remedy string) error {
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
			return fmt.Errorf("others than root may change %s, so they could put another program in the place of %s; %s", step, path, remedy)
		}
		if step == filepath.Dir(step) {
			return nil
		}
	}
}
