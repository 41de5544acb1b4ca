package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

const transferColumns = `seq, idempotency_key, body_digest, kind, at, actor, assurance, COALESCE(hold_id, 0), currency,
	note_digest, prev_hash, hash`

func scanTransfer(row scanner) (core.Transfer, error) {
	var t core.Transfer
	err := row.Scan(&t.Seq, &t.IdempotencyKey, bytesOf{t.BodyDigest[:]}, &t.Kind, timeOf{&t.At}, &t.Actor, &t.Assurance,
		&t.HoldID, &t.Currency, bytesOf{t.NoteDigest[:]}, bytesOf{t.PrevHash[:]}, bytesOf{t.Hash[:]})
	return t, err
}

// entryRow is an entry with the transfer it belongs to.
type entryRow struct {
	seq int64
	core.Entry
}

func scanEntry(row scanner) (entryRow, error) {
	var e entryRow
	err := row.Scan(&e.seq, &e.Account, &e.Amount, &e.Balance, &e.Floor, &e.Kind, &e.UserID)
	return e, err
}

func scanHead(row scanner) (core.LedgerHead, error) {
	var h core.LedgerHead
	err := row.Scan(&h.Seq, bytesOf{h.Hash[:]})
	return h, err
}

// LedgerHead implements store.Ledger.
func (t *tx) LedgerHead(ctx context.Context) (core.LedgerHead, error) {
	text := `SELECT seq, hash FROM ledger_head WHERE id = 1`
	if t.writes {
		text += t.store.dialect.rowLock()
	}
	return one(ctx, t, scanHead, "read the end of the ledger", text)
}

// AppendTransfer implements store.Ledger.
func (t *tx) AppendTransfer(ctx context.Context, tr core.Transfer) error {
	doing := fmt.Sprintf("book transfer %d", tr.Seq)
	n, err := t.exec(ctx, doing, `UPDATE ledger_head SET seq = $1, hash = $2 WHERE id = 1 AND seq = $3`,
		tr.Seq, tr.Hash, tr.Seq-1)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: %w: it does not follow the end of the ledger", doing, core.ErrConflict)
	}
	var hold any
	if tr.HoldID != 0 {
		hold = tr.HoldID
	}
	if _, err := t.exec(ctx, doing, `INSERT INTO transfers (seq, idempotency_key, body_digest, kind, at, actor, assurance,
			hold_id, currency, note_digest, prev_hash, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		tr.Seq, tr.IdempotencyKey, tr.BodyDigest, tr.Kind, tr.At, tr.Actor, tr.Assurance, hold, tr.Currency,
		tr.NoteDigest, tr.PrevHash, tr.Hash); err != nil {
		return err
	}
	for line, e := range tr.Entries {
		if _, err := t.exec(ctx, doing, `INSERT INTO entries (seq, line, account_id, amount, balance, floor)
			VALUES ($1, $2, $3, $4, $5, $6)`, tr.Seq, line+1, e.Account, e.Amount, e.Balance, e.Floor); err != nil {
			return err
		}
	}
	return nil
}

// TransferByKey implements store.Ledger.
func (t *tx) TransferByKey(ctx context.Context, key string) (core.Transfer, error) {
	tr, err := one(ctx, t, scanTransfer, "find a transfer by its key",
		`SELECT `+transferColumns+` FROM transfers WHERE idempotency_key = $1`, key)
	if err != nil {
		return core.Transfer{}, err
	}
	list := []core.Transfer{tr}
	err = t.readEntries(ctx, list)
	return list[0], err
}

// Transfers implements store.Ledger.
func (t *tx) Transfers(ctx context.Context, after int64, limit int) ([]core.Transfer, error) {
	list, err := all(ctx, t, scanTransfer, "read the ledger",
		`SELECT `+transferColumns+` FROM transfers WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, t.readEntries(ctx, list)
}

// readEntries fills in the entries of transfers that are in the order of Seq.
func (t *tx) readEntries(ctx context.Context, list []core.Transfer) error {
	entries, err := all(ctx, t, scanEntry, "read the entries of the ledger", `SELECT e.seq, e.account_id, e.amount,
			e.balance, e.floor, COALESCE(a.kind, ''), COALESCE(a.user_id, 0)
		FROM entries e LEFT JOIN accounts a ON a.id = e.account_id
		WHERE e.seq BETWEEN $1 AND $2 ORDER BY e.seq, e.line`, list[0].Seq, list[len(list)-1].Seq)
	if err != nil {
		return err
	}
	i := 0
	for _, e := range entries {
		for i < len(list) && list[i].Seq < e.seq {
			i++
		}
		if i < len(list) && list[i].Seq == e.seq { // else its transfer is missing, which the reader sees by the gap
			list[i].Entries = append(list[i].Entries, e.Entry)
		}
	}
	return nil
}

