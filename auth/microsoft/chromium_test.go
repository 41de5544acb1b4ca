package microsoft_test

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/internal/testenv"
)

// TestSignInInARealBrowser is the whole way as people go it: Chromium opens, a password is typed, MFA is passed, and the
// tab says so in the person's language.
func TestSignInInARealBrowser(t *testing.T) {
	e := start(t)
	tab := testenv.Chromium(t, testenv.ChromiumOptions{Trust: []*x509.Certificate{e.Certificate()}, Width: 900, Height: 600, Dark: true})
	d := sit(t, e, "", func(o *microsoft.Options) {
		o.OpenURL = func(_ context.Context, address string) error { return tab.Begin(address) }
		o.Texts = loopback.Texts{Language: "es", Done: "Ha iniciado sesión. Puede cerrar esta pestaña.", Failed: "No ha iniciado sesión. Puede cerrar esta pestaña."}
	})
	type result struct {
		token microsoft.Token
		err   error
		at    time.Time
	}
	done := make(chan result, 1)
	signIn := func(r microsoft.Request) {
		go func() {
			token, err := d.SignIn(t.Context(), r)
			done <- result{token, err, time.Now()}
		}()
	}
	signIn(microsoft.Request{Hint: "mia@example.org"})
	tab.Type("#passwd", password+"\r") // as most people do
	tab.Type("#otc", "246810")
	picture(t, tab, "mfa.png")
	clicked := time.Now()
	tab.Click("#verify")
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	if got.token.Username != "mia@example.org" {
		t.Errorf("signed in %s", got.token.Username)
	}
	t.Logf("from the last click to the token: %v", got.at.Sub(clicked))
	tab.AwaitURL("http://localhost:")
	if text := tab.Text("#result"); text != "Ha iniciado sesión. Puede cerrar esta pestaña." || tab.Eval("document.documentElement.lang") != "es" {
		t.Errorf("the tab says %q", text)
	}
	picture(t, tab, "done.png")

	// The browser knows them now: the second time nobody is asked.
	signIn(microsoft.Request{Hint: "mia@example.org"})
	if got := <-done; got.err != nil {
		t.Error(got.err)
	}
	// And with the account picker they go back.
	signIn(microsoft.Request{SelectAccount: true})
	tab.Click("#other")
	tab.Click("#cancel")
	if got := <-done; failure(t, got.err).Kind != microsoft.Refused {
		t.Error(got.err)
	}
	tab.AwaitURL("http://localhost:")
	if text := tab.Text("#result"); !strings.HasPrefix(text, "No ha iniciado") {
		t.Errorf("the tab says %q", text)
	}
	for _, complaint := range tab.Complaints() {
		if !strings.Contains(complaint, "favicon") {
			t.Errorf("the browser complains: %s", complaint)
		}
	}
}

// picture keeps what the tab shows where PLATEN_PICTURES says, for people to look at.
func picture(t *testing.T, tab *testenv.ChromiumTab, name string) {
	t.Helper()
	dir := os.Getenv("PLATEN_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), tab.Screenshot(), 0o600); err != nil {
		t.Error(err)
	}
}
