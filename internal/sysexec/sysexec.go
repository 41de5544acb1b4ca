// Package sysexec is the one door through which Platen starts other programs. Nothing else imports os/exec
// (internal/archtest holds that), so every program that can be started is named in the callers of this package.
//
// A program is always named by its absolute path or found in a fixed list of system folders: never in PATH of the
// environment, never in the working directory (R-EXEC-1). Arguments are a list, there is no shell.
package sysexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotFound says that a program is not in any of the system folders.
var ErrNotFound = errors.New("program not found")

// Find returns the absolute path of a system program, or ErrNotFound. name is a plain file name such as "xdg-open".
func Find(name string) (string, error) {
	if name != filepath.Base(name) {
		return "", fmt.Errorf("find program %q: a plain file name is wanted", name)
	}
	for _, dir := range systemDirs() {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("find program %q: %w", name, ErrNotFound)
}

// Command prepares the program at path, which must be absolute, to run with args until ctx ends.
func Command(ctx context.Context, path string, args ...string) (*exec.Cmd, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("start %q: an absolute path is wanted", path)
	}
	return exec.CommandContext(ctx, path, args...), nil
}

// Sibling returns the path of another Platen program, which lives beside the running one (symbolic links resolved).
func Sibling(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own program: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", fmt.Errorf("find own program: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), name+filepath.Ext(self))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find %s beside %s: %w", name, self, ErrNotFound)
	}
	return path, nil
}
