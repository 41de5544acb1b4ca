//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestR_EXEC_1_OnlyAProgramOfRootsOrOnesOwnTakesOver(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be several users")
	}
	const other = 54321
	for name, test := range map[string]struct {
		prepare func(dir, path string) error
		want    bool
	}{
		"as installed":            {func(_, _ string) error { return nil }, true},
		"gone":                    {func(_, path string) error { return os.Remove(path) }, false},
		"somebody else's":         {func(_, path string) error { return os.Chown(path, other, other) }, false},
		"everybody's":             {func(_, path string) error { return os.Chmod(path, 0o777) }, false},
		"a group's":               {func(_, path string) error { return errors.Join(os.Chown(path, 0, other), os.Chmod(path, 0o775)) }, false},
		"no program":              {func(_, path string) error { return os.Chmod(path, 0o644) }, false},
		"a link":                  {func(_, path string) error { return errors.Join(os.Remove(path), os.Symlink("/usr/bin/true", path)) }, false},
		"a folder":                {func(_, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) }, false},
		"in somebody's folder":    {func(dir, _ string) error { return os.Chown(dir, other, other) }, false},
		"in everybody's folder":   {func(dir, _ string) error { return os.Chmod(dir, 0o777) }, false},
		"in a folder like /tmp's": {func(dir, _ string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := os.MkdirTemp("/tmp", "platen-become-") //nolint:usetesting // the folders above count, too
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(root) })
			dir := filepath.Join(root, "bin")
			path := filepath.Join(dir, "platen")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(path, []byte("#!"), 0o755), test.prepare(dir, path)); err != nil {
				t.Fatal(err)
			}
			if err := mayBecome(path); (err == nil) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
	if mayBecome("platen") == nil || mayBecome("") == nil {
		t.Error("a path that is not absolute was taken")
	}
}
