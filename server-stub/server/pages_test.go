package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Where prompt is off, a directory's password opens nothing for administrators either; a local account's does, for the day on
// which no provider answers.
func TestWherePromptIsOffAdministratorsPagesTakeLocalPasswordsOnly(t *testing.T) {
	for modes, want := range map[string]int{"trust": http.StatusUnauthorized, "trust,prompt": http.StatusSeeOther} {
		o := openServer(t, strings.Split(modes, ",")...)
		signIn := func(who string) int {
			form := url.Values{"account": {who + "@example.org"}, "password": {"right horse"}}
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/sign-in/password", strings.NewReader(form.Encode()))
			r.Host, r.RemoteAddr = "print.example.org", "192.0.2.1:1234"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			o.pages.admin.ServeHTTP(w, r)
			return w.Code
		}
		if got := signIn("auditor"); got != http.StatusSeeOther {
			t.Errorf("%s: a local account: %d", modes, got)
		}
		id, err := createListed(t.Context(), o, "admin")
		if err != nil {
			t.Fatal(err)
		}
		if got := signIn("listed"); got != want {
			t.Errorf("%s: user %d of a directory: %d, want %d", modes, id, got, want)
		}
	}
}

// createListed makes somebody of a directory with a role, whose password is that of another.
func createListed(ctx context.Context, o *opened, like string) (id core.UserID, err error) {
	return id, o.db.Update(ctx, func(tx store.Tx) error {
		now := o.now()
		if id, err = tx.CreateUser(ctx, core.User{Username: "listed@example.org", Source: "list", CreatedAt: now, UpdatedAt: now}); err != nil {
			return err
		}
		n := core.LoginName{UserID: id, Name: "listed@example.org", Folded: "listed@example.org", Kind: core.NameUPN, Source: "list", ValidFrom: now}
		if err := tx.PutName(ctx, n); err != nil {
			return err
		}
		phc, err := tx.PasswordHash(ctx, o.people[like])
		if err != nil {
			return err
		}
		if err := tx.SetPasswordHash(ctx, id, phc); err != nil {
			return err
		}
		return tx.PutRole(ctx, core.RoleGrant{UserID: id, Role: core.RoleAdmin, GrantedBy: "test", GrantedAt: now})
	})
}
