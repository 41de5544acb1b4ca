// Package ledger keeps people's money: double entry, holds, idempotency keys and a hash chain over a store.Store.
//
// A transfer moves money between two accounts and is never changed. A charge for something not printed yet is a hold
// first:
//
//	          Hold                PostHold (once)
//	(nothing) ────▶ pending ───────────────────────▶ posted, by one transfer of at most the held amount
//	                   │
//	                   └── VoidHold, or its time is over ──▶ voided
//
// Every change names an idempotency key chosen by the caller. The same key with the same request gives the same receipt,
// however often it is asked; with another request it gives core.ErrConflict. So a caller that did not hear an answer (a
// lost connection, ctx ended, core.ErrUnavailable) asks again with the same key, and nothing is booked twice.
//
// Run is the one writer: it takes whatever requests wait, decides them in one transaction, and answers all of them once
// that transaction is durable (group commit). A request that is refused does not disturb the others. A charge is
// answered only after the disk has it; an error of the disk is answered to all who wait, and when it leaves open what was
// written, Run ends with store.ErrBroken: the server must be restarted, nothing is retried.
//
// Verify reads the whole ledger and checks the invariants:
//
//	I1  all entries of a currency sum to zero
//	I2  each transfer has its two legs, which sum to zero
//	I3  the cached balance is the sum of the account's entries, the cached holds the sum of its pending ones
//	I4  a key is used once
//	I7  the hash chain (core.Transfer.ChainHash) is whole and ends at the head; daily anchors of the audit log lie on it
//	I8  a hold is posted by one transfer, or voided, and never both
//	I9  no charge or payout took a balance below the limit of its time
//	I10 amounts are whole numbers in range
//
// I5 (what was acknowledged is there) needs somebody who remembers: the kill -9 harness. I6 (no change, no deletion) is
// kept by triggers of the database.
package ledger
