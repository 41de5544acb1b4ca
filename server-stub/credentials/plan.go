package credentials

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// Given is what somebody brings for one person. Kinds that are not in Kinds are not looked at; an empty one that is ends what the same
// origin and source gave before.
type Given struct {
	Origin core.CredentialOrigin
	Source core.SourceID
	Kinds  []core.CredentialKind
	Cards  []secret.String
	Code   secret.String
	PIN    secret.String
	Add    bool // cards are added to those that are there
}

// value is one value in canonical form.
type value struct {
	kind   core.CredentialKind
	text   secret.String
	lookup [32]byte
	weak   []string
	place  int
}

// addition is a value that is put in force.
type addition struct {
	value
	origin core.CredentialOrigin
	source core.SourceID
}

// planned is what a plan does; dirsync keeps it between Plan and Apply.
type planned struct {
	end    []int64 // those replaced or gone; also other people's that the same run takes from them
	add    []addition
	move   []core.Credential // with their new place
	pin    bool              // the PIN changes; pinIs empty: it ends
	pinIs  secret.String
	origin core.CredentialOrigin
	source core.SourceID
	notice dirsync.NoticeKind
	hints  []string // of the cards in force afterwards
	code   secret.String
}

// wish is one item on its way to a plan.
type wish struct {
	who   who
	user  core.User
	given Given
	facts []fact
	quiet bool // nobody is told
	have  []core.Credential

	cards    []value
	code     *value
	plan     dirsync.CredentialPlan
	data     planned
	generate bool
	refused  bool // the policy refuses the code
}

// who tells people of a run apart: those who are here by their id, new ones by their key.
type who struct {
	user core.UserID
	key  directory.Key
}

// claim is a value.
type claim struct {
	kind   core.CredentialKind
	lookup [32]byte
}

// batch plans for many people. It remembers what it planned.
type batch struct {
	s      *Service
	source core.SourceID
	taken  map[claim]who
	people int // for the length of codes

	counted  bool // came holds those who are here
	came     int  // and those of this run so far
	expected int
}

// Begin implements dirsync.Credentials.
func (s *Service) Begin(source core.SourceID) dirsync.CredentialRun { return s.begin(source) }

func (s *Service) begin(source core.SourceID) *batch {
	return &batch{s: s, source: source, taken: map[claim]who{}}
}

var _ dirsync.Expecter = (*batch)(nil)

// Expect implements dirsync.Expecter. Without it those who are there count, and those who came up so far.
func (b *batch) Expect(people int) { b.expected = people }

// Plan implements dirsync.CredentialRun.
func (b *batch) Plan(ctx context.Context, tx store.Tx, items []dirsync.CredentialItem) ([]dirsync.CredentialPlan, error) {
	wishes := make([]wish, len(items))
	for i, item := range items {
		r := item.Record
		wishes[i] = wish{
			who: who{user: item.User.ID}, user: item.User, facts: factsOf(item.User, r), quiet: r.Disabled || !item.User.Active(),
			given: Given{Origin: core.OriginSource, Source: b.source, Kinds: r.Credentials, Cards: r.Cards, Code: r.AccessCode, PIN: r.PIN},
		}
		if item.User.ID == 0 {
			wishes[i].who.key = r.Identity()
		}
	}
	if err := b.plan(ctx, tx, wishes); err != nil {
		return nil, fmt.Errorf("plan cards and codes: %w", err)
	}
	plans := make([]dirsync.CredentialPlan, len(wishes))
	for i := range wishes {
		plans[i] = wishes[i].plan
		plans[i].Data = &wishes[i].data
	}
	return plans, nil
}

// factsOf are what others know of a person, for R-CODE-2.
func factsOf(u core.User, r directory.Record) []fact {
	facts := []fact{
		{"employee number", r.EmployeeID},
		{"username", r.Username},
		{"username", u.Username},
		{"short name", r.SAM},
		{"short name", r.Nickname},
		{"name", r.DisplayName},
		{"name", u.DisplayName},
	}
	for what, address := range map[string]string{"username": r.UPN, "e-mail address": r.Email} {
		before, _, _ := strings.Cut(address, "@")
		facts = append(facts, fact{what, before})
	}
	for _, c := range r.Cards {
		facts = append(facts, fact{"card", c.Reveal()})
	}
	for _, a := range r.Aliases {
		facts = append(facts, fact{"other name", a})
	}
	return append(facts, fact{"PIN", r.PIN.Reveal()})
}

func (b *batch) plan(ctx context.Context, tx store.Tx, wishes []wish) error {
	if err := b.count(ctx, tx, wishes); err != nil {
		return err
	}
	if err := readPresent(ctx, tx, wishes); err != nil {
		return err
	}
	for i := range wishes {
		b.s.canonical(&wishes[i])
	}
	c, err := b.claims(ctx, tx, wishes)
	if err != nil {
		return err
	}
	for i := range wishes {
		w := &wishes[i]
		b.planCards(w, c)
		b.planCode(w, c)
		b.planPIN(w)
	}
	return b.makeCodes(ctx, tx, wishes)
}

