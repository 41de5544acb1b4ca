package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// A ledger that somebody changed while the server was down is noticed after the start: everybody who watches hears of it, and
// people go on.
func TestTheLedgerIsVerifiedAfterTheStart(t *testing.T) {
	dir := shortDir(t)
	r := run(t, dir, nil)
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "alex@example.org", Password: "correct horse"})
	call[admin.Receipt](r, admin.VerbUserCredit, admin.UserCredit{User: "alex@example.org", Amount: "10", Key: "k1"})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	r = run(t, dir, nil)
	st := r.untilVerified()
	if st.Problem != "" || !strings.Contains(st.Ledger, "the ledger is sound: 1 transfers") {
		t.Errorf("status of a sound ledger: %+v", st)
	}
	r.wantProbes(http.StatusOK, "platen_ledger_sound 1\n")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	storetest.TamperFile(t, filepath.Join(dir, "platen.db"), "DROP TRIGGER accounts_keep_update", "UPDATE accounts SET balance = 9990000 WHERE kind = 'user'")
	r = run(t, dir, nil)
	st = r.untilVerified()
	if !strings.Contains(st.Problem, "NOT sound") || !strings.Contains(st.Ledger, "its entries sum to 10.00") {
		t.Errorf("status of a changed ledger: %+v", st)
	}
	r.wantProbes(http.StatusServiceUnavailable, "platen_ledger_sound 0\n")
	c := r.client(false)
	session := r.signIn(c, "alex@example.org", "correct horse")
	if status, text := r.ask(c, "GET", api.PathBalance, session.AccessToken, ""); status != http.StatusOK {
		t.Errorf("balance: %d %s", status, text)
	}
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "bea@example.org"})
	call[admin.Receipt](r, admin.VerbUserCredit, admin.UserCredit{User: "bea@example.org", Amount: "1", Key: "k2"})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if log := r.log.String(); !strings.Contains(log, `level=ERROR msg="the ledger is not sound"`) {
		t.Errorf("log: %s", log)
	}
}

// untilVerified returns the status once the verification of the start has ended.
func (r *running) untilVerified() admin.Status {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		st := call[admin.Status](r, admin.VerbStatus, admin.Nothing{})
		if !strings.Contains(st.Ledger, "being verified") {
			return st
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("not verified: %+v", st)
		}
	}
}

func (r *running) wantProbes(ready int, metric string) {
	r.t.Helper()
	c := r.client(false)
	if status, _ := r.ask(c, "GET", api.PathReady, "", ""); status != ready {
		r.t.Errorf("%s: %d, want %d", api.PathReady, status, ready)
	}
	if status, _ := r.ask(c, "GET", api.PathHealth, "", ""); status != http.StatusOK {
		r.t.Errorf("%s: %d", api.PathHealth, status)
	}
	if status, text := r.ask(c, "GET", api.PathMetrics, "", ""); status != http.StatusOK || !strings.Contains(text, metric) {
		r.t.Errorf("%s: %d, without %q", api.PathMetrics, status, metric)
	}
}
