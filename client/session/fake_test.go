package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// fakeServer behaves like the print server, as far as one person's session goes: rotating refresh tokens (the previous
// one counts once more within 30 s while its successor is unused), access tokens that end, one balance with versions,
// streams that resume. Faults are switched on by its fields. Time is time.Now: tests run in a synctest bubble.
type fakeServer struct {
	mu sync.Mutex

	names    map[string]string // what may be typed -> password
	user     api.User
	site     api.ClientConfig
	life     time.Duration // of access tokens
	skew     time.Duration // the server's clock less ours
	amount   string
	version  int64
	down     error     // every call fails with it
	disabled bool      // account_disabled
	away     bool      // no_account: the directory does not list the person
	limited  time.Time // sign-ins are limited until then
	buffers  bool      // a proxy holds the stream back
	hasty    bool      // streams end at once
	loseNext bool      // the next answer to Refresh gets lost

	codes   map[string]voucher  // one-use codes
	people  map[string]api.User // of the tokens that Microsoft gives
	refuses error               // every sign-in by token or code fails with it
	lose    bool                // the next answer to a sign-in by code gets lost
	asked   []string            // what sign-ins by token and code said about themselves

	family   int // the session; a new sign-in begins a new one
	issued   int
	valid    string // the refresh token that counts
	previous string
	rotated  time.Time
	access   map[string]access
	streams  map[chan struct{}]bool
	signOut  bool // tells streams that the session ended

	calls map[string]int
	at    []time.Time // of every call
}

// access is an access token: until when it counts, in the server's time, and of which session it is.
type access struct {
	until  time.Time
	family int
}

func newServer() *fakeServer {
	return &fakeServer{
		names: map[string]string{"alex.test@example.org": "right", "alex.test": "right"},
		user:  api.User{ID: "u1", Username: "alex.test@example.org", DisplayName: "Alex Test"},
		site:  api.ClientConfig{Organisation: "Example University", AuthModes: []string{"prompt"}, LowBalance: "2.00", Version: "1.2.3"},
		life:  15 * time.Minute, amount: "12.34", version: 7,
		codes: map[string]voucher{}, people: map[string]api.User{},
		access: map[string]access{}, streams: map[chan struct{}]bool{}, calls: map[string]int{},
	}
}

var _ session.Server = (*fakeServer)(nil)

func fault(code api.Code, problem status.ProblemCode) error {
	return &session.Error{Code: code, Problem: status.Problem{Code: problem}, Err: errors.New(string(code))}
}

var errNoNetwork = &session.Error{Problem: status.Problem{Code: status.ProblemUnreachable, Host: "print.example.org"}, Err: errors.New("no route to host")}

// set changes the server under its lock.
func (f *fakeServer) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	for wake := range f.streams {
		close(wake)
		delete(f.streams, wake)
	}
}

func (f *fakeServer) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[name]
}

func (f *fakeServer) now() time.Time { return time.Now().Add(f.skew) }

// begin counts a call and tells whether the network works.
func (f *fakeServer) begin(name string) error {
	f.calls[name]++
	f.at = append(f.at, time.Now())
	return f.down
}

func (f *fakeServer) ClientConfig(context.Context) (api.ClientConfig, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("config"); err != nil {
		return api.ClientConfig{}, err
	}
	site := f.site
	site.ServerTime = f.now()
	return site, nil
}

