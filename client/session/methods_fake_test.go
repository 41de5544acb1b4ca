package session_test

import (
	"context"
	"errors"
	"sync"
	"testing/synctest"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// fakeMachine is an enrolled computer, or not. It vouches for user at server.
type fakeMachine struct {
	mu      sync.Mutex
	server  *fakeServer
	user    api.User
	policy  session.Policy
	starts  int   // so many questions fail first: the service is still starting
	refuses error // of Vouch
	asked   int   // Vouch
}

var _ session.Machine = (*fakeMachine)(nil)

var errStarting = errors.New("platen-deploy is not running")

func (f *fakeMachine) Policy(context.Context) (session.Policy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.starts > 0 {
		f.starts--
		return session.Policy{}, errStarting
	}
	return f.policy, nil
}

func (f *fakeMachine) Vouch(ctx context.Context, challenge string) (secret.String, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	f.server.mu.Lock()
	down := f.server.down
	f.server.mu.Unlock()
	switch {
	case f.refuses != nil:
		return secret.String{}, f.refuses
	case down != nil:
		return secret.String{}, down
	}
	return f.server.code(challenge, f.user), ctx.Err()
}

func (f *fakeMachine) vouched() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// visit is what a person does in the browser: the address it began with is what was opened.
type visit struct {
	username string // who signs in there
	err      error  // or what goes wrong
}

// fakeBrowser is a desktop with a browser. The person in front of it acts when a test says so.
type fakeBrowser struct {
	mu      sync.Mutex
	server  *fakeServer
	none    bool // there is no browser
	openErr error
	opened  []string
	how     []session.Browse
	visits  chan visit
}

var _ session.Browser = (*fakeBrowser)(nil)

func newBrowser(server *fakeServer) *fakeBrowser {
	return &fakeBrowser{server: server, visits: make(chan visit)}
}

func (f *fakeBrowser) Usable() bool { return !f.none }

func (f *fakeBrowser) Open(_ context.Context, address string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.openErr != nil {
		return f.openErr
	}
	f.opened = append(f.opened, address)
	return nil
}

func (f *fakeBrowser) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.opened)
}

// last is how the browser was opened last.
func (f *fakeBrowser) last() session.Browse {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.how[len(f.how)-1]
}

// wait opens the browser and waits for the person.
func (f *fakeBrowser) wait(ctx context.Context, address string, how session.Browse) (visit, error) {
	f.mu.Lock()
	f.how = append(f.how, how)
	f.mu.Unlock()
	if err := how.Open(ctx, address); err != nil {
		return visit{}, err
	}
	select {
	case v := <-f.visits:
		return v, v.err
	case <-ctx.Done():
		return visit{}, ctx.Err()
	}
}

func (f *fakeBrowser) SignIn(ctx context.Context, site api.BrowserConfig, how session.Browse) (code, verifier secret.String, err error) {
	v, err := f.wait(ctx, site.SignInURL, how)
	if err != nil {
		return code, verifier, err
	}
	verifier = secret.New("verifier of " + v.username)
	return f.server.code(api.Challenge(verifier.Reveal()), userOf(v.username)), verifier, nil
}

func userOf(name string) api.User {
	return api.User{ID: "id of " + name, Username: name, DisplayName: name}
}

// fakeMicrosoft is MSAL with a cache in memory and one on disk, which survives the sessions of a test.
type fakeMicrosoft struct {
	mu      sync.Mutex
	browser *fakeBrowser
	server  *fakeServer
	foreign bool // the authority is not one of Microsoft's
	down    error
	cached  string // the account in memory
	kept    string // and on disk
	silent  int    // how often it was asked for a token without a window
	forgot  int
}

var _ session.Microsoft = (*fakeMicrosoft)(nil)

func (f *fakeMicrosoft) Allowed(api.MicrosoftConfig) bool { return !f.foreign }

var errNobodyCached = errors.New("no account in the cache")

func (f *fakeMicrosoft) Silent(_ context.Context, _ api.MicrosoftConfig, hint string) (session.Proof, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent++
	if f.cached == "" {
		f.cached = f.kept
	}
	switch {
	case f.down != nil:
		return session.Proof{}, f.down
	case f.cached == "" || hint != "" && !auth.Same(hint, f.cached):
		return session.Proof{}, errNobodyCached
	}
	return f.token(f.cached), nil
}

func (f *fakeMicrosoft) token(username string) session.Proof {
	return session.Proof{Token: secret.New("token of " + username), Username: username}
}

func (f *fakeMicrosoft) SignIn(ctx context.Context, site api.MicrosoftConfig, how session.Browse) (session.Proof, error) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down != nil {
		return session.Proof{}, down
	}
	v, err := f.browser.wait(ctx, site.Authority, how)
	if err != nil {
		return session.Proof{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cached = v.username
	return f.token(v.username), nil
}

func (f *fakeMicrosoft) Keep(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = f.cached
	return nil
}

func (f *fakeMicrosoft) Release(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = ""
	return nil
}

func (f *fakeMicrosoft) Forget(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cached, f.kept = "", ""
	f.forgot++
	return nil
}

// holds is what Microsoft remembers: in memory, on disk.
func (f *fakeMicrosoft) holds() [2]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return [2]string{f.cached, f.kept}
}

// site is everything that a desk of these tests stands on.
type site struct {
	server    *fakeServer
	vault     *fakeVault
	machine   *fakeMachine
	browser   *fakeBrowser
	microsoft *fakeMicrosoft
	who       person
	mode      string
}

// siteWith is a site with these ways of signing in, for Alex, whose account a directory answers for.
func siteWith(modes ...string) *site {
	server := newServer()
	server.site.AuthModes = modes
	server.site.Microsoft = &api.MicrosoftConfig{Authority: "https://login.microsoftonline.com/t", ClientID: "c", Scope: "api://a/sign-in"}
	server.site.Browser = &api.BrowserConfig{
		SignInURL: "https://print.example.org/sign-in/client", Providers: []api.Provider{{ID: "google", Name: "Google"}, {ID: "okta", Name: "Okta"}},
	}
	for _, name := range []string{"alex.test@example.org", "sam@example.org"} {
		server.people["token of "+name] = userOf(name)
	}
	server.user = userOf("alex.test@example.org")
	browser := newBrowser(server)
	return &site{
		server: server, vault: newVault(), browser: browser, microsoft: &fakeMicrosoft{browser: browser, server: server},
		machine: &fakeMachine{server: server, user: userOf("alex.test@example.org"), policy: session.Policy{Enrolled: true}},
		who:     person{name: "alex.test", suffix: "example.org", backed: true},
	}
}

// wire puts the site into the session's dependencies.
func (s *site) wire(d *session.Deps) {
	d.Machine, d.Browser, d.Microsoft = s.machine, s.browser, s.microsoft
	if s.mode != "" {
		d.Settings.AuthMode = s.mode
	}
}

var microsoft = status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, StaySignedIn: true}

// expel ends whatever session there is, and says so.
func (f *fakeServer) expel() {
	f.set(func() {
		f.revoke()
		f.signOut = true
	})
	synctest.Wait()
	f.set(func() { f.signOut = false })
}
