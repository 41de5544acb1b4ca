package testenv

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Windows is a private Windows: a Wine prefix of 64 bits that says it is Windows 10, without a display. Its server and its
// services stay up until the test ends.
type Windows struct {
	dir    string
	prefix string
	env    []string
}

// processPrng is what Go's programs need and Wine 8 has not: bcryptprimitives.dll with the random numbers of the system.
const processPrng = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
`

// StartWindows makes the prefix, which takes some five seconds, and removes it with the test.
func StartWindows(t testing.TB) *Windows {
	t.Helper()
	compiler := Program(t, "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
	Program(t, "wine", "wine")
	dir := shortDir(t)
	w := &Windows{dir: dir, prefix: filepath.Join(dir, "prefix")}
	home := filepath.Join(dir, "home") // Wine links the person's folders into the prefix
	for _, folder := range []string{home, w.prefix} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.env = append(os.Environ(), "HOME="+home, "WINEPREFIX="+w.prefix, "WINEARCH=win64", "WINEDEBUG=-all", "DISPLAY=", "WAYLAND_DISPLAY=",
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=", "LC_ALL=C.UTF-8", "TZ=UTC")
	t.Cleanup(func() { w.stop(t) })
	if out, code := w.Run(t, "wineboot", "--init"); code != 0 {
		t.Fatalf("make a Wine prefix: exit code %d: %s", code, out)
	}
	source := filepath.Join(dir, "processprng.c")
	if err := os.WriteFile(source, []byte(processPrng), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), compiler, "-O2", "-s", "-shared", "-o", w.File(`C:\windows\system32\bcryptprimitives.dll`), source, "-ladvapi32")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, code := w.Run(t, "winecfg", "-v", "win10"); code != 0 {
		t.Fatalf("make Wine a Windows 10: exit code %d: %s", code, out)
	}
	// Of its own accord Wine's server ends soon after the last command, and the services with it. -p: it stays until it is told.
	for _, arg := range []string{"-w", "-p"} {
		if err := w.server(t, arg); err != nil {
			t.Fatalf("wineserver %s: %v", arg, err)
		}
	}
	// Until the services that start with Windows have started, no other one can be.
	Await(t, "Wine's services", func() bool {
		out, _ := w.Run(t, "net", "start", "MSIServer")
		return !strings.Contains(out, "locked")
	})
	return w
}

// stop ends this prefix's programs, and no others.
func (w *Windows) stop(t testing.TB) {
	for _, arg := range []string{"-k", "-w"} {
		if err := w.server(t, arg); err != nil {
			t.Logf("wineserver %s: %v", arg, err) // 1: nothing ran
		}
	}
}

func (w *Windows) server(t testing.TB, arg string) error {
	path := "wineserver"
	for _, candidate := range []string{"/usr/bin/wineserver", "/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver"} {
		if _, err := os.Stat(candidate); err == nil {
			path = candidate
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, arg) // no output: it would keep a pipe open for ever
	cmd.Env = w.env
	return cmd.Run()
}

// Run runs a program of Windows or of Wine and returns its output and its exit code, of which Wine keeps eight bits. A program
// that does not end within two minutes fails the test.
func (w *Windows) Run(t testing.TB, program string, args ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 4*Deadline)
	defer cancel()
	out, err := os.CreateTemp(w.dir, "out") // a file: services that a program starts would hold a pipe open
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(out.Name()) }()
	cmd := exec.CommandContext(ctx, Program(t, "wine", "wine"), append([]string{program}, args...)...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = w.env, w.dir, out, out
	err = errors.Join(cmd.Run(), out.Close())
	text, _ := os.ReadFile(out.Name()) // the exit code says whether there is something to read
	if ctx.Err() != nil {
		t.Fatalf("%s %v: not ended after %v: %s", program, args, 4*Deadline, text)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(text), exit.ExitCode()
	} else if err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	return string(text), 0
}

// Start starts a program and leaves it running, at most until the test ends.
func (w *Windows) Start(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), Program(t, "wine", "wine"), append([]string{program}, args...)...)
	cmd.Env, cmd.Dir = w.env, w.dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
}

// File is where a file of drive C: is on this computer.
func (w *Windows) File(path string) string {
	return filepath.Join(w.prefix, "drive_c", strings.ReplaceAll(strings.TrimPrefix(path, `C:`), `\`, "/"))
}

// Path is what this computer's file is called there.
func (w *Windows) Path(file string) string { return "Z:" + strings.ReplaceAll(file, "/", `\`) }

// Running tells whether a program of the prefix runs, by its path on drive C:.
func (w *Windows) Running(t testing.TB, path string) bool {
	t.Helper()
	return len(w.processes(t, path)) > 0
}

// Kill ends the processes of a program of the prefix, as a power failure would.
func (w *Windows) Kill(t testing.TB, path string) {
	t.Helper()
	for _, pid := range w.processes(t, path) {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // it may have ended
		}
	}
	Await(t, path+" to end", func() bool { return !w.Running(t, path) })
}

func (w *Windows) processes(t testing.TB, path string) []int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, folder := range folders {
		line, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || !strings.HasPrefix(strings.ToLower(string(line)), strings.ToLower(path)) {
			continue
		}
		environment, err := os.ReadFile(filepath.Join(folder, "environ"))
		if err != nil || !strings.Contains(string(environment), "WINEPREFIX="+w.prefix+"\x00") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
