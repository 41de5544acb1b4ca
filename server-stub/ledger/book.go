package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// book is the ledger as one transaction sees it. Accounts are read once and written once per transaction, because a
// batch touches the funding and usage accounts again and again.
type book struct {
	tx       store.Tx
	now      time.Time // of the whole batch, in microseconds
	currency core.Currency
	random   io.Reader
	head     core.LedgerHead

	accounts map[core.AccountID]*core.Account
	own      map[core.AccountKind]*core.Account // funding and usage
	users    map[core.UserID]*person
	order    []core.AccountID // of accounts, as first met
	changed  map[core.AccountID]bool
}

// person is a user and the user's account.
type person struct {
	user    core.User
	account *core.Account
}

// open reads the head, which keeps other nodes from booking until the end of the transaction.
func (l *Ledger) open(ctx context.Context, tx store.Tx) (*book, error) {
	head, err := tx.LedgerHead(ctx)
	if err != nil {
		return nil, err
	}
	return &book{
		tx: tx, now: l.clock().UTC().Truncate(time.Microsecond), currency: l.opts.Currency, random: l.opts.Random, head: head,
		accounts: map[core.AccountID]*core.Account{}, own: map[core.AccountKind]*core.Account{},
		users: map[core.UserID]*person{}, changed: map[core.AccountID]bool{},
	}, nil
}

// close writes the accounts that changed and returns what people should be told.
func (b *book) close(ctx context.Context) ([]Change, error) {
	var changes []Change
	for _, id := range b.order {
		if !b.changed[id] {
			continue
		}
		a := *b.accounts[id]
		if err := b.tx.UpdateAccount(ctx, a); err != nil {
			return nil, err
		}
		if a.Kind == core.AccountUser {
			changes = append(changes, Change{UserID: a.UserID, Account: a})
		}
	}
	return changes, nil
}

// person returns a user and the user's account, which is opened if need be. Erased people have no account any more.
func (b *book) person(ctx context.Context, id core.UserID) (*person, error) {
	if p := b.users[id]; p != nil {
		return p, nil
	}
	u, err := b.tx.User(ctx, id)
	if errors.Is(err, core.ErrNotFound) || err == nil && !u.ErasedAt.IsZero() {
		return nil, refuse(core.ErrNotFound, "there is no user %d", id)
	}
	if err != nil {
		return nil, err
	}
	a, err := b.tx.EnsureAccount(ctx, core.AccountUser, id, b.currency)
	if err != nil {
		return nil, err
	}
	p := &person{user: u, account: b.remember(a)}
	b.users[id] = p
	return p, nil
}

// ownAccount returns the funding or usage account.
func (b *book) ownAccount(ctx context.Context, kind core.AccountKind) (*core.Account, error) {
	if a := b.own[kind]; a != nil {
		return a, nil
	}
	a, err := b.tx.EnsureAccount(ctx, kind, 0, b.currency)
	if err != nil {
		return nil, err
	}
	b.own[kind] = b.remember(a)
	return b.own[kind], nil
}

// account returns an account by its id.
func (b *book) account(ctx context.Context, id core.AccountID) (*core.Account, error) {
	if a := b.accounts[id]; a != nil {
		return a, nil
	}
	a, err := b.tx.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.remember(a), nil
}

// remember keeps the one copy of an account that this transaction changes.
func (b *book) remember(a core.Account) *core.Account {
	if known := b.accounts[a.ID]; known != nil {
		return known
	}
	b.accounts[a.ID] = &a
	b.order = append(b.order, a.ID)
	return &a
}

// set gives an account its new state.
func (b *book) set(a *core.Account, balance, held, floor core.Amount) {
	a.Balance, a.Held, a.Floor = balance, held, floor
	a.Version++
	b.changed[a.ID] = true
}

// append books t, whose entries are complete, at the end of the chain, with its note.
func (b *book) append(ctx context.Context, t core.Transfer, note string) (core.Transfer, error) {
	n := core.TransferNote{Seq: b.head.Seq + 1, Text: note}
	if note != "" {
		if _, err := io.ReadFull(b.random, n.Salt[:]); err != nil {
			return t, fmt.Errorf("make a salt: %w", err)
		}
	}
	t.Seq, t.At, t.Currency, t.NoteDigest = n.Seq, b.now, b.currency, n.Digest()
	t.PrevHash = b.head.Hash
	t.Hash = t.ChainHash(t.PrevHash)
	if err := b.tx.AppendTransfer(ctx, t); err != nil {
		return t, err
	}
	b.head = core.LedgerHead{Seq: t.Seq, Hash: t.Hash}
	if note == "" {
		return t, nil
	}
	return t, b.tx.PutTransferNote(ctx, n)
}
