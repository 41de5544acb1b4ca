// Package testenv starts real parts for tests: a private D-Bus session bus and a private GNOME keyring, each for one
// test and stopped with it. Nothing of the session of whoever runs the tests is touched. It is never part of a shipped
// program.
package testenv

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// RequireAll is the environment variable that turns a missing program from a skip into a failure. `make test` sets it
// to "1" once it has installed everything.
const RequireAll = "PLATEN_REQUIRE_ALL"

// Deadline is how long a real part may take to come up. Generous: the machine may be slow and busy.
const Deadline = time.Minute

// Program returns the path of a system program. Where it is missing the test is skipped, or fails if RequireAll is set;
// either way the message names the program and the Debian package it comes in.
func Program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := sysexec.Find(name)
	if err == nil {
		return path
	}
	text := fmt.Sprintf("the program %s is missing: install the Debian package %s", name, debianPackage)
	if os.Getenv(RequireAll) == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// Await polls until done tells true, and fails the test after Deadline, saying what was waited for.
func Await(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Deadline) // also usable in clean-ups
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v for %s", Deadline, what)
		}
	}
}

// shortDir makes a folder whose path is short enough for sockets in it (108 bytes), which t.TempDir's is not always.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pt") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	return dir
}
