//go:build unix

package kill9

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
)

// A process of the database server is killed while the ledger books; the server then restarts all of them. Workers ask
// again with the same key until they are answered, as callers do.
func TestFault_F7_KilledPostgresLosesNothing(t *testing.T) {
	cluster := testenv.OwnPostgres(t, "fsync=on")
	url := cluster.Database(t)
	s := openPostgres(t, url)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	runCtx, stop := context.WithCancel(ctx)
	l := ledger.New(s, clock.System, ledger.Options{Currency: "EUR"})
	var run, wg sync.WaitGroup
	run.Go(func() {
		if err := l.Run(runCtx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})

	var got answers
	killed := make(chan struct{})
	var mu sync.Mutex // guards worst
	var worst time.Duration
	for w := range workers {
		wg.Go(func() {
			for after := 0; after < 20; { // so many more answers after the last kill
				select {
				case <-killed:
					after++
				default:
				}
				begin := time.Now()
				id, err := request(ctx, l, w, len(got[w]))
				for err != nil && ctx.Err() == nil {
					if !errors.Is(err, core.ErrUnavailable) {
						t.Errorf("while the database is away: %v, want core.ErrUnavailable", err)
						return
					}
					time.Sleep(20 * time.Millisecond)
					id, err = request(ctx, l, w, len(got[w]))
				}
				if err != nil {
					t.Errorf("the database did not come back: %v", err)
					return
				}
				mu.Lock()
				worst = max(worst, time.Since(begin))
				mu.Unlock()
				got[w] = append(got[w], id)
			}
		})
	}
	kills := 0
	for range 3 {
		time.Sleep(200 * time.Millisecond)
		if killOneBackend(t, cluster.ServerPID(t)) {
			kills++
		}
	}
	close(killed)
	if kills == 0 {
		t.Error("nothing was killed: this tests nothing")
	}
	wg.Wait()
	stop()
	run.Wait()
	t.Logf("the longest wait for an answer was %v", worst)
	check(t, s, &got)
}

// killOneBackend kills a process of the server that serves a connection of ours, and tells whether there was one.
func killOneBackend(t *testing.T, server int) bool {
	t.Helper()
	children, err := os.ReadFile("/proc/" + strconv.Itoa(server) + "/task/" + strconv.Itoa(server) + "/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Fields(string(children)) {
		title, err := os.ReadFile("/proc/" + text + "/cmdline")
		if err != nil || !strings.Contains(string(title), "platen test") {
			continue
		}
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		return true
	}
	return false
}