// count sees how many people there are.
func (b *batch) count(ctx context.Context, tx store.Tx, wishes []wish) error {
	if !b.counted {
		n, err := tx.CountUsers(ctx, store.UserFilter{})
		if err != nil {
			return err
		}
		b.counted, b.came = true, n
	}
	for _, w := range wishes {
		if w.user.ID == 0 {
			b.came++
		}
	}
	b.people = max(b.came, b.expected)
	return nil
}

// readPresent reads what people have.
func readPresent(ctx context.Context, tx store.Tx, wishes []wish) error {
	at := map[core.UserID]int{}
	var ids []core.UserID
	for i, w := range wishes {
		if w.user.ID != 0 {
			at[w.user.ID] = i
			ids = append(ids, w.user.ID)
		}
	}
	return tx.CredentialsOf(ctx, ids, func(c core.Credential) {
		w := &wishes[at[c.UserID]]
		w.have = append(w.have, c)
	})
}

// canonical reads what was given; what cannot be read is a problem.
func (s *Service) canonical(w *wish) {
	if w.wants(core.CredentialCard) {
		seen := map[[32]byte]bool{}
		for _, number := range w.given.Cards {
			if number.Empty() {
				continue
			}
			text, err := CanonCard(number)
			if err != nil {
				w.problem("a card was left out: %s", plain(err))
				continue
			}
			v := value{kind: core.CredentialCard, text: text, lookup: s.digest(core.CredentialCard, text), place: len(w.cards)}
			if !seen[v.lookup] {
				seen[v.lookup] = true
				w.cards = append(w.cards, v)
			}
		}
	}
	if w.wants(core.CredentialCode) && !w.given.Code.Empty() {
		text, err := CanonCode(w.given.Code)
		if err != nil {
			w.problem("the access code was left out: %s", plain(err))
			return
		}
		w.code = &value{kind: core.CredentialCode, text: text, lookup: s.digest(core.CredentialCode, text)}
	}
}

// claims is what a chunk of wishes needs to know of other people's values.
type claims struct {
	wanted map[claim]map[who]bool
	used   map[claim][]core.Credential
	freed  map[int64]bool // ids of what a person of this chunk gives up
}

func (b *batch) claims(ctx context.Context, tx store.Tx, wishes []wish) (claims, error) {
	c := claims{wanted: map[claim]map[who]bool{}, used: map[claim][]core.Credential{}, freed: map[int64]bool{}}
	lookups := map[core.CredentialKind][][32]byte{}
	for i := range wishes {
		w := &wishes[i]
		for _, v := range w.values() {
			k := claim{v.kind, v.lookup}
			if c.wanted[k] == nil {
				c.wanted[k] = map[who]bool{}
			}
			c.wanted[k][w.who] = true
			if w.own(v) == nil {
				lookups[v.kind] = append(lookups[v.kind], v.lookup)
			}
		}
		gone := w.givesUp()
		for _, have := range w.have {
			if slices.Contains(gone, have.ID) && have.Origin != core.OriginGenerated { // those made here stay when the new one is refused
				c.freed[have.ID] = true
			}
		}
	}
	for _, kind := range []core.CredentialKind{core.CredentialCard, core.CredentialCode} {
		if err := tx.CredentialsByLookup(ctx, kind, lookups[kind], func(held core.Credential) {
			k := claim{kind, held.Lookup}
			// Two people who want the same value look it up twice.
			if !slices.ContainsFunc(c.used[k], func(o core.Credential) bool { return o.ID == held.ID }) {
				c.used[k] = append(c.used[k], held)
			}
		}); err != nil {
			return claims{}, err
		}
	}
	return c, nil
}

func (w *wish) wants(kind core.CredentialKind) bool { return slices.Contains(w.given.Kinds, kind) }

func (w *wish) values() []value {
	list := slices.Clone(w.cards)
	if w.code != nil {
		list = append(list, *w.code)
	}
	return list
}

// own is the person's own credential in force with this value.
func (w *wish) own(v value) *core.Credential {
	for i := range w.have {
		if w.have[i].Kind == v.kind && w.have[i].Lookup == v.lookup {
			return &w.have[i]
		}
	}
	return nil
}

// ours tells whether a credential is of the origin that is being planned for.
func (w *wish) ours(c core.Credential) bool {
	return c.Origin == w.given.Origin && c.Source == w.given.Source
}

