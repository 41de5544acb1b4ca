package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/platenprint/platen/server-stub/core"
)

// Limits of what a caller may give, in bytes.
const (
	MaxKey   = 128
	MaxActor = 128
	MaxNote  = 1024
)

// Posting asks for a transfer.
type Posting struct {
	Key       string // idempotency key, 1..MaxKey bytes
	Kind      core.TransferKind
	User      core.UserID
	Amount    core.Amount // > 0 and at most core.MaxAmount; the kind says which way it goes
	Actor     string      // who asked: "admin", "user:12", "system"
	Assurance core.Assurance
	Note      string // a text for people, at most MaxNote bytes; it can be erased
}

// Receipt is what was booked. Asking again with the same key gives the same receipt.
type Receipt struct {
	Seq     int64
	At      time.Time
	Kind    core.TransferKind
	UserID  core.UserID
	Amount  core.Amount // positive: the person gained
	Balance core.Amount // the person's balance after it
	Hash    [32]byte
}

// Post books a posting. Errors: core.ErrInvalid for a posting that makes no sense, core.ErrNotFound for an unknown or
// erased user, core.ErrInsufficient when the balance, its holds and the overdraft do not cover it, core.ErrConflict when
// the key was used for something else, core.ErrUnavailable when the database fails (then nothing was acknowledged: ask
// again with the same key).
func (l *Ledger) Post(ctx context.Context, p Posting) (Receipt, error) {
	if err := p.validate(); err != nil {
		return Receipt{}, err
	}
	return submit(ctx, l, func(ctx context.Context, b *book) (Receipt, error) { return b.post(ctx, p) })
}

// direction tells which of our accounts a kind of transfer is with, and whether the person gains.
func direction(kind core.TransferKind) (other core.AccountKind, gains, known bool) {
	switch kind {
	case core.TransferCredit:
		return core.AccountFunding, true, true
	case core.TransferDebit:
		return core.AccountFunding, false, true
	case core.TransferCharge:
		return core.AccountUsage, false, true
	case core.TransferRefund:
		return core.AccountUsage, true, true
	}
	return "", false, false
}

func (p Posting) validate() error {
	if _, _, known := direction(p.Kind); !known {
		return fmt.Errorf("%w: %q is no kind of transfer", core.ErrInvalid, p.Kind)
	}
	if p.Amount <= 0 || p.Amount > core.MaxAmount {
		return fmt.Errorf("%w: the amount %s is not between 0.0001 and %s", core.ErrInvalid, p.Amount, core.MaxAmount)
	}
	return errors.Join(checkKey(p.Key), checkText("actor", p.Actor, 1, MaxActor), checkText("note", p.Note, 0, MaxNote))
}

// checkKey accepts printable text, so that keys can be shown.
func checkKey(key string) error { return checkText("idempotency key", key, 1, MaxKey) }

func checkText(what, text string, least, most int) error {
	switch {
	case len(text) < least || len(text) > most:
		return fmt.Errorf("%w: the %s has %d bytes, it must have %d to %d", core.ErrInvalid, what, len(text), least, most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%w: the %s holds control characters or is not UTF-8", core.ErrInvalid, what)
	}
	return nil
}

// digest is the body that belongs to the key. The note is not in it, since an erased text must not be guessable from
// what stays; how sure we are of the actor is not in it, since a retry may come over another road.
func (p Posting) digest(hold int64) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "platen-posting-1\n%s\n%d\n%d\n%d\n%q", p.Kind, p.User, p.Amount, hold, p.Actor))
}