func scanStatement(row scanner) (core.StatementLine, error) {
	var l core.StatementLine
	err := row.Scan(&l.Seq, timeOf{&l.At}, &l.Kind, &l.Amount, &l.Balance, &l.Note)
	return l, err
}

// Statement implements store.Ledger.
func (t *tx) Statement(ctx context.Context, account core.AccountID, before int64, limit int) ([]core.StatementLine, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return all(ctx, t, scanStatement, fmt.Sprintf("read the statement of account %d", account),
		`SELECT e.seq, t.at, t.kind, e.amount, e.balance, COALESCE(n.text, '')
		FROM entries e JOIN transfers t ON t.seq = e.seq LEFT JOIN transfer_notes n ON n.seq = e.seq
		WHERE e.account_id = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT $3`, account, before, limit)
}

// BalanceAt implements store.Ledger. Before the first transfer it is zero.
func (t *tx) BalanceAt(ctx context.Context, account core.AccountID, at time.Time) (core.Amount, error) {
	n, err := one(ctx, t, scanInt, fmt.Sprintf("read an old balance of account %d", account), `SELECT e.balance
		FROM entries e JOIN transfers t ON t.seq = e.seq
		WHERE e.account_id = $1 AND t.at <= $2 ORDER BY e.seq DESC LIMIT 1`, account, at)
	if errors.Is(err, core.ErrNotFound) {
		return 0, nil
	}
	return core.Amount(n), err
}

func scanNote(row scanner) (core.TransferNote, error) {
	var n core.TransferNote
	err := row.Scan(&n.Seq, bytesOf{n.Salt[:]}, &n.Text)
	return n, err
}

// PutTransferNote implements store.Ledger.
func (t *tx) PutTransferNote(ctx context.Context, n core.TransferNote) error {
	_, err := t.exec(ctx, fmt.Sprintf("note transfer %d", n.Seq),
		`INSERT INTO transfer_notes (seq, salt, text) VALUES ($1, $2, $3)`, n.Seq, n.Salt, n.Text)
	return err
}

// TransferNote implements store.Ledger.
func (t *tx) TransferNote(ctx context.Context, seq int64) (core.TransferNote, error) {
	return one(ctx, t, scanNote, fmt.Sprintf("read the note of transfer %d", seq),
		`SELECT seq, salt, text FROM transfer_notes WHERE seq = $1`, seq)
}

// TransferNotes implements store.Ledger.
func (t *tx) TransferNotes(ctx context.Context, after, last int64) ([]core.TransferNote, error) {
	return all(ctx, t, scanNote, "read the notes of transfers",
		`SELECT seq, salt, text FROM transfer_notes WHERE seq > $1 AND seq <= $2 ORDER BY seq`, after, last)
}

// DeleteUserNotes implements store.Ledger.
func (t *tx) DeleteUserNotes(ctx context.Context, user core.UserID) (int, error) {
	n, err := t.exec(ctx, fmt.Sprintf("delete the notes of user %d", user), `DELETE FROM transfer_notes WHERE seq IN
		(SELECT e.seq FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.user_id = $1)`, user)
	return int(n), err
}

// sumRow is one currency's sum.
type sumRow struct {
	currency core.Currency
	entries  int64
	sum      core.Amount
}

func scanSum(row scanner) (sumRow, error) {
	var s sumRow
	err := row.Scan(&s.currency, &s.entries, &s.sum)
	return s, err
}

func scanTotals(row scanner) (store.LedgerTotals, error) {
	var n store.LedgerTotals
	err := row.Scan(&n.Transfers, &n.Holds, &n.Keys)
	return n, err
}

// LedgerTotals implements store.Ledger.
func (t *tx) LedgerTotals(ctx context.Context) (store.LedgerTotals, error) {
	const doing = "sum up the ledger"
	totals, err := one(ctx, t, scanTotals, doing, `SELECT (SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM holds),
		(SELECT COUNT(*) FROM (SELECT idempotency_key FROM transfers UNION SELECT idempotency_key FROM holds) k)`)
	if err != nil {
		return store.LedgerTotals{}, err
	}
	sums, err := all(ctx, t, scanSum, doing, `SELECT COALESCE(a.currency, ''), COUNT(*), CAST(SUM(e.amount) AS BIGINT)
		FROM entries e LEFT JOIN accounts a ON a.id = e.account_id GROUP BY COALESCE(a.currency, '')`)
	if err != nil {
		return store.LedgerTotals{}, err
	}
	totals.Sums = map[core.Currency]core.Amount{}
	for _, s := range sums {
		totals.Entries += s.entries
		totals.Sums[s.currency] = s.sum
	}
	return totals, nil
}
