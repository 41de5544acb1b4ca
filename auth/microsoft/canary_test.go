package microsoft_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/internal/emulator/entra"
)

// wire remembers every secret that passes between the client and Entra ID.
type wire struct {
	inner http.RoundTripper

	mu      sync.Mutex
	secrets map[string]string // by what they are
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(raw))
		if form, err := url.ParseQuery(string(raw)); err == nil {
			w.note(form.Get, "code", "code_verifier", "refresh_token")
		}
	}
	res, err := w.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	var answer map[string]any
	if json.Unmarshal(raw, &answer) == nil {
		w.note(func(name string) string {
			text, _ := answer[name].(string)
			return text
		}, "access_token", "refresh_token", "id_token", "client_info")
	}
	return res, nil
}

func (w *wire) note(get func(string) string, names ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		if text := get(name); text != "" {
			w.secrets[fmt.Sprintf("%s %d", name, len(w.secrets))] = text
		}
	}
}

// TestNoSecretIsInAnyLog lets sign-ins succeed and fail in many ways, and looks for what was secret in everything that was
// written: our log, the standard log, standard output and error, and the texts of all errors.
func TestNoSecretIsInAnyLog(t *testing.T) {
	e := start(t)
	// MSAL keeps no token that ends within five minutes: each Silent asks.
	if err := e.UpdateTenant(func(c *entra.Config) { c.AccessTokenLife = entra.Duration(time.Minute) }); err != nil {
		t.Fatal(err)
	}
	w := &wire{inner: e.Client().Transport, secrets: map[string]string{"password": password}}
	var said strings.Builder
	errorOf := func(err error) {
		if err == nil {
			t.Errorf("signed in, after\n%s", said.String())
			return
		}
		f := failure(t, err)
		fmt.Fprintf(&said, "%v\n%+v\n%#v\n%v\n", err, err, *f, f.Verdict)
	}
	out := capture(t)
	cache := &memory{}
	d := sit(t, e, "mia@example.org", func(o *microsoft.Options) {
		o.HTTPClient, o.Cache = &http.Client{Transport: w}, cache
	})
	token := d.signIn(t, microsoft.Request{Hint: "mia@example.org"})
	fmt.Fprintf(&said, "%v %+v %#v\n", token, token, token)
	d.person.BeforePost = func() { _ = e.UpdateApp(public, func(a *entra.App) { a.ForceError = 50076 }) }
	_, err := d.SignIn(t.Context(), microsoft.Request{})
	errorOf(err)
	d.person.BeforePost = nil
	if err := e.UpdateApp(public, func(a *entra.App) { a.ForceError = 0 }); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{
		`{"access_token":"%s"`, // cut short: MSAL quotes it
		`{"token_type":"Bearer","scope":"other","expires_in":3600,"access_token":"%[1]s","id_token":"%[1]s","refresh_token":"%[1]s"}`,
		`{"token_type":"Bearer","access_token":"%[1]s","expires_on":"%[1]s"}`,
		`{"error":"%[1]s","error_description":"AADSTS50126: %[1]s"}`,
	} {
		const canary = "CANARY0123456789CANARY0123456789CANARY0123456789"
		w.secrets["broken answer"] = canary
		bad := sit(t, e, "mia@example.org", func(o *microsoft.Options) {
			o.HTTPClient = &http.Client{Transport: answering{w, fmt.Sprintf(broken, canary)}}
		})
		_, err := bad.SignIn(t.Context(), microsoft.Request{})
		errorOf(err)
		said.WriteString(bad.log.String())
	}
	d.signIn(t, microsoft.Request{})
	e.Revoke("mia@example.org")
	_, err = d.Silent(t.Context(), "")
	errorOf(err)
	said.WriteString(d.log.String())
	said.WriteString(out())

	d.mu.Lock()
	for _, address := range d.opened {
		if u, err := url.Parse(address); err == nil {
			w.secrets["state of "+address] = u.Query().Get("state")
		}
	}
	d.mu.Unlock()
	if len(w.secrets) < 15 {
		t.Fatalf("only %d secrets were seen", len(w.secrets))
	}
	for what, text := range w.secrets {
		for _, part := range strings.Split(text, ".") { // of a token its parts too
			if len(part) > 3 && strings.Contains(said.String(), part) {
				t.Errorf("the %s was written", what)
			}
		}
	}
	if !strings.Contains(said.String(), "signed in with Microsoft") {
		t.Errorf("the log is not there:\n%s", said.String())
	}
}

// answering answers the token endpoint with a text of its own.
type answering struct {
	inner http.RoundTripper
	text  string
}

// RoundTrip implements http.RoundTripper.
func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := a.inner.RoundTrip(req)
	if err == nil && strings.HasSuffix(req.URL.Path, "/token") {
		res.Body = io.NopCloser(strings.NewReader(a.text))
	}
	return res, err
}

// capture takes what is written to standard output, standard error and the standard log.
func capture(t *testing.T) (stop func() string) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = writer, writer
	log.SetOutput(writer)
	text := make(chan string, 1)
	go func() {
		raw, _ := io.ReadAll(reader)
		text <- string(raw)
	}()
	var once sync.Once
	stop = func() (all string) {
		once.Do(func() {
			os.Stdout, os.Stderr = stdout, stderr
			log.SetOutput(stderr)
			_ = writer.Close()
			all = <-text
		})
		return all
	}
	t.Cleanup(func() { stop() })
	return stop
}
