package signin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
)

func TestPasswordsForLocalAccountsOnly(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	owner := f.addLocal("owner@example.org") // looks like one of the directory's
	f.listed("list", "import@example.net")
	phc, err := f.hasher.Hash(t.Context(), secret.New(right))
	if err != nil {
		t.Fatal(err)
	}
	f.update(func(tx store.Tx) error { // of a list, yet with a hash here
		answer, err := names.Find(context.Background(), tx, names.Query{Text: "import@example.net"}, f.rules, f.now())
		if err != nil {
			return err
		}
		return tx.SetPasswordHash(context.Background(), answer.User, phc)
	})
	f.domain.answer = core.ErrUnavailable // a directory that is down says nothing either
	try := func(name, password string) (core.UserID, error) {
		r, err := f.s.Password(t.Context(), signin.Attempt{Name: name, Password: secret.New(password), LocalOnly: true})
		return r.User.ID, err
	}
	if id, err := try("owner@example.org", right); err != nil || id != owner {
		t.Errorf("the local owner: %d, %v", id, err)
	}
	for _, name := range []string{"sam@example.org", `CORP\sam`, "sam", "import@example.net", "nobody@example.org", "nobody", "owner@example.org"} {
		password := right
		if strings.HasPrefix(name, "owner") {
			password = wrong
		}
		id, err := try(name, password)
		if !errors.Is(err, core.ErrWrongCredentials) || id != 0 {
			t.Errorf("%s: %d, %v", name, id, err)
		}
	}
	if f.domain.binds != 0 {
		t.Errorf("the directory was asked %d times", f.domain.binds)
	}
}
