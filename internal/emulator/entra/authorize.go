package entra

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tx is a person's way through the pages, from the authorize endpoint back to the app.
type tx struct {
	tenant    string // as the path had it
	client    string
	scope     asked
	redirect  string
	web       bool
	mode      string // query, fragment or form_post
	state     string
	nonce     string
	challenge string
	hint      string
	prompt    string
	wantInfo  bool
	device    string // the device code, if it is for one
	at        time.Time

	upn       string // who they say they are
	proven    bool   // and have typed the password, or had a session
	changed   bool   // a new password where one was due
	mfa       bool
	consented bool
	authTime  time.Time
	sid       string
	fresh     bool // signed in on these pages, so that the browser gets a session
}

const txLife = 15 * time.Minute

// session is what the browser's cookie stands for.
type session struct {
	id       string
	upn      string
	mfa      bool
	authTime time.Time
}

const (
	sessionCookie = "ESTSAUTH"
	sessionLife   = 24 * time.Hour
)

// begin keeps a way through the pages and returns its id.
func (e *Emulator) begin(t *tx) string {
	id := newSecret("")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.txs[id] = t
	return id
}

// authorize is the authorization endpoint.
func (e *Emulator) authorize(w http.ResponseWriter, r *http.Request) {
	if f := e.tenantOf(r); f != nil {
		e.showFailure(w, r, f)
		return
	}
	if err := r.ParseForm(); err != nil {
		e.showFailure(w, r, fail(9002313))
		return
	}
	config, q := e.settings(), r.Form
	client, f := config.client(q.Get("client_id"))
	t := &tx{
		tenant: r.PathValue("tenant"), client: client.ID, redirect: q.Get("redirect_uri"), mode: q.Get("response_mode"), state: q.Get("state"),
		nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), hint: strings.TrimSpace(q.Get("login_hint")), prompt: q.Get("prompt"),
		wantInfo: q.Get("client_info") == "1", at: e.now(),
	}
	if f == nil {
		t.web, f = client.redirect(t.redirect)
	}
	if f != nil { // nothing is ever sent to an address that is not registered
		e.showFailure(w, r, f)
		return
	}
	if t.mode == "" {
		t.mode = "query"
	}
	if f := t.check(config, q); f != nil {
		e.deny(w, r, t, f)
		return
	}
	if s, ok := e.browser(r); ok && t.prompt != "login" && (t.hint == "" || strings.EqualFold(t.hint, s.upn)) {
		t.upn, t.mfa, t.authTime, t.sid = s.upn, s.mfa, s.authTime, s.id
		t.proven = t.prompt != "select_account"
	}
	if t.prompt == "none" {
		e.quietly(w, r, config, client, t)
		return
	}
	if client.ForceError != 0 {
		e.deny(w, r, t, fail(client.ForceError))
		return
	}
	e.step(w, r, e.begin(t), t)
}

// check looks at the request, now that the app may be told.
func (t *tx) check(config Config, q url.Values) (f *failure) {
	if !slices.Contains([]string{"query", "fragment", "form_post"}, t.mode) {
		t.mode = "query"
		return failf(9002313, "Invalid request. The value of 'response_mode' is not supported.")
	}
	if q.Get("response_type") != "code" {
		return fail(700054)
	}
	if q.Get("code_challenge_method") != "S256" || len(t.challenge) != 43 {
		return fail(9002325)
	}
	if !slices.Contains([]string{"", "none", "login", "select_account", "consent"}, t.prompt) {
		return failf(9002313, "Invalid request. The value of 'prompt' is not supported.")
	}
	t.scope, f = config.parseScope(q.Get("scope"))
	return f
}

