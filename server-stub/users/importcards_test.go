package users_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// withCards gives the fixture cards and codes; told are the notices.
func (f *fixture) withCards(t *testing.T, told *[]dirsync.Notice) *credentials.Service {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	k, err := keys.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	cards := credentials.New(credentials.Deps{
		Store: f.store, Clock: func() time.Time { return f.now }, Keys: k, Policy: credentials.DefaultPolicy(), Hasher: f.hasher,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Notify: func(_ context.Context, _ store.Tx, n dirsync.Notice) error {
			if told != nil {
				*told = append(*told, n)
			}
			return nil
		},
	})
	f.users = users.New(users.Deps{Store: f.store, Clock: func() time.Time { return f.now }, Hasher: f.hasher, Credentials: cards, ChecksPasswords: func(s core.SourceID) bool { return s == "corp" }})
	return cards
}

func TestA3_01_AddingAUserMakesAUniqueCode(t *testing.T) {
	f := newFixture(t)
	var told []dirsync.Notice
	cards := f.withCards(t, &told)
	seen := map[string]bool{}
	for _, name := range []string{"alex", "bea", "carl"} {
		a, err := f.users.AddWithCode(t.Context(), "admin", users.NewUser{Username: name, Email: name + "@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		code := a.Code.Reveal()
		if plain := strings.ReplaceAll(code, "-", ""); len(plain) < 8 || strings.Trim(plain, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" || seen[code] {
			t.Errorf("the code of %s has the form %d characters, of other letters, or is not unique", name, len(plain))
		}
		seen[code] = true
		found, err := cards.FindCode(t.Context(), secret.New(strings.ToLower(code)))
		if err != nil || found.User.Username != name || found.NeedsPIN {
			t.Errorf("the code of %s is that of %+v, %v", name, found, err)
		}
	}
	if len(told) != 3 || told[0].Kind != dirsync.NoticeWelcome || told[0].Code.Empty() {
		t.Errorf("told: %v, want three welcomes with codes", told)
	}
}

func TestA1_27_CardsCodesAndPINsAreImported(t *testing.T) {
	f := newFixture(t)
	var told []dirsync.Notice
	cards := f.withCards(t, &told)
	f.add(t, users.NewUser{Username: "alex"})
	told = nil
	file := "username,aliases,cards,access_code,pin\nalex,lex,04:A2:3B:91;1234567890,7QF3-MZ8K-2WX9,4711\nbea,,5555 6666,,\ncarl,,,K7X2P9,\n"
	o := users.ImportOptions{Preview: true, Welcome: true}
	preview, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cards.FindCard(t.Context(), secret.New("1234567890")); err == nil {
		t.Error("a preview gave somebody a card")
	}
	told = nil
	o.Preview = false
	real, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2 alex update aliases,cards,code,pin", "3 bea create username,cards,code", "4 carl create username,code"}
	for _, r := range []users.ImportResult{preview, real} {
		if diff := cmp.Diff(want, lines(r)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	}
	if !strings.Contains(real.Lines[2].Note, "only together with a PIN") {
		t.Errorf("nothing says that the code is weak: %q", real.Lines[2].Note)
	}
	for number, name := range map[string]string{"04a23b91": "alex", "1234567890": "alex", "55556666": "bea"} {
		if found, err := cards.FindCard(t.Context(), secret.New(number)); err != nil || found.User.Username != name {
			t.Errorf("the card %s is that of %+v, %v", number, found.User, err)
		}
	}
	if len(told) != 3 {
		t.Errorf("%d people were told, want alex of the new code, and two welcomes", len(told))
	}
	// The same again changes nothing; another card replaces those of the import.
	again, err := f.users.Import(t.Context(), "admin", strings.NewReader(file), users.ImportOptions{})
	if err != nil || again.Count(users.ImportUnchanged) != 3 {
		t.Errorf("the same again: %q, %v", lines(again), err)
	}
	if _, err := f.users.Import(t.Context(), "admin", strings.NewReader("username,cards\nalex,99998888\n"), users.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := cards.FindCard(t.Context(), secret.New("1234567890")); err == nil {
		t.Error("the replaced card still works")
	}
}

func TestA1_27_OneBadCardRefusesTheWholeFile(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"somebody else's card": {"username,cards\nbea,55556666\ncarl,1234 5678\n", "line 3: the card ending in 78 is already that of user 1"},
		"somebody else's code": {"username,access_code\nbea,7QF3MZ8K2WX9\n", "line 2: the access code is already that of user 1"},
		"twice in the file":    {"username,cards\nbea,55556666\ncarl,5555-6666\n", "line 2: the card ending in 66 is given to 2 people"},
		"a bad PIN":            {"username,pin\nbea,12x4\n", "line 2: the PIN was left out: a PIN has 4 to 16 digits"},
		"a bad code":           {"username,access_code\nbea,ab!\n", "line 2: the access code was left out"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.withCards(t, nil)
			if _, err := f.users.Import(t.Context(), "admin", strings.NewReader("username,cards,access_code\nalex,12345678,7QF3MZ8K2WX9\n"), users.ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := f.users.Import(t.Context(), "admin", strings.NewReader(tt.file), users.ImportOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Import = %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "12x4") || strings.Contains(err.Error(), "7QF3") {
				t.Errorf("the error tells a secret: %v", err)
			}
			if _, err := f.users.Find(t.Context(), "bea"); err == nil {
				t.Error("a part of the file was imported")
			}
		})
	}
}

func TestErasingTakesCardsCodesAndMail(t *testing.T) {
	f := newFixture(t)
	cards := f.withCards(t, nil)
	a, err := f.users.AddWithCode(t.Context(), "admin", users.NewUser{Username: "alex"})
	if err != nil {
		t.Fatal(err)
	}
	if err := cards.AddCard(t.Context(), "admin", a.User.ID, secret.New("12345678")); err != nil {
		t.Fatal(err)
	}
	f.update(t, func(tx store.Tx) error {
		_, _, err := tx.QueueMail(t.Context(), core.Mail{Key: "k", UserID: a.User.ID, To: "alex@example.org", State: core.MailWaiting})
		return err
	})
	if err := f.users.Erase(t.Context(), "admin", a.User.ID); err != nil {
		t.Fatal(err)
	}
	if list, err := cards.List(t.Context(), a.User.ID); err != nil || len(list) != 0 {
		t.Errorf("cards and codes: %v, %v", list, err)
	}
	f.update(t, func(tx store.Tx) error {
		if list, err := tx.ListMail(t.Context(), nil, 0, 9); err != nil || len(list) != 0 {
			t.Errorf("mail: %v, %v", list, err)
		}
		all, err := tx.UserCredentials(t.Context(), a.User.ID)
		if len(all) != 1 || all[0].Kind != core.CredentialCode || all[0].Sealed != nil {
			t.Errorf("kept: %+v, want only what keeps the code from being made again", all)
		}
		return err
	})
}
