//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// mayBecome tells whether this process may go on as the program at path: only root or this person may have written it, and only
// they may put another one in its place. They can start it anyway.
func mayBecome(path string) error {
	if !filepath.IsAbs(path) {
		return errors.New("the path of the program is not known")
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s is no program", path)
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Uid != 0 && int(st.Uid) != os.Getuid() {
			return fmt.Errorf("%s belongs to somebody else", at)
		}
		others := info.Mode().Perm()&0o022 != 0 && st.Gid != 0 || info.Mode().Perm()&0o002 != 0
		if sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0; others && !sticky {
			return fmt.Errorf("others may change %s", at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// become goes on as the program at path, with the same arguments and environment. It returns only if that fails.
func become(path string) error {
	if err := mayBecome(path); err != nil {
		return fmt.Errorf("start anew: %w", err)
	}
	signal.Ignore(syscall.SIGUSR1, syscall.SIGUSR2) // until the new program listens
	return fmt.Errorf("start %s anew: %w", path, syscall.Exec(path, os.Args, os.Environ()))
}
