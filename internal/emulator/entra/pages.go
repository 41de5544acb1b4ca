package entra

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

// page is what a page shows.
type page struct {
	Kind    string // which part of pages.html
	Title   string
	Tenant  string
	Action  string
	Tx      string
	Account string
	Hint    string
	App     string
	Text    string
	Problem string
	Fields  []field // of the form that sends itself
	Scopes  []string
	Failure *failurePage
	Nonce   string // of the one script
}

type field struct{ Name, Value string }

type failurePage struct{ Code, Text, Trace, Correlation, Timestamp string }

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

func (e *Emulator) show(w http.ResponseWriter, r *http.Request, p page) {
	p.Tenant, p.Nonce = e.settings().Name, newSecret("")
	var out bytes.Buffer
	if err := pages.Execute(&out, p); err != nil {
		e.log.ErrorContext(r.Context(), "could not make a page", "error", err)
		http.Error(w, "could not make a page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+p.Nonce+"'; script-src 'nonce-"+p.Nonce+"'; frame-ancestors 'none'; base-uri 'none'")
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

// ask shows the page of a step.
func (e *Emulator) ask(w http.ResponseWriter, r *http.Request, id string, t *tx, step, problem string) {
	config := e.settings()
	client, _ := config.app(t.client)
	titles := map[string]string{
		"account": "Sign in", "password": "Enter password", "change": "Update your password", "mfa": "Enter code",
		"register": "More information required", "consent": "Permissions requested", "admin": "Need admin approval",
	}
	e.show(w, r, page{
		Kind: step, Title: titles[step], Action: "/" + e.segment(t) + "/login", Tx: id, Account: t.upn, Hint: t.hint, App: client.Name,
		Problem: problem, Scopes: t.scope.scopes,
	})
}

func (e *Emulator) segment(t *tx) string {
	if t.tenant == "" {
		return "common"
	}
	return t.tenant
}

func (e *Emulator) showPicker(w http.ResponseWriter, r *http.Request, id string, t *tx, upn string) {
	e.show(w, r, page{Kind: "pick", Title: "Pick an account", Action: "/" + e.segment(t) + "/login", Tx: id, Account: upn})
}

// showFailure is Entra's own error page: the app hears nothing.
func (e *Emulator) showFailure(w http.ResponseWriter, r *http.Request, f *failure) {
	s := e.say(r, f)
	e.show(w, r, page{Kind: "failure", Title: "Sorry, but we're having trouble signing you in", Failure: &failurePage{
		Code: "AADSTS" + digits(f.code), Text: s.text(), Trace: s.trace, Correlation: s.correlation, Timestamp: s.timestamp(),
	}})
}
