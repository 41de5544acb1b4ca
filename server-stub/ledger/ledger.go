package ledger

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Options are the ledger's settings.
type Options struct {
	// Currency is what is booked. Required.
	Currency core.Currency
	// Logger hears of faults; nil logs nothing.
	Logger *slog.Logger
	// OnCommit, if set, is told of every account of a person that changed, after the change is durable and before its
	// caller is answered. It is called by the writer, so it must be quick and must not call the ledger's writing methods.
	OnCommit func(changes []Change)
	// MaxBatch is how many requests share one transaction at most, 0 for 256.
	MaxBatch int
	// SweepEvery is how often expired holds are looked for, 0 for every minute.
	SweepEvery time.Duration
	// RetryEvery is how often VerifyOnce tries again what it could not read, 0 for every minute.
	RetryEvery time.Duration
	// Random is where the salts of notes come from, nil for crypto/rand.
	Random io.Reader
}

// Change tells the new state of a person's account.
type Change struct {
	UserID  core.UserID
	Account core.Account
}

// Ledger books transfers and holds. Safe for concurrent use; its writing methods wait for Run.
type Ledger struct {
	store store.Store
	clock clock.Clock
	opts  Options

	queue   chan *job     // unbuffered: what was not taken was certainly not booked
	stopped chan struct{} // closed when Run has ended
	running atomic.Bool
	verdict atomic.Pointer[Verdict]
}

// New makes a ledger over s. Nothing is booked before Run.
func New(s store.Store, now clock.Clock, opts Options) *Ledger {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.OnCommit == nil {
		opts.OnCommit = func([]Change) {}
	}
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = 256
	}
	if opts.SweepEvery <= 0 {
		opts.SweepEvery = time.Minute
	}
	if opts.RetryEvery <= 0 {
		opts.RetryEvery = time.Minute
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	return &Ledger{store: s, clock: now, opts: opts, queue: make(chan *job), stopped: make(chan struct{})}
}

// EraseUserNotes deletes the texts of every transfer of the person and tells how many there were. The chain stays valid:
// it holds salted digests only.
func (l *Ledger) EraseUserNotes(ctx context.Context, user core.UserID) (n int, err error) {
	err = l.store.Update(ctx, func(tx store.Tx) error {
		n, err = tx.DeleteUserNotes(ctx, user)
		return err
	})
	return n, err
}
