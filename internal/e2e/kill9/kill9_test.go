// Package kill9 kills a server's ledger at any moment, fills its disk and breaks it, and looks whether what was
// acknowledged is there, once (invariants I1-I10, faults F1, F3, F7 and F8 of the security requirements).
//
// The test program starts itself as the child that books. The parent knows every request the child can have made: each
// worker makes its requests one after the other, under keys that count.
package kill9

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

const (
	childEnv  = "PLATEN_KILL_CHILD"  // the database of the child; set for the child only
	fromEnv   = "PLATEN_KILL_FROM"   // the number of each worker's first request, with spaces between
	cyclesEnv = "PLATEN_KILL_CYCLES" // how often to kill, normalCycles without it

	workers   = 8
	perLedger = 20 // kills of one database before a fresh one, so that checking all of it stays quick
	longest   = 120 * time.Millisecond

	brokenExit = 3 // exit code of a child whose ledger stopped by itself
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		os.Exit(child(path))
	}
	os.Exit(m.Run())
}

// child books until it is killed. It says "ready", and then "worker number id" for each answer it got.
func child(path string) int {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Config{Path: path})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l := ledger.New(s, clock.System, ledger.Options{Currency: "EUR"})
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	say(os.Stdout, "ready\n")
	from := strings.Fields(os.Getenv(fromEnv))
	for w := range workers {
		first := 0
		if w < len(from) {
			if first, err = strconv.Atoi(from[w]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		go func() {
			for n := first; ; n++ {
				id, err := request(ctx, l, w, n)
				if err != nil {
					say(os.Stderr, fmt.Sprintf("worker %d: request %d: %v\n", w, n, err))
					return
				}
				say(os.Stdout, fmt.Sprintf("%d %d %d\n", w, n, id))
			}
		}()
	}
	err = <-ended
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, store.ErrBroken) {
		return brokenExit
	}
	return 1
}

// say writes a line in one piece.
func say(f *os.File, line string) {
	if _, err := f.WriteString(line); err != nil {
		os.Exit(1) // the parent is gone
	}
}

// request makes the n-th request of a worker and returns the id of what was booked. Made again, it must book nothing and
// return the same id. Each worker has a person of its own: user w+1.
func request(ctx context.Context, l *ledger.Ledger, w, n int) (int64, error) {
	user := core.UserID(w + 1)
	key := func(n int) string { return fmt.Sprintf("worker %d, request %d", w, n) }
	hold := func(n int) (core.Hold, error) {
		return l.Hold(ctx, ledger.HoldRequest{Key: key(n), User: user, Amount: 2, For: 24 * time.Hour})
	}
	switch n % 3 {
	case 0:
		r, err := l.Post(ctx, ledger.Posting{
			Key: key(n), Kind: core.TransferCredit, User: user, Amount: 10, Actor: "test", Note: "credit " + strconv.Itoa(n),
		})
		return r.Seq, err
	case 1:
		h, err := hold(n)
		return h.ID, err
	default:
		h, err := hold(n - 1)
		if err != nil {
			return 0, err
		}
		r, err := l.PostHold(ctx, ledger.Settlement{Key: key(n), Hold: h.ID, Amount: 1, Actor: "test"})
		return r.Seq, err
	}
}

// balanceAfter is what a worker's person has after n requests.
func balanceAfter(n int) core.Amount { return core.Amount((n+2)/3*10 - n/3) }

// answers are the ids that a child was given, by worker and request.
type answers [workers][]int64

// open opens the database and makes the workers' people.
func open(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	return openConfig(t, sqlstore.Config{Path: path})
}

func openPostgres(t *testing.T, url string) *sqlstore.Store {
	t.Helper()
	return openConfig(t, sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(url)})
}

