package httpapi

import (
	"context"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
)

type (
	meOutput           struct{ Body api.Me }
	balanceOutput      struct{ Body api.Balance }
	transactionsOutput struct{ Body api.TransactionList }
	historyOutput      struct{ Body api.BalanceHistory }
	transactionsInput  struct {
		Before int64 `query:"before" minimum:"0" doc:"Only lines before this one: the id of the last line of the page before."`
		Limit  int   `query:"limit" minimum:"1" maximum:"200" default:"20" doc:"How many lines."`
	}
	historyInput struct {
		Days int `query:"days" minimum:"1" maximum:"400" default:"30" doc:"How many days back, today counted."`
	}
)

const day = 24 * time.Hour

func (h *Handler) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	who := whoAsks(ctx)
	account, err := h.Ledger.Balance(ctx, who.user.ID)
	if err != nil {
		return nil, err
	}
	return &meOutput{Body: api.Me{User: userBody(who.user), Balance: h.balanceBody(account, who.user)}}, nil
}

func (h *Handler) balance(ctx context.Context, _ *struct{}) (*balanceOutput, error) {
	who := whoAsks(ctx)
	account, err := h.Ledger.Balance(ctx, who.user.ID)
	if err != nil {
		return nil, err
	}
	return &balanceOutput{Body: h.balanceBody(account, who.user)}, nil
}

func (h *Handler) transactions(ctx context.Context, in *transactionsInput) (*transactionsOutput, error) {
	// One more than asked for tells whether there is more.
	lines, err := h.Ledger.Statement(ctx, whoAsks(ctx).user.ID, in.Before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &transactionsOutput{Body: api.TransactionList{Transactions: make([]api.Transaction, 0, len(lines)), More: len(lines) > in.Limit}}
	for _, line := range lines[:min(len(lines), in.Limit)] {
		out.Body.Transactions = append(out.Body.Transactions, api.Transaction{
			ID: line.Seq, At: line.At.UTC(), Kind: string(line.Kind), Amount: line.Amount.String(), Balance: line.Balance.String(), Note: line.Note,
		})
	}
	return out, nil
}

func (h *Handler) balanceHistory(ctx context.Context, in *historyInput) (*historyOutput, error) {
	now := h.Clock().UTC()
	today := now.Truncate(day)
	firstEnd := today.Add(-time.Duration(in.Days-1) * day).Add(day - time.Microsecond)
	points, err := h.Ledger.BalanceHistory(ctx, whoAsks(ctx).user.ID, firstEnd, today.Add(day-time.Microsecond), day)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{Body: api.BalanceHistory{Currency: string(h.Currency), Points: make([]api.BalancePoint, 0, len(points))}}
	for _, p := range points {
		out.Body.Points = append(out.Body.Points, api.BalancePoint{Date: p.At.UTC().Format(time.DateOnly), Amount: p.Amount.String()})
	}
	return out, nil
}

// balanceBody is an account as its owner sees it.
func (h *Handler) balanceBody(a core.Account, u core.User) api.Balance {
	currency := a.Currency
	if currency == "" {
		currency = h.Currency
	}
	return api.Balance{
		Amount: a.Balance.String(), Available: (a.Balance - a.Held + u.Overdraft).String(),
		Currency: string(currency), Version: a.Version, At: h.Clock().UTC(),
	}
}