// post decides and books. Before the last reason to refuse it writes nothing, but for opening an empty account.
func (b *book) post(ctx context.Context, p Posting) (Receipt, error) {
	if r, done, err := b.replay(ctx, p, 0); done || err != nil {
		return r, err
	}
	who, err := b.person(ctx, p.User)
	if err != nil {
		return Receipt{}, err
	}
	kind, gains, _ := direction(p.Kind)
	other, err := b.ownAccount(ctx, kind)
	if err != nil {
		return Receipt{}, err
	}
	amount, floor := p.Amount, who.account.Floor
	if !gains {
		amount, floor = -p.Amount, -who.user.Overdraft
		if p.Amount > who.account.Available(who.user.Overdraft) {
			return Receipt{}, refuse(core.ErrInsufficient, "%s is asked for, %s can be spent", p.Amount,
				who.account.Available(who.user.Overdraft))
		}
	}
	return b.move(ctx, p, movement{
		account: who.account, other: other, amount: amount, held: who.account.Held, floor: floor, digest: p.digest(0),
	})
}

// movement is a transfer decided.
type movement struct {
	account, other *core.Account
	amount         core.Amount // what account gains and other loses
	held, floor    core.Amount // of account, from now on
	hold           int64
	digest         [32]byte
}

// move books a movement, unless a balance would leave its range.
func (b *book) move(ctx context.Context, p Posting, m movement) (Receipt, error) {
	balance, err := m.account.Balance.Add(m.amount)
	if err != nil {
		return Receipt{}, refusal{err}
	}
	otherBalance, err := m.other.Balance.Add(-m.amount)
	if err != nil {
		return Receipt{}, refusal{err}
	}
	t, err := b.append(ctx, core.Transfer{
		IdempotencyKey: p.Key, BodyDigest: m.digest, Kind: p.Kind, Actor: p.Actor, Assurance: p.Assurance, HoldID: m.hold,
		Entries: []core.Entry{
			{Account: m.account.ID, Amount: m.amount, Balance: balance, Floor: m.floor, Kind: m.account.Kind, UserID: m.account.UserID},
			{Account: m.other.ID, Amount: -m.amount, Balance: otherBalance, Kind: m.other.Kind},
		},
	}, p.Note)
	if err != nil {
		return Receipt{}, err
	}
	b.set(m.account, balance, m.held, m.floor)
	b.set(m.other, otherBalance, 0, 0)
	return receiptOf(t), nil
}

// replay answers a key that was used before: with the same receipt, or with a refusal if the request was another.
func (b *book) replay(ctx context.Context, p Posting, hold int64) (r Receipt, done bool, err error) {
	t, err := b.tx.TransferByKey(ctx, p.Key)
	switch {
	case errors.Is(err, core.ErrNotFound):
		_, err := b.tx.HoldByKey(ctx, p.Key)
		if errors.Is(err, core.ErrNotFound) {
			return Receipt{}, false, nil
		}
		if err == nil {
			err = refuse(core.ErrConflict, "the key was used for a hold")
		}
		return Receipt{}, false, err
	case err != nil:
		return Receipt{}, false, err
	case t.BodyDigest != p.digest(hold):
		return Receipt{}, false, refuse(core.ErrConflict, "the key was used for another transfer")
	}
	same, err := b.sameNote(ctx, t, p.Note)
	if err != nil {
		return Receipt{}, false, err
	}
	if !same {
		return Receipt{}, false, refuse(core.ErrConflict, "the key was used for the same transfer with another note")
	}
	return receiptOf(t), true, nil
}

// sameNote tells whether t was booked with this note. An erased note counts as the same: nobody can tell any more.
func (b *book) sameNote(ctx context.Context, t core.Transfer, note string) (bool, error) {
	if t.NoteDigest == ([32]byte{}) || note == "" {
		return t.NoteDigest == ([32]byte{}) && note == "", nil
	}
	n, err := b.tx.TransferNote(ctx, t.Seq)
	if errors.Is(err, core.ErrNotFound) {
		return true, nil
	}
	n.Text = note
	return n.Digest() == t.NoteDigest, err
}

// receiptOf is the receipt of a transfer: its first entry is the person's.
func receiptOf(t core.Transfer) Receipt {
	r := Receipt{Seq: t.Seq, At: t.At, Kind: t.Kind, Hash: t.Hash}
	for _, e := range t.Entries {
		if e.Kind == core.AccountUser {
			r.UserID, r.Amount, r.Balance = e.UserID, e.Amount, e.Balance
			break
		}
	}
	return r
}
