package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
)

// process is a server as a process of its own: the test's own program under the server's name (see TestMain).
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	log  *bytes.Buffer // to be read after done
}

func startProcess(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{done: make(chan struct{}), log: &bytes.Buffer{}}
	p.cmd = exec.Command(self)
	p.cmd.Args = append([]string{"platen-server", "serve", "--data", dir, "--listen", "127.0.0.1:0"}, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop is SIGTERM; it must end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		t.Fatal("the server does not stop")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the server stopped with %d: %s", code, p.log)
	}
}

// waitReady waits until the server answers commands.
func waitReady(t *testing.T, p *process, client *admin.Client) admin.Status {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var st admin.Status
		if client.Call(t.Context(), admin.VerbStatus, admin.Nothing{}, &st, nil) == nil {
			return st
		}
		select {
		case <-p.done:
			t.Fatalf("the server ended: %s", p.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the server is not ready")
	return admin.Status{}
}

func verify(t *testing.T, client *admin.Client) {
	t.Helper()
	var r admin.LedgerReport
	if err := client.Call(t.Context(), admin.VerbLedgerVerify, admin.Nothing{}, &r, nil); err != nil || !r.OK {
		t.Fatalf("ledger verify: %+v, %v", r, err)
	}
}

// F1: the server is killed at random while credits are booked through its socket. What was acknowledged is there, and
// asking again for everything books nothing twice.
func TestFault_F1_KillWhileBooking(t *testing.T) {
	const cycles, workers = 12, 3
	dir := shortDir(t)
	client := admin.NewClient(dir)
	p := startProcess(t, dir)
	waitReady(t, p, client)
	if err := client.Call(t.Context(), admin.VerbUserAdd, admin.UserAdd{Username: "alex"}, &admin.User{}, nil); err != nil {
		t.Fatal(err)
	}
	booker := &booker{client: client, acked: map[string]admin.Receipt{}}
	for cycle := range cycles {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() { booker.book(ctx, t, fmt.Sprintf("%d-%d", cycle, w)) })
		}
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond)
		p.kill()
		cancel()
		wg.Wait()
		p = startProcess(t, dir)
		waitReady(t, p, client)
		verify(t, client)
	}
	booked := booker.askAgain(t)
	var u admin.UserDetails
	if err := client.Call(t.Context(), admin.VerbUserShow, admin.UserRef{User: "alex"}, &u, nil); err != nil {
		t.Fatal(err)
	}
	if want := (core.Amount(booked) * core.AmountUnit / 100).String(); u.Balance != want {
		t.Errorf("the balance is %s after %d credits of 0.01, want %s", u.Balance, booked, want)
	}
	verify(t, client)
	p.stop(t)
	t.Logf("%d kills, %d credits asked for, %d acknowledged before a kill", cycles, booked, len(booker.acked))
}

// booker asks for credits and remembers what was acknowledged.
type booker struct {
	client *admin.Client

	mu    sync.Mutex // guards the fields below
	asked []string
	acked map[string]admin.Receipt
}

func (b *booker) credit(ctx context.Context, key string) (r admin.Receipt, err error) {
	err = b.client.Call(ctx, admin.VerbUserCredit, admin.UserCredit{User: "alex", Amount: "0.01", Key: key}, &r, nil)
	return r, err
}

// book asks until the server is gone.
func (b *booker) book(ctx context.Context, t *testing.T, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		key := fmt.Sprintf("%s-%d", name, i)
		b.mu.Lock()
		b.asked = append(b.asked, key)
		b.mu.Unlock()
		r, err := b.credit(ctx, key)
		if err != nil {
			if !errors.Is(err, admin.ErrUnknownOutcome) && !errors.Is(err, admin.ErrNotRunning) && !errors.Is(err, context.Canceled) {
				t.Errorf("credit %s: %v", key, err)
			}
			return
		}
		b.mu.Lock()
		b.acked[key] = r
		b.mu.Unlock()
	}
}

// askAgain asks for every credit once more and compares the receipts. It tells how many there are.
func (b *booker) askAgain(t *testing.T) int {
	t.Helper()
	for _, key := range b.asked {
		again, err := b.credit(t.Context(), key)
		if err != nil {
			t.Fatalf("credit %s again: %v", key, err)
		}
		if first, ok := b.acked[key]; ok && (again.Seq != first.Seq || !again.At.Equal(first.At) || again.Amount != first.Amount) {
			t.Errorf("credit %s: acknowledged as %+v, now it is %+v", key, first, again)
		}
	}
	return len(b.asked)
}

// The very first start may be cut short anywhere: the next one goes on, with one CA, and never sealed.
func TestFault_KillDuringTheFirstStart(t *testing.T) {
	for range 12 {
		dir := shortDir(t)
		for range 3 {
			p := startProcess(t, dir)
			select {
			case <-time.After(time.Duration(rand.IntN(90)) * time.Millisecond):
			case <-p.done:
				t.Fatalf("the server ended by itself: %s", p.log)
			}
			p.kill()
		}
		p := startProcess(t, dir)
		first := waitReady(t, p, admin.NewClient(dir))
		p.stop(t)
		p = startProcess(t, dir)
		if again := waitReady(t, p, admin.NewClient(dir)); again.CAPin != first.CAPin {
			t.Error("the CA changed between two starts")
		}
		p.stop(t)
		left, err := filepath.Glob(filepath.Join(dir, "*.new-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// F8: the disk of the data folder is full. What cannot be written is refused with a plain word, what was written can be
// read, and with room again the server goes on without a restart.
func TestFault_F8_DiskFull(t *testing.T) {
	dir := shortDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	client := admin.NewClient(dir)
	p := startProcess(t, dir)
	waitReady(t, p, client)
	if err := client.Call(t.Context(), admin.VerbUserAdd, admin.UserAdd{Username: "alex"}, &admin.User{}, nil); err != nil {
		t.Fatal(err)
	}
	booker := &booker{client: client, acked: map[string]admin.Receipt{}}
	if _, err := booker.credit(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	var failed error
	acked := 1
	for i := 0; failed == nil && i < 20_000; i++ {
		if _, failed = booker.credit(t.Context(), fmt.Sprintf("full-%d", i)); failed == nil {
			acked++
		}
	}
	if !errors.Is(failed, core.ErrUnavailable) || !strings.Contains(failed.Error(), "full") {
		t.Fatalf("a credit on a full disk: %v", failed)
	}
	var u admin.UserDetails
	if err := client.Call(t.Context(), admin.VerbUserShow, admin.UserRef{User: "alex"}, &u, nil); err != nil {
		t.Fatalf("reading on a full disk: %v", err)
	}
	if want := (core.Amount(acked) * core.AmountUnit / 100).String(); u.Balance != want {
		t.Errorf("the balance is %s after %d acknowledged credits of 0.01", u.Balance, acked)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if _, err := booker.credit(t.Context(), "after"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	verify(t, client)
	p.stop(t)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); ; {
		if _, err := f.Write(block); err != nil {
			if len(block) == 1 {
				return
			}
			block = make([]byte, 1) // to the last byte
		}
	}
}
