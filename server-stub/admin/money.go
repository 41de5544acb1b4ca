package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// maxLines is the most lines of one answer about the ledger.
const maxLines = 500

func (s *Server) userCredit(ctx context.Context, in UserCredit) (Receipt, error) {
	amount, err := core.ParseAmount(in.Amount)
	if err != nil {
		return Receipt{}, err
	}
	if amount == 0 {
		return Receipt{}, invalid("the amount is zero")
	}
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Receipt{}, err
	}
	r, err := s.Ledger.Post(ctx, posting(u.ID, amount, in.Comment, in.Key))
	if err != nil {
		return Receipt{}, fmt.Errorf("book %s for %s: %w", amount, u.Username, err)
	}
	return Receipt{
		User: u.Username, Seq: r.Seq, At: r.At, Kind: string(r.Kind), Amount: r.Amount.String(), Balance: r.Balance.String(), Currency: string(s.Currency),
	}, nil
}

func (s *Server) ledgerVerify(ctx context.Context, _ Nothing, progress func(Progress)) (LedgerReport, error) {
	r, err := s.Ledger.Verify(ctx, func(done, total int64) { progress(Progress{Step: "transfers", Done: done, Total: total}) })
	if err != nil {
		return LedgerReport{}, err
	}
	out := LedgerReport{
		OK: r.OK(), Summary: r.String(), HeadSeq: r.Head.Seq, HeadHash: hex.EncodeToString(r.Head.Hash[:]),
		Transfers: r.Transfers, Accounts: r.Accounts, Holds: r.Holds, Findings: []string{}, More: r.More,
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, f.String())
	}
	return out, nil
}

func (s *Server) ledgerShow(ctx context.Context, in LedgerShow) (Ledger, error) {
	limit := in.Limit
	if limit <= 0 || limit > maxLines {
		limit = maxLines
	}
	out := Ledger{Currency: string(s.Currency), Lines: []LedgerLine{}}
	err := s.Store.View(ctx, func(tx store.Tx) error {
		head, err := tx.LedgerHead(ctx)
		out.HeadSeq, out.HeadHash = head.Seq, hex.EncodeToString(head.Hash[:])
		return err
	})
	if err != nil {
		return Ledger{}, err
	}
	if in.User == "" {
		out.Lines, err = s.newest(ctx, out.HeadSeq, in.Before, limit)
		return out, err
	}
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return Ledger{}, err
	}
	lines, err := s.Ledger.Statement(ctx, u.ID, in.Before, limit)
	if err != nil {
		return Ledger{}, err
	}
	for _, l := range lines {
		out.Lines = append(out.Lines, LedgerLine{Seq: l.Seq, At: l.At, Kind: string(l.Kind), Amount: l.Amount.String(), Balance: l.Balance.String(), Note: l.Note})
	}
	return out, nil
}

// newest returns whole transfers, newest first. Seq has no gaps, so the place of the newest ones is known.
func (s *Server) newest(ctx context.Context, head, before int64, limit int) ([]LedgerLine, error) {
	last := head
	if before > 0 {
		last = min(last, before-1)
	}
	lines := []LedgerLine{}
	err := s.Store.View(ctx, func(tx store.Tx) error {
		lines = lines[:0]
		first := max(0, last-int64(limit))
		list, err := tx.Transfers(ctx, first, int(last-first))
		if err != nil {
			return err
		}
		for i := len(list) - 1; i >= 0; i-- {
			line, err := transferLine(ctx, tx, list[i])
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		return nil
	})
	return lines, err
}

func transferLine(ctx context.Context, tx store.Tx, t core.Transfer) (LedgerLine, error) {
	line := LedgerLine{Seq: t.Seq, At: t.At, Kind: string(t.Kind), Actor: t.Actor}
	for _, e := range t.Entries {
		account, err := tx.Account(ctx, e.Account)
		if err != nil {
			return line, err
		}
		if account.Kind == core.AccountUser {
			line.User, line.Amount = fmt.Sprintf("id:%d", account.UserID), e.Amount.String()
		}
	}
	note, err := tx.TransferNote(ctx, t.Seq)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return line, err
	}
	line.Note = note.Text
	return line, nil
}
