package credentials_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestRCODE1_CodesAreAsLongAsTheFormulaSays(t *testing.T) {
	for n, want := range map[int]int{0: 8, 1: 8, 100: 8, 1000: 8, 10_000: 8, 15_000: 8, 16_000: 9, 100_000: 9, 1_000_000: 10} {
		if got := (credentials.Format{Alphabet: credentials.Crockford}).For(n); got != want {
			t.Errorf("%d people: %d characters, want %d", n, got, want)
		}
		// The same bound for digits, from the definition: ten to the length is at least people x days x failures x 1,000.
		digits := (credentials.Format{Alphabet: credentials.Digits}).For(n)
		people := float64(max(n, 1))
		if tries := people * 365 * min(200, max(50, 0.02*people)) * 1000; math.Pow10(digits) < tries || digits < 8 || digits > 8 && math.Pow10(digits-1) >= tries {
			t.Errorf("%d people: %d digits for %g tries", n, digits, tries)
		}
	}
	for name, tc := range map[string]struct {
		format credentials.Format
		want   int
	}{
		"longer":                  {credentials.Format{Alphabet: credentials.Crockford, Length: 12}, 12},
		"too short":               {credentials.Format{Alphabet: credentials.Crockford, Length: 8}, 9},
		"short, and allowed":      {credentials.Format{Alphabet: credentials.Crockford, Length: 6, AllowShort: true}, 6},
		"allowed, but not wanted": {credentials.Format{Alphabet: credentials.Crockford, AllowShort: true}, 9},
	} {
		if got := tc.format.For(100_000); got != tc.want {
			t.Errorf("%s: %d characters, want %d", name, got, tc.want)
		}
	}
}

func TestRCODE1_MadeCodesHaveTheFormThatWasAskedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		format  credentials.Format
		letters string
		shape   string
	}{
		"usual":  {credentials.Format{Alphabet: credentials.Crockford, Group: 4}, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "XXXX-XXXX"},
		"digits": {credentials.Format{Alphabet: credentials.Digits, Length: 12, Group: 3}, "0123456789", "XXX-XXX-XXX-XXX"},
		"plain":  {credentials.Format{Alphabet: credentials.Alnum, Length: 10}, "0123456789ABCDEFGHJKMNPQRSTUVWXYZ", "XXXXXXXXXX"},
		"odd":    {credentials.Format{Alphabet: credentials.Crockford, Length: 9, Group: 4}, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "XXXX-XXXXX"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(p *credentials.Policy) { p.Format = tc.format })
			used := map[rune]bool{}
			for i := range 60 {
				u := s.user(fmt.Sprint("u", i))
				made, err := s.NewCode(t.Context(), "admin", u.ID)
				if err != nil {
					t.Fatal(err)
				}
				shape := strings.Map(func(r rune) rune {
					if r == '-' {
						return r
					}
					if used[r] = true; !strings.ContainsRune(tc.letters, r) {
						t.Errorf("a code has a %q", r)
					}
					return 'X'
				}, made.Reveal())
				if shape != tc.shape {
					t.Fatalf("a code has the form %s, want %s", shape, tc.shape)
				}
			}
			if len(used) < len(tc.letters)*9/10 {
				t.Errorf("only %d of %d letters come up", len(used), len(tc.letters))
			}
		})
	}
}