// redirect finds a redirect URI among the registered ones: letter by letter, but for the port of http://localhost
// (RFC 8252 section 8.3). It tells whether it is one of the platform "web".
func (a App) redirect(uri string) (web bool, f *failure) {
	if slices.Contains(a.WebRedirectURIs, uri) && uri != "" {
		return true, nil
	}
	for _, registered := range a.RedirectURIs {
		if registered == uri || sameLoopback(registered, uri) {
			return false, nil
		}
	}
	return false, failf(50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.", printable(uri), a.ID)
}

func sameLoopback(registered, uri string) bool {
	a, errA := url.Parse(registered)
	b, errB := url.Parse(uri)
	if errA != nil || errB != nil || b.User != nil || b.RawQuery != a.RawQuery || b.Fragment != "" || b.Opaque != "" {
		return false
	}
	local := func(u *url.URL) bool {
		return u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
	}
	return local(a) && local(b) && a.Hostname() == b.Hostname() && path(a) == path(b)
}

func path(u *url.URL) string {
	if u.Path == "" {
		return "/"
	}
	return u.Path
}

// browser finds the session of the browser's cookie.
func (e *Emulator) browser(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sessions[cookie.Value]
	if s == nil || e.nowLocked().Sub(s.authTime) > sessionLife {
		return session{}, false
	}
	return *s, true
}

// quietly is prompt=none: an answer without a page.
func (e *Emulator) quietly(w http.ResponseWriter, r *http.Request, config Config, client App, t *tx) {
	if !t.proven {
		e.sendBack(w, r, t, fail(50058))
		return
	}
	user, f := config.who(t.upn)
	if f == nil {
		f = e.silent(user, client, t.mfa)
	}
	if f != nil {
		e.sendBack(w, r, t, f)
		return
	}
	e.finish(w, r, e.begin(t), t, user)
}

// deny ends a way: at the app if that error is for the app, on a page of the emulator otherwise.
func (e *Emulator) deny(w http.ResponseWriter, r *http.Request, t *tx, f *failure) {
	if t.device != "" {
		e.mu.Lock()
		if d := e.devices[t.device]; d != nil && f.known().toApp {
			d.failed = f
		}
		e.mu.Unlock()
		e.showFailure(w, r, f)
		return
	}
	if f.known().toApp {
		e.sendBack(w, r, t, f)
		return
	}
	e.showFailure(w, r, f)
}

// sendBack sends an error to the app.
func (e *Emulator) sendBack(w http.ResponseWriter, r *http.Request, t *tx, f *failure) {
	if f.code == wentBack {
		e.answer(w, r, t, url.Values{"error": {f.known().err}, "error_subcode": {"cancel"}})
		return
	}
	s, known := e.say(r, f), f.known()
	values := url.Values{
		"error": {known.err}, "error_description": {strings.ReplaceAll(s.description(), "\r\n", " ")},
		"error_uri": {e.base(r) + "/error?code=" + digits(f.code)},
	}
	if known.suberror != "" {
		values.Set("error_subcode", known.suberror)
	}
	if f.claims != "" {
		values.Set("claims", f.claims)
	}
	e.answer(w, r, t, values)
}

// answer sends values to the app in its response mode.
func (e *Emulator) answer(w http.ResponseWriter, r *http.Request, t *tx, values url.Values) {
	if t.state != "" {
		values.Set("state", t.state)
	}
	if t.mode == "form_post" {
		p := page{Kind: "post", Title: "Working", Action: t.redirect}
		for name, all := range values {
			p.Fields = append(p.Fields, field{name, all[0]})
		}
		slices.SortFunc(p.Fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
		e.show(w, r, p)
		return
	}
	target, err := url.Parse(t.redirect)
	if err != nil {
		e.showFailure(w, r, fail(50011))
		return
	}
	target.Path = path(target) // as documented: an address without a path gets its slash
	if t.mode == "fragment" {
		http.Redirect(w, r, target.String()+"#"+values.Encode(), http.StatusFound)
		return
	}
	query := target.Query()
	for name, all := range values {
		query.Set(name, all[0])
	}
	target.RawQuery = query.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// finish gives the app its code, or approves the device, and the browser its session.
func (e *Emulator) finish(w http.ResponseWriter, r *http.Request, id string, t *tx, user User) {
	now := e.now()
	g := grant{upn: user.UPN, client: t.client, scope: t.scope, mfa: t.mfa, web: t.web, nonce: t.nonce, authTime: t.authTime, sid: t.sid, used: now}
	if t.fresh {
		s := &session{id: newGUID(), upn: user.UPN, mfa: t.mfa, authTime: t.authTime}
		g.sid = s.id
		cookie := newSecret("")
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: cookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
		e.mu.Lock()
		e.sessions[cookie] = s
		e.mu.Unlock()
	}
	e.mu.Lock()
	delete(e.txs, id)
	if d := e.devices[t.device]; d != nil {
		d.grant, d.approved = g, true
	}
	e.mu.Unlock()
	if t.device != "" {
		e.show(w, r, page{Kind: "done", Title: "You have signed in", Text: "You have signed in on your device. You may now close this window."})
		return
	}
	c := &code{grant: g, redirect: t.redirect, challenge: t.challenge, at: now}
	text := newSecret("1.")
	e.mu.Lock()
	e.codes[text] = c
	e.mu.Unlock()
	values := url.Values{"code": {text}, "session_state": {g.sid}}
	if t.wantInfo {
		values.Set("client_info", clientInfoOf(e.settings(), user))
	}
	e.log.InfoContext(r.Context(), "signed in", "upn", user.UPN, "mfa", g.mfa)
	e.answer(w, r, t, values)
}

// logout ends the browser's session.
func (e *Emulator) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		e.mu.Lock()
		delete(e.sessions, cookie.Value)
		e.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
	config, back := e.settings(), r.FormValue("post_logout_redirect_uri")
	for _, app := range config.Apps {
		if _, f := app.redirect(back); f == nil && back != "" {
			target, err := url.Parse(back)
			if err != nil {
				break
			}
			if state := r.FormValue("state"); state != "" {
				target.RawQuery = url.Values{"state": {state}}.Encode()
			}
			http.Redirect(w, r, target.String(), http.StatusFound)
			return
		}
	}
	e.show(w, r, page{Kind: "done", Title: "You signed out of your account", Text: "It's a good idea to close all browser windows."})
}