func (f *fakeServer) SignIn(_ context.Context, r api.SignIn, password secret.String) (session.Tokens, error) {
	time.Sleep(10 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("sign-in"); err != nil {
		return session.Tokens{}, err
	}
	if f.now().Before(f.limited) {
		return session.Tokens{}, &session.Error{
			Code:    api.CodeLimited,
			Problem: status.Problem{Code: status.ProblemLimited, RetryAt: f.limited}, Err: errors.New("limited"),
		}
	}
	if want, ok := f.names[r.Username]; !ok || want != password.Reveal() {
		return session.Tokens{}, fault(api.CodeWrongCredentials, status.ProblemWrongCredentials)
	}
	if f.disabled {
		return session.Tokens{}, fault(api.CodeAccountDisabled, status.ProblemAccountDisabled)
	}
	f.family++
	f.previous = ""
	return f.issue(), nil
}

// voucher is what a one-use code is worth.
type voucher struct {
	challenge string
	user      api.User
}

// code makes a one-use code for somebody.
func (f *fakeServer) code(challenge string, user api.User) secret.String {
	f.mu.Lock()
	defer f.mu.Unlock()
	code := fmt.Sprintf("c%d", len(f.codes)+1)
	f.codes[code] = voucher{challenge, user}
	return secret.New(code)
}

func (f *fakeServer) SignInCode(_ context.Context, r api.CodeSignIn, code, verifier secret.String) (session.Tokens, error) {
	time.Sleep(10 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("code"); err != nil {
		return session.Tokens{}, err
	}
	f.asked = append(f.asked, fmt.Sprintf("code stay=%v shared=%v", r.StaySignedIn, r.Shared))
	v, ok := f.codes[code.Reveal()]
	delete(f.codes, code.Reveal())
	if !ok || v.challenge != api.Challenge(verifier.Reveal()) {
		return session.Tokens{}, fault(api.CodeCodeInvalid, status.ProblemProvider)
	}
	t, err := f.prove(v.user)
	if f.lose {
		f.lose = false
		return session.Tokens{}, errNoNetwork
	}
	return t, err
}

func (f *fakeServer) SignInToken(_ context.Context, r api.TokenSignIn, token secret.String) (session.Tokens, error) {
	time.Sleep(10 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("token"); err != nil {
		return session.Tokens{}, err
	}
	f.asked = append(f.asked, fmt.Sprintf("token stay=%v shared=%v", r.StaySignedIn, r.Shared))
	user, ok := f.people[token.Reveal()]
	if !ok {
		return session.Tokens{}, fault(api.CodeNoAccount, status.ProblemNoAccount)
	}
	return f.prove(user)
}

// prove begins a session of somebody who has proven who they are.
func (f *fakeServer) prove(user api.User) (session.Tokens, error) {
	switch {
	case f.refuses != nil:
		return session.Tokens{}, f.refuses
	case f.disabled:
		return session.Tokens{}, fault(api.CodeAccountDisabled, status.ProblemAccountDisabled)
	}
	f.family++
	f.previous, f.user = "", user
	return f.issue(), nil
}

func (f *fakeServer) issue() session.Tokens {
	f.issued++
	token := fmt.Sprintf("a%d", f.issued)
	f.valid = fmt.Sprintf("r%d", f.issued)
	f.access[token] = access{f.now().Add(f.life), f.family}
	return session.Tokens{Access: secret.New(token), AccessExpires: f.now().Add(f.life), Refresh: secret.New(f.valid), User: f.user}
}

func (f *fakeServer) revoke() {
	f.valid, f.previous = "", ""
	clear(f.access)
}

func (f *fakeServer) Refresh(_ context.Context, refresh secret.String) (session.Tokens, error) {
	time.Sleep(10 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("refresh"); err != nil {
		return session.Tokens{}, err
	}
	switch token := refresh.Reveal(); {
	case f.away && token == f.valid:
		return session.Tokens{}, fault(api.CodeNoAccount, status.ProblemNoAccount)
	case f.disabled:
		f.revoke()
		return session.Tokens{}, fault(api.CodeAccountDisabled, status.ProblemAccountDisabled)
	case token != "" && token == f.valid:
		f.previous, f.rotated = token, f.now()
	case token != "" && token == f.previous && f.now().Sub(f.rotated) <= 30*time.Second:
		f.previous = ""
	default:
		f.revoke()
		return session.Tokens{}, fault(api.CodeSessionEnded, status.ProblemNone)
	}
	t := f.issue()
	if f.loseNext {
		f.loseNext = false
		return session.Tokens{}, errNoNetwork
	}
	return t, nil
}

func (f *fakeServer) authenticate(token secret.String) error {
	if a, ok := f.access[token.Reveal()]; !ok || f.now().After(a.until) {
		return fault(api.CodeUnauthenticated, status.ProblemNone)
	}
	if f.disabled {
		return fault(api.CodeUnauthenticated, status.ProblemNone)
	}
	if f.away {
		return fault(api.CodeNoAccount, status.ProblemNoAccount)
	}
	return nil
}

func (f *fakeServer) SignOut(_ context.Context, token secret.String) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("sign-out"); err != nil {
		return err
	}
	if err := f.authenticate(token); err != nil {
		return err
	}
	if f.access[token.Reveal()].family == f.family {
		f.revoke()
	}
	delete(f.access, token.Reveal())
	return nil
}

func (f *fakeServer) Balance(_ context.Context, access secret.String) (api.Balance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("balance"); err != nil {
		return api.Balance{}, err
	}
	if err := f.authenticate(access); err != nil {
		return api.Balance{}, err
	}
	return f.balance(), nil
}

func (f *fakeServer) balance() api.Balance {
	return api.Balance{Amount: f.amount, Available: f.amount, Currency: "EUR", Version: f.version, At: f.now()}
}

func (f *fakeServer) Transactions(_ context.Context, access secret.String) (api.TransactionList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.begin("transactions"), f.authenticate(access)); err != nil {
		return api.TransactionList{}, err
	}
	return api.TransactionList{Transactions: []api.Transaction{{ID: 1, Kind: "credit", Amount: "12.34", Balance: "12.34"}}}, nil
}

func (f *fakeServer) BalanceHistory(_ context.Context, access secret.String) (api.BalanceHistory, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.begin("history"), f.authenticate(access)); err != nil {
		return api.BalanceHistory{}, err
	}
	return api.BalanceHistory{Currency: "EUR", Points: []api.BalancePoint{{Date: "2026-11-21", Amount: "12.34"}}}, nil
}

func (f *fakeServer) Follow(ctx context.Context, access secret.String, version int64, on func(session.Event)) error {
	f.mu.Lock()
	err := f.begin("follow")
	if err == nil {
		err = f.authenticate(access)
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	on(session.Event{Kind: session.EventHeartbeat}) // the head of the answer passes every proxy
	heartbeat := time.NewTicker(api.HeartbeatEvery)
	defer heartbeat.Stop()
	silence := time.After(api.SilenceLimit)
	for {
		f.mu.Lock()
		b, down, signOut, buffers, hasty := f.balance(), f.down, f.signOut, f.buffers, f.hasty
		wake := make(chan struct{})
		f.streams[wake] = true
		f.mu.Unlock()
		switch {
		case down != nil:
			return down
		case hasty:
			return nil
		case buffers:
		case signOut:
			on(session.Event{Kind: session.EventSignedOut})
			return nil
		case b.Version != version:
			version = b.Version
			on(session.Event{Kind: session.EventBalance, Balance: b})
			silence = time.After(api.SilenceLimit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-heartbeat.C:
			if !buffers {
				on(session.Event{Kind: session.EventHeartbeat})
				silence = time.After(api.SilenceLimit)
			}
		case <-silence:
			return session.ErrSilent
		}
	}
}

// fakeVault is a keyring and a file. It survives the sessions of a test, like a disk.
type fakeVault struct {
	mu      sync.Mutex
	keyring status.Keyring
	slow    time.Duration
	kept    *session.Kept
	note    *session.Note
	saves   int
}

func newVault() *fakeVault { return &fakeVault{keyring: status.KeyringOK} }

var _ session.Vault = (*fakeVault)(nil)

func (v *fakeVault) Load(context.Context) (*session.Kept, status.Keyring, error) {
	time.Sleep(v.slow)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keyring != status.KeyringOK {
		return nil, v.keyring, errors.New("keyring: " + string(v.keyring))
	}
	return v.kept, v.keyring, nil
}

func (v *fakeVault) Save(_ context.Context, kept session.Kept) (status.Keyring, error) {
	time.Sleep(v.slow)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.saves++
	if v.keyring != status.KeyringOK {
		return v.keyring, errors.New("keyring: " + string(v.keyring))
	}
	v.kept = &kept
	return v.keyring, nil
}

func (v *fakeVault) LoadNote(context.Context) (*session.Note, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keyring != status.KeyringOK {
		return nil, errors.New("keyring: " + string(v.keyring))
	}
	return v.note, nil
}

func (v *fakeVault) SaveNote(_ context.Context, note session.Note) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keyring == status.KeyringOK {
		v.note = &note
	}
	return nil
}

func (v *fakeVault) Clear(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kept, v.note = nil, nil
	return nil
}

func (v *fakeVault) refresh() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil {
		return ""
	}
	return v.kept.Refresh.Reveal()
}

// person is an OS account without a UPN of its own; the suffix comes from the client or from the server.
type person struct {
	name, suffix string
	shared       bool
	backed       bool // a directory answers for it
}

func (p person) Identify(_ context.Context, suffix string) (session.Who, error) {
	if p.suffix != "" {
		suffix = p.suffix
	}
	w := session.Who{Account: status.OSAccount{Name: p.name, Short: p.name}, Facts: api.OSAccount{Name: p.name}, Shared: p.shared, Backed: p.backed}
	if suffix != "" {
		w.Prefill = p.name + "@" + suffix
	}
	return w, nil
}

// desk is a running session.
type desk struct {
	*session.Session
	t     *testing.T
	stop  context.CancelFunc
	ended chan struct{}
}

// deskWith starts a session. It must be called in a synctest bubble; the session ends with the test.
func deskWith(t *testing.T, server session.Server, vault session.Vault, who session.Identity, change ...func(*session.Deps)) *desk {
	t.Helper()
	deps := session.Deps{
		Server: server, Vault: vault, Identity: who,
		Settings: session.Settings{AuthMode: "auto", Client: "platen test", ServerHost: "print.example.org"},
		Details:  func() status.Details { return status.Details{ClientVersion: "test"} },
		Clock:    time.Now,
		Jitter:   func() float64 { return 0.5 },
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&deps)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d := &desk{Session: session.New(deps), t: t, stop: cancel, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(d.quit)
	return d
}

// quit stops the session and waits for it.
func (d *desk) quit() {
	d.stop()
	<-d.ended
}

// at lets time pass and everything settle, and returns the snapshot.
func (d *desk) at(after time.Duration) status.Snapshot {
	d.t.Helper()
	time.Sleep(after)
	synctest.Wait()
	return d.Snapshot()
}

func (d *desk) signIn(name, password string, stay bool) status.Result {
	return d.Do(d.t.Context(), status.Action{Kind: status.ActionSignIn, Username: name, Password: secret.New(password), StaySignedIn: stay})
}

func (d *desk) do(kind status.ActionKind) status.Result {
	return d.Do(d.t.Context(), status.Action{Kind: kind})
}

// signedIn is a desk at which Alex has signed in, to stay.
func signedIn(t *testing.T, server *fakeServer, vault *fakeVault) *desk {
	t.Helper()
	d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
	if r := d.signIn("alex.test@example.org", "right", true); !r.OK {
		t.Fatalf("sign-in: %+v", r.Problem)
	}
	if s := d.at(time.Second); s.State != status.StateFollowing {
		t.Fatalf("state %s after sign-in", s.State)
	}
	return d
}