// givesUp lists the cards and codes that end because they are not given any more, or because another code takes their place.
func (w *wish) givesUp() []int64 {
	var ids []int64
	for _, c := range w.have {
		switch {
		case !w.wants(c.Kind) || slices.ContainsFunc(w.values(), func(v value) bool { return v.kind == c.Kind && v.lookup == c.Lookup }):
		case c.Kind == core.CredentialCard && w.ours(c) && !w.given.Add, c.Kind == core.CredentialCode && w.ours(c),
			c.Kind == core.CredentialCode && c.Origin == core.OriginGenerated && w.code != nil && w.own(*w.code) == nil:
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// holder finds who keeps w from having a value: another person who has it in force and does not give it up now, or to whom this run
// gave it.
func (b *batch) holder(w *wish, v value, c claims) (problem string, takes []int64) {
	k := claim{v.kind, v.lookup}
	what := "the access code"
	if v.kind == core.CredentialCard {
		what = named(hintOf(v.text))
	}
	for _, held := range c.used[k] {
		switch {
		case !held.InForce() || held.UserID == w.user.ID:
		case c.freed[held.ID]:
			takes = append(takes, held.ID)
		default:
			return fmt.Sprintf("%s is already that of user %d", what, held.UserID), nil
		}
	}
	if other, ok := b.taken[k]; ok && other != w.who {
		return fmt.Sprintf("%s is given to another person too", what), nil
	}
	if len(c.wanted[k]) > 1 {
		return fmt.Sprintf("%s is given to %d people, so none of them gets it", what, len(c.wanted[k])), nil
	}
	return "", takes
}

func (b *batch) planCards(w *wish, c claims) {
	if !w.wants(core.CredentialCard) {
		w.data.hints = hintsOf(w.have, nil)
		return
	}
	changed := false
	gone := w.givesUp()
	for _, have := range w.have {
		if have.Kind == core.CredentialCard && slices.Contains(gone, have.ID) {
			w.data.end = append(w.data.end, have.ID)
			w.detail("%s ends", named(have.Hint))
			changed = true
		}
	}
	moved := false
	for _, v := range w.cards {
		if own := w.own(v); own != nil {
			if w.ours(*own) && own.Place != v.place && !w.given.Add {
				m := *own
				m.Place = v.place
				w.data.move, moved = append(w.data.move, m), true
			}
			continue
		}
		problem, takes := b.holder(w, v, c)
		if problem != "" {
			w.problem("%s", problem)
			continue
		}
		b.taken[claim{v.kind, v.lookup}] = w.who
		w.data.end = append(w.data.end, takes...)
		w.data.add = append(w.data.add, addition{v, w.given.Origin, w.given.Source})
		w.detail("%s is added", named(hintOf(v.text)))
		changed = true
	}
	if moved && !changed {
		w.detail("the order of the cards changes")
	}
	if moved || changed {
		w.field("cards")
	}
	w.data.hints = hintsOf(w.have, w.data.add, gone...)
}

// hintsOf are the ends of the cards in force afterwards.
func hintsOf(have []core.Credential, add []addition, gone ...int64) []string {
	var hints []string
	for _, c := range have {
		if c.Kind == core.CredentialCard && !slices.Contains(gone, c.ID) {
			hints = append(hints, c.Hint)
		}
	}
	for _, a := range add {
		if a.kind == core.CredentialCard {
			hints = append(hints, hintOf(a.text))
		}
	}
	return hints
}

func (b *batch) planCode(w *wish, c claims) {
	policy := b.s.d.Policy
	fresh, had := w.user.ID == 0, slices.ContainsFunc(w.have, isCode)
	if fresh {
		w.notice(dirsync.NoticeWelcome)
	}
	var gone []int64
	for _, have := range w.have {
		if isCode(have) && slices.Contains(w.givesUp(), have.ID) {
			gone = append(gone, have.ID)
		}
	}
	if w.code != nil && w.own(*w.code) == nil {
		taken, ok := b.takeCode(w, c)
		if ok {
			w.data.end = append(append(w.data.end, gone...), taken...)
			w.data.code = w.code.text
			if had {
				w.notice(dirsync.NoticeCodeChanged)
				w.detail("the access code changes")
			} else {
				w.detail("the access code is added")
			}
			w.field("code")
			return
		}
		// It is not to be had: what the directory gave before has ended nevertheless. What was made here stays.
		gone = slices.DeleteFunc(gone, func(id int64) bool {
			return slices.ContainsFunc(w.have, func(c core.Credential) bool { return c.ID == id && c.Origin == core.OriginGenerated })
		})
	}
	w.data.end = append(w.data.end, gone...)
	left := slices.ContainsFunc(w.have, func(c core.Credential) bool { return isCode(c) && !slices.Contains(gone, c.ID) })
	switch {
	case !left && (policy.Generate || had):
		w.generate = true
		w.detail("a new access code is made")
		w.field("code")
		if !fresh {
			w.notice(dirsync.NoticeCodeReplaced)
		}
	case len(gone) > 0:
		w.detail("the access code ends")
		w.field("code")
	}
}

func isCode(c core.Credential) bool { return c.Kind == core.CredentialCode }

// takeCode decides about a code that the person does not have: whether it is free, and good enough.
func (b *batch) takeCode(w *wish, c claims) (takes []int64, ok bool) {
	v := *w.code
	problem, takes := b.holder(w, v, c)
	if problem != "" {
		w.problem("%s", problem)
		return nil, false
	}
	v.weak = grade(v.text, needBits(b.people), w.facts)
	if slices.ContainsFunc(c.used[claim{v.kind, v.lookup}], func(old core.Credential) bool { return old.UserID != w.user.ID && !old.InForce() }) {
		v.weak = append(v.weak, gradeUsed)
	}
	if len(v.weak) > 0 {
		why := reasons(v.weak)
		switch b.s.d.Policy.Weak {
		case WeakRefuse:
			w.refused = true
			w.plan.Weak = append(w.plan.Weak, "the access code was refused: "+why)
			return nil, false
		case WeakPIN:
			w.plan.Weak = append(w.plan.Weak, "the access code works only together with a PIN: "+why)
		case WeakAccept:
			w.plan.Weak = append(w.plan.Weak, "the access code is weak: "+why)
		}
	}
	b.taken[claim{v.kind, v.lookup}] = w.who
	w.data.add = append(w.data.add, addition{v, w.given.Origin, w.given.Source})
	return takes, true
}

func (b *batch) planPIN(w *wish) {
	w.data.origin, w.data.source = w.given.Origin, w.given.Source
	if !w.wants(core.CredentialPIN) {
		return
	}
	at := slices.IndexFunc(w.have, func(c core.Credential) bool { return c.Kind == core.CredentialPIN })
	if w.given.PIN.Empty() {
		if at >= 0 && w.ours(w.have[at]) {
			w.data.end, w.data.pin = append(w.data.end, w.have[at].ID), true
			w.field("pin")
			w.detail("the PIN ends")
		}
		return
	}
	pin, err := CanonPIN(w.given.PIN)
	if err != nil {
		w.problem("the PIN was left out: %s", plain(err))
		return
	}
	if at >= 0 {
		if w.have[at].Lookup == b.s.pinMark(w.user.ID, pin) {
			return
		}
		w.data.end = append(w.data.end, w.have[at].ID)
	}
	w.data.pin, w.data.pinIs = true, pin
	w.field("pin")
	w.detail("the PIN changes")
}

// makeCodes makes the codes that are wanted: nobody has them, and nobody had them within two years.
func (b *batch) makeCodes(ctx context.Context, tx store.Tx, wishes []wish) error {
	var open []*wish
	for i := range wishes {
		if wishes[i].generate {
			open = append(open, &wishes[i])
		}
	}
	for len(open) > 0 {
		tries := make(map[[32]byte]*wish, len(open))
		values := make([][32]byte, 0, len(open))
		for _, w := range open {
			text := generate(b.s.d.Policy.Format, b.people)
			v := value{kind: core.CredentialCode, text: text, lookup: b.s.digest(core.CredentialCode, text)}
			if _, taken := b.taken[claim{v.kind, v.lookup}]; taken || tries[v.lookup] != nil {
				continue
			}
			w.code = &v
			tries[v.lookup] = w
			values = append(values, v.lookup)
		}
		if err := tx.CredentialsByLookup(ctx, core.CredentialCode, values, func(used core.Credential) { delete(tries, used.Lookup) }); err != nil {
			return err
		}
		again := open[:0]
		for _, w := range open {
			if w.code == nil || tries[w.code.lookup] != w {
				again = append(again, w)
				continue
			}
			b.taken[claim{core.CredentialCode, w.code.lookup}] = w.who
			w.data.add = append(w.data.add, addition{*w.code, core.OriginGenerated, core.LocalSource})
			w.data.code = w.code.text
		}
		open = again
	}
	return nil
}

func (w *wish) problem(format string, args ...any) {
	w.plan.Problems = append(w.plan.Problems, fmt.Sprintf(format, args...))
}

func (w *wish) detail(format string, args ...any) {
	w.plan.Details = append(w.plan.Details, fmt.Sprintf(format, args...))
}

func (w *wish) field(name string) { w.plan.Fields = append(w.plan.Fields, name) }

func (w *wish) notice(kind dirsync.NoticeKind) {
	if !w.quiet && w.data.notice == "" {
		w.data.notice = kind
	}
}

// plain is what an error says without its kind.
func plain(err error) string {
	return strings.TrimPrefix(err.Error(), core.ErrInvalid.Error()+": ")
}
