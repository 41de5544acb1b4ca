package session

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
)

// Deps is what a Session needs. All fields are required but Server (see Settings.Problem), those of ways of signing in that
// this computer does not have (Machine, Microsoft, Browser; Microsoft needs Browser), Presence and Unattended.
type Deps struct {
	Server   Server
	Vault    Vault
	Identity Identity
	Settings Settings
	// Details gives what the details page shows without the server: settings and versions.
	Details   func() status.Details
	Machine   Machine
	Microsoft Microsoft
	Browser   Browser
	Clock     clock.Clock
	Jitter    func() float64 // uniform in [0, 1); safe for concurrent use
	Logger    *slog.Logger

	// Servers hears what is said of Settings.Unconfirmed, and is needed with that only.
	Servers Servers

	// Presence is asked on shared computers while somebody is signed in, and never else. Nil: nobody can tell.
	Presence Presence
	// Unattended are the times that go with it. The zero value of each means what people are promised.
	Unattended Unattended
}

// Session is the state machine. Its methods are safe for concurrent use.
type Session struct {
	deps     Deps
	commands chan command
	inbox    chan func()
	ended    chan struct{} // closed when Run returns
	board    *board
}

// command is an action on its way to the one goroutine.
type command struct {
	action status.Action
	tray   *bool              // SetTray, instead of an action
	reply  chan status.Result // has room for one
}

func (c command) answer(r status.Result) {
	select {
	case c.reply <- r:
	default: // answered already
	}
}

// New returns a Session that has not started.
func New(deps Deps) *Session {
	return &Session{
		deps: deps, commands: make(chan command), inbox: make(chan func()), ended: make(chan struct{}),
		board: newBoard(status.Snapshot{Version: status.Version, State: status.StateStarting}),
	}
}

// Run works until ctx ends. It may be called once. It returns when all its goroutines have ended, at most a few seconds
// after ctx.
func (s *Session) Run(ctx context.Context) error {
	defer close(s.ended)
	m := newMachine(s)
	m.start(ctx)
	for ctx.Err() == nil {
		m.publish()
		select {
		case <-ctx.Done():
		case then := <-s.inbox:
			then()
		case c := <-s.commands:
			m.handle(ctx, c)
		}
	}
	m.stop(ctx)
	return nil
}

// Do performs an action and returns its result: for a sign-in, when the first balance is there (or why it is not). It
// knows SignIn, CancelSignIn, OpenAgain, Continue, SignOut, NotMe, Stay, Open, Dismiss, Retry, Details, ConfirmServer and
// RejectServer; all others are client/agent's and refused here.
func (s *Session) Do(ctx context.Context, action status.Action) status.Result {
	c := command{action: action, reply: make(chan status.Result, 1)}
	select {
	case s.commands <- c:
	case <-ctx.Done():
		return failed(ctx.Err())
	case <-s.ended:
		return failed(errEnded)
	}
	select {
	case r := <-c.reply:
		return r
	case <-ctx.Done():
		return failed(ctx.Err())
	case <-s.ended:
		return failed(errEnded)
	}
}

var errEnded = errors.New("platen is shutting down")

func failed(err error) status.Result {
	return status.Result{Problem: &status.Problem{Code: status.ProblemInvalid, Details: err.Error()}}
}

// SetTray notes whether this desktop shows tray icons. It does nothing once the session has ended.
func (s *Session) SetTray(ctx context.Context, shown bool) {
	c := command{reply: make(chan status.Result, 1), tray: &shown}
	select {
	case s.commands <- c:
	case <-ctx.Done():
	case <-s.ended:
	}
}

// Snapshot returns what there is to show now.
func (s *Session) Snapshot() status.Snapshot { return s.board.read() }

// Watch waits for a snapshot newer than after (its Seq) and returns it. A watcher that comes late gets the newest one
// and misses those between. It ends with ctx, and when the session has ended.
func (s *Session) Watch(ctx context.Context, after uint64) (status.Snapshot, error) {
	return s.board.wait(ctx, s.ended, after)
}

// board holds the newest snapshot for any number of watchers.
type board struct {
	mu      sync.Mutex // guards the fields below
	current status.Snapshot
	changed chan struct{} // closed at the next change
}

func newBoard(first status.Snapshot) *board {
	first.Seq = 1
	return &board{current: first, changed: make(chan struct{})}
}

func (b *board) read() status.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

// write shows next, unless it is the same as now.
func (b *board) write(next status.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next.Seq = b.current.Seq
	if same(b.current, next) {
		return
	}
	next.Seq++
	b.current = next
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) wait(ctx context.Context, ended <-chan struct{}, after uint64) (status.Snapshot, error) {
	for {
		b.mu.Lock()
		current, changed := b.current, b.changed
		b.mu.Unlock()
		if current.Seq > after {
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status.Snapshot{}, ctx.Err()
		case <-ended:
			return status.Snapshot{}, errEnded
		}
	}
}

// same compares two snapshots by value. Times are compared as moments, for the same one may be written in two ways.
func same(a, b status.Snapshot) bool {
	if !a.BalanceAt.Equal(b.BalanceAt) || !a.SignOutAt.Equal(b.SignOutAt) {
		return false
	}
	a.BalanceAt, a.SignOutAt = b.BalanceAt, b.SignOutAt
	return reflect.DeepEqual(a, b)
}