func openConfig(t *testing.T, cfg sqlstore.Config) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open after the fault: %v", err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		n, err := tx.CountUsers(t.Context(), store.UserFilter{})
		if err != nil || n > 0 {
			return err
		}
		for w := range workers {
			if _, err := tx.CreateUser(t.Context(), core.User{Username: fmt.Sprint("worker", w)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// check makes every acknowledged request again, and the one after it, which may or may not have been booked: all must
// have the ids they had, and the balances must be those of requests made once. It adds the new answers to got.
func check(t *testing.T, s store.Store, got *answers) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := ledger.New(s, clock.System, ledger.Options{Currency: "EUR"})
	var run, wg sync.WaitGroup
	run.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	for w := range workers {
		wg.Go(func() {
			for n, id := range got[w] {
				if again, err := request(ctx, l, w, n); again != id || err != nil {
					t.Errorf("worker %d was told %d for request %d; asked again it is %d, %v", w, id, n, again, err)
				}
			}
			id, err := request(ctx, l, w, len(got[w]))
			if err != nil {
				t.Errorf("worker %d, next request: %v", w, err)
				return
			}
			got[w] = append(got[w], id)
		})
	}
	wg.Wait()
	for w := range workers {
		a, err := l.Balance(ctx, core.UserID(w+1))
		if want := balanceAfter(len(got[w])); a.Balance != want || err != nil {
			t.Errorf("worker %d has %d after %d requests, %v; want %d", w, a.Balance, len(got[w]), err, want)
		}
	}
	cancel()
	run.Wait()
	verify(t, s)
}

func verify(t *testing.T, s store.Store) {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, nil)
	if err != nil || !r.OK() {
		t.Errorf("Verify: %v, %v\n%v", r, err, r.Findings)
	}
}

// startChild starts the child, under the given program if any, and returns what it says. Each worker repeats a few
// requests that were answered already and goes on from there.
func startChild(t *testing.T, path string, got *answers, under ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(under), self)
	cmd := exec.Command(args[0], args[1:]...)
	var from []string
	for w := range workers {
		from = append(from, strconv.Itoa(max(0, len(got[w])-3)))
	}
	cmd.Env = append(os.Environ(), childEnv+"="+path, fromEnv+"="+strings.Join(from, " "))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(stdout)
}

// listen reads a child's answers to its end. ready is called when it says so. What the child repeats must be what was
// answered before.
func listen(t *testing.T, lines *bufio.Scanner, got *answers, ready func()) (news int) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == "ready" {
			ready()
			continue
		}
		var w, n int
		var id int64
		if _, err := fmt.Sscan(lines.Text(), &w, &n, &id); err != nil {
			continue // cut short by the kill
		}
		switch {
		case n < len(got[w]) && got[w][n] != id:
			t.Errorf("worker %d was told %d for request %d, and %d before", w, id, n, got[w][n])
		case n == len(got[w]):
			got[w] = append(got[w], id)
			news++
		case n > len(got[w]):
			t.Errorf("worker %d was answered request %d after %d", w, n, len(got[w])-1)
		}
	}
	return news
}

func cycles(t *testing.T, normal int) int {
	t.Helper()
	text := os.Getenv(cyclesEnv)
	if text == "" {
		return normal
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q: %v", cyclesEnv, text, err)
	}
	return n
}

func TestFault_F1_NoAcknowledgedChargeIsLostOrDoubledByKill9(t *testing.T) {
	total := cycles(t, normalCycles)
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d kills, seed %d", total, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var recover []time.Duration
	acknowledged := 0
	for first := 0; first < total; first += perLedger {
		path := filepath.Join(t.TempDir(), "platen.db")
		if random.IntN(4) > 0 { // sometimes the child makes the database itself, and is killed meanwhile
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
		}
		var got answers
		for range min(perLedger, total-first) {
			acknowledged += killOnce(t, path, &got, random)
			begin := time.Now()
			s := open(t, path)
			recover = append(recover, time.Since(begin))
			check(t, s, &got)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Fatalf("after %d kills; the database is gone with the test, the seed is %d", len(recover), seed)
			}
		}
	}
	slices.Sort(recover)
	p99 := recover[len(recover)*99/100]
	t.Logf("%d kills, %d answers before a kill, 0 lost, 0 doubled; opened again in %v (p50), %v (p99)",
		len(recover), acknowledged, recover[len(recover)/2], p99)
	if acknowledged < total/4 {
		t.Errorf("only %d answers came before %d kills: this tests nothing", acknowledged, total)
	}
}

// killOnce lets a child book and kills it at a random moment: mostly while it books, sometimes while it starts.
func killOnce(t *testing.T, path string, got *answers, random *rand.Rand) (news int) {
	t.Helper()
	cmd, lines := startChild(t, path, got)
	delay := time.Duration(random.Int64N(int64(longest)))
	kill := func() { _ = cmd.Process.Kill() }
	if random.IntN(4) == 0 {
		timer := time.AfterFunc(delay, kill)
		defer timer.Stop()
		news = listen(t, lines, got, func() {})
	} else {
		giveUp := time.AfterFunc(time.Minute, kill)
		defer giveUp.Stop()
		news = listen(t, lines, got, func() { time.AfterFunc(delay, kill) })
	}
	var killed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &killed) || killed.ExitCode() != -1 {
		t.Errorf("the child ended by itself: %v", err)
	}
	return news
}
