package core

import "time"

// AccountID is an account of the ledger. Zero is no account.
type AccountID int64

// AccountKind says whose money an account holds.
type AccountKind string

// The kinds of accounts. Every transfer moves money between accounts, so the sum of all balances is always zero (I1):
// what people hold stands against what came in through funding.
const (
	AccountUser    AccountKind = "user"    // one per user and currency
	AccountFunding AccountKind = "funding" // where credit comes from: cash desk, top-up, allowance
	AccountUsage   AccountKind = "usage"   // where charges for printing go
)

// Account is an account with its cached balance (I3: the cached balance is the sum of the account's entries).
type Account struct {
	ID       AccountID
	Kind     AccountKind
	UserID   UserID // for AccountUser
	Currency Currency
	Balance  Amount
	Held     Amount // the sum of pending holds, >= 0; what can be spent is Balance - Held + Overdraft
	Floor    Amount // the limit (-Overdraft) under which the last charge or hold was granted, <= 0
	Version  int64  // grows by one with every change of the account: a transfer, a hold, a void
}

// Available is what can be spent with this overdraft: never negative.
func (a Account) Available(overdraft Amount) Amount {
	left, err := a.Balance.Add(-a.Held)
	if err == nil {
		left, err = left.Add(overdraft)
	}
	if err != nil || left < 0 {
		return 0
	}
	return left
}

// TransferKind says why money moved.
type TransferKind string

// The kinds of transfers.
const (
	TransferCredit TransferKind = "credit" // funding -> user
	TransferDebit  TransferKind = "debit"  // user -> funding: paid out or corrected
	TransferCharge TransferKind = "charge" // user -> usage: printed
	TransferRefund TransferKind = "refund" // usage -> user
)

// Entry is one leg of a transfer. Balance and Floor are kept with it, so that a statement needs no sums and that the
// limit can be checked at every prefix of the ledger (I9), though a person's overdraft changes over time.
type Entry struct {
	Account AccountID
	Amount  Amount // positive: the account gains; never zero
	Balance Amount // the account's balance after it
	Floor   Amount // for a user's account that loses: Balance must not be below it

	// Whose account it is: read from the account and part of the chain, so that accounts cannot be swapped.
	Kind   AccountKind
	UserID UserID
}

// Transfer is an immutable movement of money: at least two entries that sum to zero (I2). Rows hold ids only; texts sit
// outside the chain (TransferNote), bound to it by a salted digest, so that erasing a person leaves the chain valid.
type Transfer struct {
	Seq            int64    // 1, 2, 3 ... without gaps: the order of the ledger (never the time)
	IdempotencyKey string   // from the caller, 1..128 bytes, unique among transfers and holds (I4)
	BodyDigest     [32]byte // of what the caller asked for, without the note: same key, same body
	Kind           TransferKind
	At             time.Time
	Actor          string // "admin", "user:12", "system"
	Assurance      Assurance
	HoldID         int64 // the hold this posts, or 0
	Currency       Currency
	Entries        []Entry
	NoteDigest     [32]byte // SHA-256 of salt and text, zero without a note
	PrevHash, Hash [32]byte // I7
}

// TransferNote is the text that belongs to a transfer. Erasure deletes it; the digest in the transfer stays.
type TransferNote struct {
	Seq  int64
	Salt [16]byte
	Text string // "Semester credit", a document's title
}

// HoldState is where a hold stands. A pending hold is posted or voided exactly once (I8), or expires, which voids it.
type HoldState string

// The states of a hold.
const (
	HoldPending HoldState = "pending"
	HoldPosted  HoldState = "posted"
	HoldVoided  HoldState = "voided"
)

// Hold reserves money of a user's account for a job that is not printed yet.
type Hold struct {
	ID             int64
	IdempotencyKey string
	BodyDigest     [32]byte
	Account        AccountID
	Amount         Amount // > 0
	State          HoldState
	CreatedAt      time.Time
	ExpiresAt      time.Time
	SettledAt      time.Time
	Seq            int64 // the transfer that posted it, 0 otherwise
}

// LedgerHead is the end of the hash chain.
type LedgerHead struct {
	Seq  int64 // 0 for an empty ledger
	Hash [32]byte
}

// StatementLine is one line of a person's own account statement.
type StatementLine struct {
	Seq     int64
	At      time.Time
	Kind    TransferKind
	Amount  Amount // positive: gained
	Balance Amount // after it
	Note    string // empty when there is none or it was erased
}