func TestRCODE1_NoCodeIsMadeTwiceWithinTwoYears(t *testing.T) {
	// Four digits, so that the same one would come up again soon: the chance that 300 differ by luck is 1 in 90.
	s := newSite(t, func(p *credentials.Policy) {
		p.Format = credentials.Format{Alphabet: credentials.Digits, Length: 4, AllowShort: true}
	})
	u := s.user("alex")
	seen := map[string]bool{}
	for range 300 {
		made, err := s.NewCode(t.Context(), "admin", u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if seen[made.Reveal()] {
			t.Fatalf("a code was made twice, after %d others", len(seen))
		}
		seen[made.Reveal()] = true
	}
	count := func() (n int) {
		s.update(func(tx store.Tx) error {
			list, err := tx.UserCredentials(t.Context(), u.ID)
			n = len(list)
			return err
		})
		return n
	}
	s.now = s.now.AddDate(1, 11, 0)
	if err := s.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 300 {
		t.Errorf("after 23 months %d of 300 codes are known", n)
	}
	s.now = s.now.AddDate(0, 2, 0)
	if err := s.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 {
		t.Errorf("after 25 months %d codes are known, want the one in force", n)
	}
}

func TestA3_33_ValuesShowInTheProfileWhereTheSiteKeepsThem(t *testing.T) {
	s := newSite(t, func(p *credentials.Policy) { p.Codes, p.Cards = credentials.KeepReveal, credentials.KeepReveal })
	alex := s.syncOne(core.User{}, record("alex", good, "04:A2:3B:91")).users[0]
	reveal := func(kind core.CredentialKind) (values []string) {
		t.Helper()
		list, err := s.Reveal(t.Context(), "admin", alex.ID, kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			values = append(values, r.Value.Reveal())
		}
		return values
	}
	if diff := cmp.Diff([]string{good}, reveal(code)); diff != "" {
		t.Errorf("the code (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"04A23B91"}, reveal(card)); diff != "" {
		t.Errorf("the card (-want +got):\n%s", diff)
	}
	s.syncOne(alex, record("alex", good2, "04A23B92")) // and after each run
	if diff := cmp.Diff([]string{"04A23B92"}, reveal(card)); diff != "" {
		t.Errorf("the card after another run (-want +got):\n%s", diff)
	}
	if _, err := s.Reveal(t.Context(), "admin", alex.ID, core.CredentialPIN); !errors.Is(err, core.ErrForbidden) {
		t.Errorf("Reveal of a PIN: %v, want ErrForbidden", err)
	}
	s.update(func(tx store.Tx) error {
		events, err := tx.AuditEvents(t.Context(), 0, 10)
		if len(events) != 3 || events[0].Action != "user.card.reveal" || events[0].Target != fmt.Sprintf("user:%d", alex.ID) {
			t.Errorf("the audit log: %+v, want three looks", events)
		}
		return err
	})
	// The site decides otherwise: nothing can be shown any more, and everything still works.
	s.with(nil)
	if err := s.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.with(func(p *credentials.Policy) { p.Codes, p.Cards = credentials.KeepReveal, credentials.KeepReveal })
	if diff := cmp.Diff([]string{""}, reveal(card)); diff != "" {
		t.Errorf("after the switch (-want +got):\n%s", diff)
	}
	s.wantOwner(card, "04A23B92", "alex")
	s.wantOwner(code, good2, "alex")
}

// files returns everything that the database has on disk, and a backup.
func files(t *testing.T, dir string, st store.Store) []byte {
	t.Helper()
	var all bytes.Buffer
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	if err := st.Backup(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

func TestRCODE4_RSECRET_DiskAndBackupHoldNoValue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	st, err := sqlstore.Open(t.Context(), sqlstore.Config{Path: filepath.Join(dir, "platen.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s := onStore(t, st, func(p *credentials.Policy) { p.Codes, p.Cards = credentials.KeepReveal, credentials.KeepReveal })
	var canaries []string
	var items []dirsync.CredentialItem
	for i := range 30 {
		r := record(fmt.Sprint("user", i), fmt.Sprintf("CANARYC0DE%02d", i), fmt.Sprintf("CANARYCARD%02dZZ", i))
		r.PIN = secret.New(fmt.Sprintf("80468046%04d", i))
		canaries = append(canaries, "CANARYC0DE", "CANARYCARD", "80468046")
		items = append(items, dirsync.CredentialItem{Record: r})
	}
	got := s.sync(items...)
	if err := s.HashPINs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPIN(t.Context(), "admin", got.users[0].ID, secret.New("80468046")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reveal(t.Context(), "admin", got.users[0].ID, card); err != nil {
		t.Fatal(err)
	}
	raw := files(t, dir, st)
	if !bytes.Contains(raw, []byte("user29")) {
		t.Fatal("the files do not even have the usernames: they are not those of the database")
	}
	for _, c := range canaries {
		if bytes.Contains(raw, []byte(c)) {
			t.Fatalf("%s is on the disk in clear", c)
		}
	}
}

func TestRCODE4_WhatIsMovedOpensNoMore(t *testing.T) {
	s := newSite(t, func(p *credentials.Policy) { p.Codes, p.Cards = credentials.KeepReveal, credentials.KeepReveal })
	got := s.sync(dirsync.CredentialItem{Record: record("alex", good, "11112222")}, dirsync.CredentialItem{Record: record("bea", good2, "33334444")})
	swap := func(a, b string) {
		t.Helper()
		storetest.Tamper(t, s.store, "CREATE TEMP TABLE was AS SELECT id, kind, user_id, sealed FROM credentials",
			"UPDATE credentials SET sealed = (SELECT sealed FROM was WHERE "+b+") WHERE "+a, "DROP TABLE was")
	}
	swap("user_id = 1 AND kind = 'card'", "user_id = 2 AND kind = 'card'")
	swap("user_id = 1 AND kind = 'code'", "user_id = 1 AND kind = 'card'")
	for _, kind := range []core.CredentialKind{card, code} {
		if list, err := s.Reveal(t.Context(), "admin", got.users[0].ID, kind); !errors.Is(err, keys.ErrOpen) {
			t.Errorf("the moved %s opens: %v, %v", kind, list, err)
		}
	}
}

func TestAPINNeverWorksAlone(t *testing.T) {
	s := newSite(t, nil)
	u := s.user("alex")
	if err := s.SetPIN(t.Context(), "admin", u.ID, secret.New("471147")); err != nil {
		t.Fatal(err)
	}
	s.wantOwner(code, "471147", "nobody")
	s.wantOwner(card, "471147", "nobody")
	if ok, err := s.CheckPIN(t.Context(), u.ID, secret.New("471147")); err != nil || !ok {
		t.Errorf("CheckPIN = %v, %v", ok, err)
	}
	if err := s.SetPIN(t.Context(), "admin", u.ID, secret.String{}); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.CheckPIN(t.Context(), u.ID, secret.New("471147")); err != nil || ok {
		t.Errorf("CheckPIN after it ended = %v, %v", ok, err)
	}
	for _, bad := range []string{"123", "12345678901234567", "12a4", "１２３４"} {
		if err := s.SetPIN(t.Context(), "admin", u.ID, secret.New(bad)); !errors.Is(err, core.ErrInvalid) || strings.Contains(err.Error(), bad) {
			t.Errorf("SetPIN(%q) = %v, want ErrInvalid without the PIN", bad, err)
		}
	}
}

// Equal PINs of two people look different, so that nobody finds those who chose 1234.
func TestEqualPINsLookDifferent(t *testing.T) {
	s := newSite(t, nil)
	a, b := record("alex", ""), record("bea", "")
	a.PIN, b.PIN = secret.New("1234"), secret.New("1234")
	got := s.sync(dirsync.CredentialItem{Record: a}, dirsync.CredentialItem{Record: b})
	if len(s.inForce(got.users[0])) != 2 || len(s.inForce(got.users[1])) != 2 {
		t.Error("the second PIN was not taken")
	}
}

func TestAdministratorsChangeCodes(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good)).users[0]
	made, err := s.NewCode(t.Context(), "admin", alex.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.wantOwner(code, made.Reveal(), "alex")
	s.wantOwner(code, good, "nobody")
	if len(s.told) != 1 || s.told[0].Kind != dirsync.NoticeCodeReplaced {
		t.Errorf("told: %v", s.told)
	}
	if _, err := s.SetCode(t.Context(), "admin", s.user("bea").ID, made); !errors.Is(err, core.ErrConflict) || strings.Contains(err.Error(), made.Reveal()) {
		t.Errorf("SetCode of somebody else's: %v", err)
	}
	weak, err := s.SetCode(t.Context(), "admin", alex.ID, secret.New("123456"))
	if err != nil || !strings.Contains(weak, "it counts up or down") {
		t.Errorf("SetCode = %q, %v", weak, err)
	}
	s.wantOwner(code, "123456", "alex+PIN")
	if made, err = s.ClearCode(t.Context(), "admin", alex.ID); err != nil || made.Empty() {
		t.Errorf("ClearCode = %v, %v: everybody has a code", made, err)
	}
	s.with(func(p *credentials.Policy) { p.Generate = false })
	if made, err = s.ClearCode(t.Context(), "admin", alex.ID); err != nil || !made.Empty() {
		t.Errorf("ClearCode where nobody needs one = %v, %v", made, err)
	}
	s.with(func(p *credentials.Policy) { p.Weak = credentials.WeakRefuse })
	if _, err := s.SetCode(t.Context(), "admin", alex.ID, secret.New("123456")); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("SetCode of a weak one: %v, want ErrInvalid", err)
	}
}

func TestTheReportNamesWeakCodesAndWhoHasNone(t *testing.T) {
	s := newSite(t, func(p *credentials.Policy) { p.Generate = false })
	s.sync(dirsync.CredentialItem{Record: record("alex", good)}, dirsync.CredentialItem{Record: record("bea", "K7X2P9")})
	none := s.user("carl")
	r, err := s.Report(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if r.People != 3 || r.Codes != 2 || r.Weak != 1 || r.None != 1 || len(r.Lines) != 2 {
		t.Errorf("Report = %+v", r)
	}
	if l := r.Lines[0]; l.User.Username != "bea" || l.Reasons != "it is too short" || !l.NeedsPIN || l.Usable() {
		t.Errorf("bea's line: %+v", l)
	}
	if l := r.Lines[1]; l.User.ID != none.ID || !l.None {
		t.Errorf("carl's line: %+v", l)
	}
	if n, err := s.MakeMissing(t.Context(), "admin", true); err != nil || n != 1 {
		t.Errorf("MakeMissing = %d, %v", n, err)
	}
	if len(s.told) != 1 || s.told[0].User.ID != none.ID {
		t.Errorf("told: %v", s.told)
	}
	if r, err = s.Report(t.Context(), true); err != nil || r.None != 0 || len(r.Lines) != 3 {
		t.Errorf("Report afterwards = %+v, %v", r, err)
	}
}

func TestAPolicyMustFit(t *testing.T) {
	for name, change := range map[string]func(*credentials.Policy){
		"keep":   func(p *credentials.Policy) { p.Codes = "plain" },
		"weak":   func(p *credentials.Policy) { p.Weak = "" },
		"letter": func(p *credentials.Policy) { p.Format.Alphabet = "emoji" },
		"short":  func(p *credentials.Policy) { p.Format.Length = 6 },
		"shortest": func(p *credentials.Policy) {
			p.Format.Length, p.Format.AllowShort = 3, true
		},
	} {
		p := credentials.DefaultPolicy()
		change(&p)
		if err := p.Check(); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// On PostgreSQL too: batches, conflicts that leave the transaction usable, undo.
func TestTheSameOnPostgreSQL(t *testing.T) {
	s := onStore(t, storetest.OpenPostgres(t), nil)
	var items []dirsync.CredentialItem
	for i := range 450 {
		items = append(items, dirsync.CredentialItem{Record: record(fmt.Sprint("u", i), "", fmt.Sprintf("7000%04d", i))})
	}
	got := s.sync(items...)
	s.wantOwner(card, "70000449", "u449")
	moved := s.sync(dirsync.CredentialItem{User: got.users[0], Record: record("u0", good, "70000001")}, dirsync.CredentialItem{User: got.users[1], Record: record("u1", "", "70000000")})
	s.wantOwner(card, "70000001", "u0")
	s.wantOwner(code, good, "u0")
	s.now = s.now.Add(time.Minute)
	s.update(func(tx store.Tx) error {
		for _, i := range []int{1, 0} {
			if err := s.Revert(t.Context(), tx, s.now, moved.users[i].ID, moved.undo[i]); err != nil {
				return err
			}
		}
		return nil
	})
	s.wantOwner(card, "70000001", "u1")
	s.wantOwner(code, good, "nobody")
}

func FuzzCanonCode(f *testing.F) {
	for _, seed := range []string{"7QF3-MZ8K", "o0iIlL1", "", "ÄÖ", "\x00", "a b_c-d", strings.Repeat("Z", 65)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := credentials.CanonCode(secret.New(text))
		if err != nil {
			if !errors.Is(err, core.ErrInvalid) {
				t.Errorf("the error of %q: %v", text, err)
			}
			return
		}
		again, err := credentials.CanonCode(c)
		if err != nil || !again.Equal(c) {
			t.Errorf("the canonical form of %q is not canonical: %v", text, err)
		}
		for _, other := range []string{strings.ToLower(text), "-" + text + " ", strings.ReplaceAll(text, "0", "o")} {
			if same, err := credentials.CanonCode(secret.New(other)); err != nil || !same.Equal(c) {
				t.Errorf("%q and %q are not the same: %v", text, other, err)
			}
		}
		if strings.Trim(c.Reveal(), "0123456789ABCDEFGHJKMNPQRSTUVWXYZ") != "" {
			t.Errorf("%q became something with other letters", text)
		}
	})
}

func FuzzCanonCard(f *testing.F) {
	for _, seed := range []string{"04:A2:3B:91", "0012345678", ";1234=5678?", "", "\u00a0", "\xff1234"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := credentials.CanonCard(secret.New(text))
		if err != nil {
			if !errors.Is(err, core.ErrInvalid) {
				t.Errorf("the error of %q: %v", text, err)
			}
			return
		}
		if again, err := credentials.CanonCard(c); err != nil || !again.Equal(c) {
			t.Errorf("the canonical form of %q is not canonical: %v", text, err)
		}
	})
}

// 3,702 people are the first ones who need 12 digits instead of 11.
func TestRCODE1_CodesAreLongEnoughFromTheFirstPersonOn(t *testing.T) {
	s := newSite(t, func(p *credentials.Policy) { p.Format = credentials.Format{Alphabet: credentials.Digits} })
	for _, tt := range []struct {
		expect, length int
	}{{0, 8}, {3_700, 11}, {3_702, 12}} {
		s.update(func(tx store.Tx) error {
			run := s.Begin(source)
			if tt.expect > 0 {
				run.(dirsync.Expecter).Expect(tt.expect)
			}
			for i := range 3 { // who comes up is one of those who were expected
				key := fmt.Sprintf("new-%d-%d", tt.expect, i)
				plans, err := run.Plan(t.Context(), tx, []dirsync.CredentialItem{{Record: record(key, "")}})
				if err != nil {
					return err
				}
				u := core.User{Username: key, Source: source, CreatedAt: s.now}
				if u.ID, err = tx.CreateUser(t.Context(), u); err != nil {
					return err
				}
				_, notices, err := run.Apply(t.Context(), tx, s.now, u, plans[0])
				if err != nil {
					return err
				}
				if len(notices) != 1 || len(notices[0].Code.Reveal()) != tt.length {
					t.Errorf("%d expected, person %d: %v, want a code of %d digits", tt.expect, i, notices, tt.length)
				}
			}
			return nil
		})
	}
}
