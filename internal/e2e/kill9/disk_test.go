package kill9

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
)

// smallDisk mounts a file system of so many KiB.
func smallDisk(t *testing.T, kib int) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("root is missing: a small file system cannot be mounted")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", kib), "platen-test", dir).CombinedOutput(); err != nil {
		t.Skipf("the right to mount is missing: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func TestFault_F8_FullDiskLosesNothingAndHealsWithoutRestart(t *testing.T) {
	dir := smallDisk(t, 3<<10)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(dir, "platen.db"))
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	l := ledger.New(s, clock.System, ledger.Options{Currency: "EUR"})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})

	var got answers
	fill := func() {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for {
					id, err := request(ctx, l, w, len(got[w]))
					if err != nil {
						if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "disk of the database is full") {
							t.Errorf("on a full disk: %v; want core.ErrUnavailable that says so", err)
						}
						return
					}
					got[w] = append(got[w], id)
				}
			})
		}
		wg.Wait()
	}
	fill()
	answered := 0
	for w := range workers {
		answered += len(got[w])
	}
	t.Logf("%d answers before the disk was full", answered)
	if answered < 100 {
		t.Errorf("only %d answers before the disk was full: this tests nothing", answered)
	}
	if a, err := l.Balance(ctx, 1); err != nil || a.Balance < balanceAfter(len(got[0])) {
		t.Errorf("reading on a full disk: %v, %v; want at least %d", a.Balance, err, balanceAfter(len(got[0])))
	}
	verify(t, s)

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := request(ctx, l, 0, len(got[0])); err != nil {
		t.Errorf("once there is room again: %v", err)
	}
	cancel()
	run.Wait()
	check(t, s, &got)
}

// The k-th fsync of the server and all after it fail. Whatever was answered is there after a restart; nothing is booked
// after the first failure; the program does not go on by itself.
func TestFault_F3_FailingFsyncStopsTheServer(t *testing.T) {
	strace := testenv.Program(t, "strace", "strace")
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("the right to trace is missing: %v: %s", err, out)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	path := filepath.Join(t.TempDir(), "platen.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	var got answers
	total := 0
	for i := range cycles(t, 8) {
		k := 1 + random.IntN(60)
		if i == 0 {
			k = 1
		}
		cmd, lines := startChild(t, path, &got, strace, "-f", "-qq", "-o", os.DevNull,
			"-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d+", k))
		giveUp := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		news := listen(t, lines, &got, func() {})
		giveUp.Stop()
		total += news
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != brokenExit {
			t.Errorf("fsync %d fails: the child ended with %v, want exit code %d", k, err, brokenExit)
		}
		s := open(t, path)
		check(t, s, &got)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d answers before a failing fsync, 0 lost, 0 doubled", total)
	if total == 0 {
		t.Error("no answer came before a failing fsync: this tests nothing")
	}
}
