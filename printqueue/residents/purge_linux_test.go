package residents

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// R-LINK-1: what runs as a person could be taken over by that person. It has nothing of root's: no terminal to type into, no group,
// no environment, no open file.
func TestR_LINK_1_WhatRunsAsAPersonHasNothingOfRoots(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	dir, err := os.MkdirTemp("/tmp", "platen-purge-") //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "home")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(at, alex, alex); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "platen")
	if err := os.WriteFile(program, []byte(`#!/bin/sh
exec >"$HOME/seen" 2>&1
read -r number _ _ _ _ session _ </proc/$$/stat
[ "$number" = "$session" ] && echo session
echo "id $(id -u) $(id -G)"
env
ls -l /proc/$$/fd
`), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "of-root")
	// Package managers may have files open, and leave them to whom they start.
	open, err := syscall.Open(filepath.Join(dir, "file-of-root"), syscall.O_RDWR|syscall.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(open) }()
	if something, err := purgeAs(t.Context(), program, home{path: at, uid: alex, gid: alex}); err != nil || something {
		t.Fatalf("got %v, %v", something, err)
	}
	got, err := os.ReadFile(filepath.Join(at, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"session\n", "id 54321 54321\n", "HOME=" + at + "\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "of-root") {
		t.Errorf("something of root's:\n%s", got)
	}
}
