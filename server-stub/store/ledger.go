package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Ledger keeps money. It stores what server-stub/ledger decided; the rules (sums, limits, chain) are that package's, but
// the database refuses by itself to change or delete a transfer or an entry (I6) and to use a key twice (I4).
type Ledger interface {
	// EnsureAccount returns the account of that kind, user (0 but for AccountUser) and currency, made when there is none.
	EnsureAccount(ctx context.Context, kind core.AccountKind, user core.UserID, currency core.Currency) (core.Account, error)
	Account(ctx context.Context, id core.AccountID) (core.Account, error)
	// UserAccount returns core.ErrNotFound while nothing was ever booked for the user.
	UserAccount(ctx context.Context, user core.UserID, currency core.Currency) (core.Account, error)
	// UpdateAccount stores Balance, Held, Floor and Version.
	UpdateAccount(ctx context.Context, a core.Account) error
	Accounts(ctx context.Context, after core.AccountID, limit int) ([]core.Account, error)

	// LedgerHead returns the end of the chain. In an Update it also keeps other nodes from booking until the end of the
	// transaction, so it must be read first.
	LedgerHead(ctx context.Context) (core.LedgerHead, error)
	// AppendTransfer stores t and its entries and moves the head to (t.Seq, t.Hash). t.Seq must be the head's Seq + 1,
	// else core.ErrConflict.
	AppendTransfer(ctx context.Context, t core.Transfer) error
	// TransferByKey returns core.ErrNotFound for a key never used.
	TransferByKey(ctx context.Context, key string) (core.Transfer, error)
	// Transfers returns whole transfers in the order of Seq, after the given one.
	Transfers(ctx context.Context, after int64, limit int) ([]core.Transfer, error)
	// Statement returns an account's lines newest first, before the given Seq (0: from the newest).
	Statement(ctx context.Context, account core.AccountID, before int64, limit int) ([]core.StatementLine, error)
	// BalanceAt returns the account's balance after the last transfer at or before t.
	BalanceAt(ctx context.Context, account core.AccountID, t time.Time) (core.Amount, error)

	PutTransferNote(ctx context.Context, n core.TransferNote) error
	TransferNote(ctx context.Context, seq int64) (core.TransferNote, error)
	// TransferNotes returns notes in the order of Seq, after the given one and up to last.
	TransferNotes(ctx context.Context, after, last int64) ([]core.TransferNote, error)
	// DeleteUserNotes removes the notes of all transfers that touch the user's accounts (erasure), and tells how many.
	DeleteUserNotes(ctx context.Context, user core.UserID) (int, error)

	CreateHold(ctx context.Context, h core.Hold) (int64, error)
	Hold(ctx context.Context, id int64) (core.Hold, error)
	HoldByKey(ctx context.Context, key string) (core.Hold, error)
	// Holds returns holds in the order of their ids, after the given one.
	Holds(ctx context.Context, after int64, limit int) ([]core.Hold, error)
	// SettleHold moves a pending hold to posted (by the transfer seq) or voided (seq 0); core.ErrConflict if it is not
	// pending.
	SettleHold(ctx context.Context, id int64, state core.HoldState, seq int64, at time.Time) error
	// ExpiredHolds returns pending holds whose time is over.
	ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]core.Hold, error)
	PendingHolds(ctx context.Context, account core.AccountID) ([]core.Hold, error)

	// LedgerTotals counts and sums in the database itself: a check on whoever reads row by row.
	LedgerTotals(ctx context.Context) (LedgerTotals, error)
}

// LedgerTotals is what the database counts.
type LedgerTotals struct {
	Transfers, Entries int64
	Keys               int64 // different idempotency keys of transfers and holds (I4)
	Holds              int64
	Sums               map[core.Currency]core.Amount // of all entries; zero for each (I1)
}
