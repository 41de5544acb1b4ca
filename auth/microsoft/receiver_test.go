package microsoft_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/auth/microsoft"
)

// tab is a browser that does with the address what the test says, beside the client.
func tab(t *testing.T, do func(redirect string, q url.Values)) func(*microsoft.Options) {
	return func(o *microsoft.Options) {
		o.OpenURL = func(_ context.Context, address string) error {
			u, err := url.Parse(address)
			if err != nil {
				t.Error(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				do(u.Query().Get("redirect_uri"), u.Query())
			}()
			t.Cleanup(func() { <-done }) // its last page may come after the sign-in has ended
			return nil
		}
	}
}

// What is refused in general is shown in auth/loopback; here is what this sign-in makes of it.
func TestWhatIsNoAnswerIsRefusedAndTheSignInGoesOn(t *testing.T) {
	e := start(t)
	d := sit(t, e, "sam@example.org", func(o *microsoft.Options) {
		open := o.OpenURL
		o.OpenURL = func(ctx context.Context, address string) error {
			u, err := url.Parse(address)
			if err != nil {
				return err
			}
			redirect, state := u.Query().Get("redirect_uri"), u.Query().Get("state")
			good := func() url.Values { return url.Values{"code": {"x"}, "state": {state}} }
			set := func(name string, values ...string) url.Values {
				form := good()
				form[name] = values
				return form
			}
			for name, tt := range map[string]struct {
				path   string
				form   url.Values
				change func(*http.Request)
				want   int
			}{
				"wrong state":       {"/", set("state", "guess"), nil, http.StatusForbidden},
				"code with a space": {"/", set("code", "a b"), nil, http.StatusBadRequest},
				"long code":         {"/", set("code", strings.Repeat("x", 8<<10+1)), nil, http.StatusBadRequest},
				"code and error":    {"/", set("error", "access_denied"), nil, http.StatusBadRequest},
				"too large":         {"/", set("x", strings.Repeat("x", 64<<10)), nil, http.StatusRequestEntityTooLarge},
				"127.0.0.1":         {"/", good(), func(r *http.Request) { r.Host = strings.Replace(r.Host, "localhost", "127.0.0.1", 1) }, http.StatusMisdirectedRequest},
				"GET of a stranger": {"/?state=guess&code=x", nil, func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
			} {
				changes := []func(*http.Request){}
				if tt.change != nil {
					changes = append(changes, tt.change)
				}
				if got, body := post(t, redirect+tt.path, tt.form, changes...); got != tt.want || strings.Contains(body, state) {
					t.Errorf("%s: %d %s, want %d", name, got, body, tt.want)
				}
			}
			return open(ctx, address)
		}
	})
	d.signIn(t, microsoft.Request{})
}

// gate is a way to Entra ID on which tokens wait.
type gate struct {
	inner http.RoundTripper
	open  <-chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (g gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/token") {
		<-g.open
	}
	return g.inner.RoundTrip(req)
}

func TestTheSameAnswerASecondTime(t *testing.T) {
	e := start(t)
	codes, second := make(chan int, 2), make(chan struct{})
	d := sit(t, e, "", func(o *microsoft.Options) {
		o.HTTPClient = &http.Client{Transport: gate{e.Client().Transport, second}} // the first page waits for the tokens
	}, tab(t, func(redirect string, q url.Values) {
		for range 2 {
			go func() {
				code, _ := post(t, redirect, url.Values{"code": {"forged"}, "state": {q.Get("state")}})
				if code != http.StatusOK {
					close(second)
				}
				codes <- code
			}()
		}
	}))
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.Refused {
		t.Errorf("a forged code: %v", err)
	}
	if first, second := <-codes, <-codes; min(first, second) != http.StatusOK || max(first, second) != http.StatusGone {
		t.Errorf("the two answers got %d and %d", first, second)
	}
}

func TestTheAnswerInTheAddressIsRefused(t *testing.T) {
	pages := make(chan string, 1)
	d := sit(t, start(t), "", tab(t, func(redirect string, q url.Values) {
		_, body := post(t, redirect+"/?code=x&state="+url.QueryEscape(q.Get("state")), nil, func(r *http.Request) { r.Method = http.MethodGet })
		pages <- body
	}))
	_, err := d.SignIn(t.Context(), microsoft.Request{})
	if f := failure(t, err); f.Kind != microsoft.BadAnswer || !strings.Contains(err.Error(), "form_post") {
		t.Errorf("got %v", err)
	}
	if page := <-pages; !strings.Contains(page, "You are not signed in.") {
		t.Errorf("the page says %q", page)
	}
}

func TestAnAnswerThatIsNeitherYesNorNo(t *testing.T) {
	d := sit(t, start(t), "", tab(t, func(redirect string, q url.Values) {
		post(t, redirect, url.Values{"error": {""}, "state": {q.Get("state")}})
	}))
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.BadAnswer {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAWrongStateUntilTheTimeIsOver(t *testing.T) {
	ctx, over := context.WithCancelCause(t.Context())
	d := sit(t, start(t), "", tab(t, func(redirect string, _ url.Values) {
		if code, _ := post(t, redirect, url.Values{"code": {"x"}, "state": {"of another tab"}}); code != http.StatusForbidden {
			t.Errorf("answered %d", code)
		}
		over(microsoft.ErrTimedOut)
	}))
	if _, err := d.SignIn(ctx, microsoft.Request{}); failure(t, err).Kind != microsoft.BadAnswer {
		t.Errorf("got %v", err)
	}
}

func TestThePortIsFreeAfterwards(t *testing.T) {
	d := sit(t, start(t), "sam@example.org")
	d.signIn(t, microsoft.Request{})
	d.arrived(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.query(t).Get("redirect_uri"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
		_ = res.Body.Close()
		t.Error("somebody still listens")
	}
}

func TestThePageSpeaksThePersonsLanguage(t *testing.T) {
	e := start(t)
	texts := loopback.Texts{Language: "de", Done: "Angemeldet <&>.", Failed: "Nicht angemeldet."}
	d := sit(t, e, "sam@example.org", func(o *microsoft.Options) { o.Texts = texts })
	d.signIn(t, microsoft.Request{})
	if at := d.arrived(t); at.Text != "Platen Angemeldet <&>." {
		t.Errorf("the page says %q", at.Text)
	}
	d.person.CancelAt = "account"
	d.person.Use(e.Client())
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); err == nil {
		t.Error("signed in")
	}
	if at := d.arrived(t); at.Text != "Platen Nicht angemeldet." {
		t.Errorf("the page says %q", at.Text)
	}
}

func TestAnErrorFromTheBrowserIsClassifiedAndNotEchoed(t *testing.T) {
	pages := make(chan string, 1)
	d := sit(t, start(t), "", tab(t, func(redirect string, q url.Values) {
		_, body := post(t, redirect, url.Values{"error": {"invalid_grant"}, "error_description": {"AADSTS50105: <b>CANARY</b> sam@example.org"}, "state": {q.Get("state")}})
		pages <- body
	}))
	_, err := d.SignIn(t.Context(), microsoft.Request{})
	f := failure(t, err)
	if f.Kind != microsoft.Refused || f.Verdict.Code != 50105 {
		t.Errorf("got %v", err)
	}
	for what, text := range map[string]string{"page": <-pages, "error": fmt.Sprintf("%+v %#v", err, f.Verdict), "log": d.log.String()} {
		if strings.Contains(text, "CANARY") || strings.Contains(text, "sam@") {
			t.Errorf("the %s says %q", what, text)
		}
	}
}
