package signin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// Password checks a name and password. Errors: core.ErrInvalid (empty or impossible input, before anything was looked
// up), core.ErrWrongCredentials, *core.LimitedError, core.ErrUnavailable; and after the right password core.ErrDisabled,
// core.ErrAmbiguous, core.ErrPasswordExpired. The texts of errors are for the log: show people the kind only.
func (s *Service) Password(ctx context.Context, a Attempt) (Result, error) {
	if err := checkInput(a); err != nil {
		return Result{}, err
	}
	w, err := s.who(ctx, a)
	if err != nil {
		return Result{}, fmt.Errorf("sign in: %w", err)
	}
	err = s.limited(ctx, a, w)
	if errors.Is(err, core.ErrWrongCredentials) && w.elsewhere {
		err = fmt.Errorf("%w: %w", ErrElsewhere, err)
	}
	if err != nil {
		s.d.Logger.InfoContext(ctx, "sign-in refused", "error", err, "user_id", int64(w.user.ID), "address", a.Address, "client", a.Client)
		return Result{}, fmt.Errorf("sign in: %w", err)
	}
	return Result{User: w.user, LinkedName: s.link(ctx, a, w.user)}, nil
}

// Link does for a person who has proven who they are in another way what Password does after it: their computer's short name
// becomes theirs, where that is allowed. Of the attempt only the computer counts. It returns the name if it became an alias.
func (s *Service) Link(ctx context.Context, user core.User, a Attempt) string {
	return s.link(ctx, a, user)
}

func checkInput(a Attempt) error {
	password := a.Password.Reveal()
	switch {
	case password == "":
		return fmt.Errorf("sign in: %w: the password is empty", core.ErrInvalid)
	case len(password) > maxPassword || strings.ContainsRune(password, 0):
		return fmt.Errorf("sign in: %w: the password is too long or has characters that cannot be typed", core.ErrInvalid)
	}
	if _, err := auth.Canon(a.Name); err != nil {
		return fmt.Errorf("sign in: %w: the account is no name", core.ErrInvalid)
	}
	return nil
}

// target is whose password will be checked.
type target struct {
	outcome names.Outcome
	user    core.User // the person to check; for an ambiguous name the one of the strongest rule; zero for nobody
	account string    // under which the try is counted
	source  *source   // the directory that checks the password, nil for none
	shape   *source   // the directory to which a name of this form would belong
	kind    core.IdentityKind
	key     string
	phc     string // the hash of a local password
	// elsewhere: names of this form prove themselves at an identity provider that checks no passwords here. It is decided by what
	// was typed and not by whether anybody has the name.
	elsewhere bool
}

// who finds whose password to check.
func (s *Service) who(ctx context.Context, a Attempt) (target, error) {
	q := names.Query{Text: a.Name, Facts: a.Facts}
	var w target
	err := s.d.Store.View(ctx, func(tx store.Tx) error {
		rules := s.ways.Load().rules
		answer, err := names.Find(ctx, tx, q, rules, s.d.Clock())
		if err != nil {
			return err
		}
		account := names.Account(q, rules)
		w = target{outcome: answer.Outcome, account: "name:" + string(account)}
		if a.LocalOnly {
			return s.localPerson(ctx, tx, answer, &w)
		}
		w.shape = s.shape(account)
		w.elsewhere = w.shape == nil && s.elsewhere(account)
		id := answer.User
		if answer.Outcome == names.Ambiguous {
			id = answer.Candidates[0]
		}
		if id == 0 {
			return nil
		}
		return s.person(ctx, tx, id, &w)
	})
	return w, err
}

// localPerson is person for Attempt.LocalOnly.
func (s *Service) localPerson(ctx context.Context, tx store.Tx, answer names.Answer, w *target) error {
	people := answer.Candidates
	if answer.User != 0 {
		people = []core.UserID{answer.User}
	}
	for _, id := range people {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		if u.Source != core.LocalSource {
			continue
		}
		w.user, w.account = u, fmt.Sprintf("user:%d", id)
		w.phc, err = tx.PasswordHash(ctx, id)
		if errors.Is(err, core.ErrNotFound) {
			return nil // work is wasted as for nobody
		}
		return err
	}
	w.outcome = names.Unknown
	return nil
}

