package review

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// Target says what people will go by.
type Target string

// The targets.
const (
	ToUPN  Target = "upn"
	ToMail Target = "mail"
)

// ParseTarget accepts the constants' texts. core.ErrInvalid otherwise.
func ParseTarget(text string) (Target, error) {
	switch t := Target(text); t {
	case ToUPN, ToMail:
		return t, nil
	}
	return "", fmt.Errorf("%w: %q: people can go by upn or mail", core.ErrInvalid, text)
}

// State says what the switch does to one person.
type State string

// The states, the best first.
const (
	Unchanged  State = "unchanged"   // the username is the target already, and every name they send leads to them
	GainsAlias State = "gains alias" // another username; the old one stays as an alias, and every name they send leads to them
	NoMatch    State = "no match"    // no target is known, or a name they send would lead to nobody
	Ambiguous  State = "ambiguous"   // the target is somebody else's, or a name they send could be, or would be, another person
)

// Options say what to review.
type Options struct {
	To        Target
	Domain    string // only people of this Windows domain; "" for everybody
	Rules     names.Rules
	Providers names.Providers
	// From and Provider say where the jobs would come from, which chooses the suffix rules. The join domain of a computer is taken
	// to be that of the person's account.
	From     netip.Addr
	Provider string
	Now      time.Time
}

// Line is what the switch means for one person.
type Line struct {
	User     core.User
	Target   string // the username after the switch, "" when none is known
	State    State
	Sent     []Sent   // the print-job-ownership test
	Problems []string // why it is ambiguous or without a match, one sentence each
}

// Sent is a name that a workstation of the person would send with a job, and whose job it is.
type Sent struct {
	Name      string
	Now, Then Owner
}

// Owner is whose a job is. User is 0 when it is nobody's.
type Owner struct {
	Outcome  names.Outcome
	User     core.UserID
	Username string
	Others   []core.UserID // of an ambiguous name
	Why      []string
}

// Tx is what a review reads; every store.Tx is one.
type Tx interface {
	names.Reader
	ListUsers(ctx context.Context, f store.UserFilter) ([]core.User, error)
}

// Run reviews the living people with an id above after, at most limit of them, and hands out a line for each whom the options
// choose. last is the highest id it looked at, and more tells that there are people above it. yield must not use the transaction.
func Run(ctx context.Context, tx Tx, o Options, after core.UserID, limit int, yield func(Line)) (last core.UserID, more bool, err error) {
	if _, err := ParseTarget(string(o.To)); err != nil {
		return 0, false, err
	}
	people, err := tx.ListUsers(ctx, store.UserFilter{After: after, Limit: limit + 1})
	if err != nil {
		return 0, false, fmt.Errorf("review names: %w", err)
	}
	if more = len(people) > limit; more {
		people = people[:limit]
	}
	for _, u := range people {
		last = u.ID
		r := reviewer{Options: o, ctx: ctx, now: newMemo(tx)}
		line, chosen, err := r.person(u)
		if err != nil {
			return 0, false, fmt.Errorf("review the names of user %d: %w", u.ID, err)
		}
		if chosen {
			yield(line)
		}
	}
	return last, more, nil
}
