package dirsync

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// wallet is a Credentials that keeps cards in memory: enough to hold the engine to its part.
type wallet struct {
	cards map[core.UserID][]string
	asked []string // how the runs went: "expect 3", "plan 2"
}

func newWallet() *wallet { return &wallet{cards: map[core.UserID][]string{}} }

func (w *wallet) Begin(core.SourceID) CredentialRun {
	return &walletRun{w: w, taken: map[string]bool{}}
}

func (w *wallet) Revert(_ context.Context, _ store.Tx, _ time.Time, user core.UserID, undo []byte) error {
	var cards []string
	if err := json.Unmarshal(undo, &cards); err != nil {
		return err
	}
	w.cards[user] = cards
	return nil
}

func (w *wallet) owner(card string) core.UserID {
	for id, cards := range w.cards {
		if slices.Contains(cards, card) {
			return id
		}
	}
	return 0
}

type walletRun struct {
	w     *wallet
	taken map[string]bool
}

func (r *walletRun) Expect(people int) {
	r.w.asked = append(r.w.asked, fmt.Sprintf("expect %d", people))
}

func (r *walletRun) Plan(_ context.Context, _ store.Tx, items []CredentialItem) ([]CredentialPlan, error) {
	r.w.asked = append(r.w.asked, fmt.Sprintf("plan %d", len(items)))
	plans := make([]CredentialPlan, len(items))
	for i, item := range items {
		if !slices.Contains(item.Record.Credentials, core.CredentialCard) {
			continue
		}
		var cards []string
		for _, c := range item.Record.Cards {
			card := c.Reveal()
			owner := r.w.owner(card)
			if owner != 0 && owner != item.User.ID || r.taken[card] {
				plans[i].Problems = append(plans[i].Problems, fmt.Sprintf("the card ...%s is already that of user %d", card[len(card)-4:], owner))
				continue
			}
			r.taken[card] = true
			cards = append(cards, card)
			if len(card) < 6 {
				plans[i].Weak = append(plans[i].Weak, "a card number of less than 6 digits")
			}
		}
		if !slices.Equal(cards, r.w.cards[item.User.ID]) {
			plans[i].Fields, plans[i].Data = []string{"cards"}, cards
			plans[i].Details = []string{fmt.Sprintf("has %d cards", len(cards))}
		}
	}
	return plans, nil
}

func (r *walletRun) Apply(_ context.Context, _ store.Tx, _ time.Time, user core.User, p CredentialPlan) ([]byte, []Notice, error) {
	before := r.w.cards[user.ID]
	cards, _ := p.Data.([]string)
	r.w.cards[user.ID] = cards
	undo, err := json.Marshal(before)
	return undo, []Notice{{Kind: NoticeCodeChanged, User: user, Cards: cards}}, err
}

func secrets(texts ...string) (list []secret.String) {
	for _, t := range texts {
		list = append(list, secret.New(t))
	}
	return list
}