// person reads what checking a person's password needs.
func (s *Service) person(ctx context.Context, tx store.Tx, id core.UserID, w *target) (err error) {
	if w.user, err = tx.User(ctx, id); err != nil {
		return err
	}
	w.account = fmt.Sprintf("user:%d", id)
	if w.source = s.ways.Load().sources[w.user.Source]; w.user.Source == core.LocalSource || w.source == nil {
		w.source = nil
		w.phc, err = tx.PasswordHash(ctx, id)
		if errors.Is(err, core.ErrNotFound) {
			return s.cloudPerson(ctx, tx, w) // else an account without a password: work is wasted as for nobody
		}
		return err
	}
	identities, err := tx.UserIdentities(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range identities {
		if e.Source == w.user.Source && e.Kind != core.IdentitySID {
			w.kind, w.key = e.Kind, e.ImmutableID
			return nil
		}
	}
	return fmt.Errorf("%w: user %d has no id at the directory %q; synchronise it", core.ErrUnavailable, id, w.user.Source)
}

// shape finds the directory to which a name of this form would belong: by its domain, or any when the name has none or the
// domains of the directories are not configured. Nil for names that are nobody's directory's.
func (s *Service) shape(account auth.Folded) *source {
	ways := s.ways.Load()
	if len(ways.sources) == 0 && ways.cloud == nil {
		return nil
	}
	domain, _, qualified := strings.Cut(string(account), `\`)
	if !qualified {
		_, domain, qualified = strings.Cut(string(account), "@")
	}
	configured := map[core.SourceID]bool{}
	for _, d := range ways.rules.Domains {
		configured[d.Source] = true
		if src := ways.sources[d.Source]; src != nil && qualified && d.Is(domain) {
			return src
		}
	}
	if ways.cloud != nil && (qualified && ways.provider.isDomain(domain, ways.rules) || !qualified && len(ways.directories) == 0) {
		return ways.cloud
	}
	for _, dir := range ways.directories {
		if id := dir.Checker.ID(); !qualified || !configured[id] {
			return ways.sources[id]
		}
	}
	return nil
}

// lockout is the stricter one of the directory that checks and the one that the name looks like, so that it says nothing.
func (w target) lockout() Lockout {
	var l Lockout
	for _, src := range []*source{w.source, w.shape} {
		if src == nil || src.lockout.Threshold < 0 {
			continue
		}
		if l.Threshold == 0 || src.lockout.Threshold < l.Threshold {
			l.Threshold = src.lockout.Threshold
		}
		l.Window = max(l.Window, src.lockout.Window)
	}
	return l
}

// limited checks the password within the limits.
func (s *Service) limited(ctx context.Context, a Attempt, w target) error {
	t := &ticket{networks: s.limits.networks(a.Address)}
	t.counters, t.share = s.limits.account(w.account, a.Address, w.lockout())
	now := s.d.Clock()
	// Looking first costs no write: the limits hold without cost against those who keep trying.
	var seen look
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		seen, err = lookAt(ctx, tx, now, t.all())
		return err
	})
	if err == nil && !seen.moved {
		err = seen.err
	}
	if err != nil {
		return err
	}
	gate := s.local
	if w.source != nil {
		gate = w.source.gate
	}
	select {
	case gate <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	}
	err = s.inGate(ctx, a, w, t)
	<-gate
	if errors.Is(err, core.ErrWrongCredentials) && w.source == nil && w.shape != nil {
		return s.imitate(ctx, w.shape, err)
	}
	return err
}

// inGate reserves, checks and settles. No more than the gate's tries of a network can be between looking and counting.
func (s *Service) inGate(ctx context.Context, a Attempt, w target, t *ticket) error {
	if err := s.limits.reserve(ctx, s.d.Clock(), t); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	err := s.check(ctx, a, w)
	how := judge(err)
	if settleErr := s.limits.settle(context.WithoutCancel(ctx), s.d.Clock(), t, how); settleErr != nil {
		return errors.Join(core.ErrUnavailable, settleErr)
	}
	if how == lockedOut {
		return fmt.Errorf("%w: %w", &core.LimitedError{RetryAt: s.d.Clock().Add(w.source.lockout.Window)}, err)
	}
	if how != succeeded {
		return err
	}
	switch w.outcome {
	case names.Disabled:
		return core.ErrDisabled
	case names.Ambiguous:
		return core.ErrAmbiguous
	case names.Unknown:
		return core.ErrWrongCredentials
	case names.One:
	}
	return err // nil, or expired
}

// judge says what an answer means for the counters.
func judge(err error) settlement {
	var timeout net.Error
	var verdict Verdict
	switch {
	case err == nil, errors.Is(err, core.ErrPasswordExpired):
		return succeeded
	case errors.As(err, &verdict) && verdict.Proven():
		return succeeded
	case errors.Is(err, core.ErrLimited):
		return lockedOut
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return failed // it may have been counted over there
	case errors.As(err, &verdict) && verdict.Counted():
		return failed
	case errors.Is(err, core.ErrUnavailable):
		return untried
	}
	return failed // wrong, disabled without proof, or a fault that we do not know
}

// check does the one check, and the work that makes failures alike.
func (s *Service) check(ctx context.Context, a Attempt, w target) error {
	switch {
	case w.source != nil:
		began := s.d.Clock()
		err := w.source.check(ctx, w, a.Password)
		w.source.note(s.d.Clock(), s.d.Clock().Sub(began), err)
		if err == nil || errors.Is(err, core.ErrUnavailable) || judge(err) == succeeded {
			return err
		}
		if wasteErr := s.d.Hasher.Waste(ctx, a.Password); wasteErr != nil {
			s.d.Logger.WarnContext(ctx, "cannot even out the time of a failed sign-in", "error", wasteErr)
		}
		return err
	case w.phc != "":
		ok, err := s.d.Hasher.Verify(ctx, a.Password, w.phc)
		if err != nil {
			return fmt.Errorf("%w: check the password of user %d: %w", core.ErrUnavailable, w.user.ID, err)
		}
		if !ok {
			return core.ErrWrongCredentials
		}
		return nil
	}
	if err := s.d.Hasher.Waste(ctx, a.Password); err != nil {
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	return core.ErrWrongCredentials
}

// imitate lets a name that a directory might have, but has not, take as long and end as one that it has.
func (s *Service) imitate(ctx context.Context, shape *source, wrong error) error {
	wait, err := shape.typical(s.d.Clock(), rand.IntN)
	if err != nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return wrong
}
