package browser

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/internal/api"
)

const signInURL = "https://print.example.org/sign-in/client"

// tab is a browser: it does with the address what the test says.
func tab(t *testing.T, do func(begin url.Values)) func(context.Context, string) error {
	return func(_ context.Context, address string) error {
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, signInURL+"?") {
			t.Errorf("opened %q, %v", address, err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			do(u.Query())
		}()
		t.Cleanup(func() { <-done }) // its last page may come after the sign-in has ended
		return nil
	}
}

// post posts a form to the receiver and returns the answer.
func post(t *testing.T, port string, form url.Values, change ...func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, "http://127.0.0.1:"+port+"/", strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range change {
		c(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Errorf("post: %v", err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func TestTheBrowserBringsACode(t *testing.T) {
	var begin url.Values
	pages := make(chan string, 1)
	proof, err := SignIn(t.Context(), Request{
		SignInURL: signInURL, Provider: "google", Hint: "alex.test@example.org", SelectAccount: true,
		Texts: loopback.Texts{Language: "de", Done: "Angemeldet <&>.", Failed: "Nicht angemeldet."},
		Open: tab(t, func(q url.Values) {
			begin = q
			// First somebody who does not know the state, who must not end it.
			if code, _ := post(t, q.Get("port"), url.Values{"code": {"evil"}, "state": {"guess"}}); code != http.StatusForbidden {
				t.Errorf("a wrong state got %d", code)
			}
			_, body := post(t, q.Get("port"), url.Values{"code": {"one-use"}, "state": {q.Get("state")}})
			pages <- body
		}),
	})
	if err != nil || proof.Code.Reveal() != "one-use" {
		t.Fatalf("got %q, %v", proof.Code.Reveal(), err)
	}
	if page := <-pages; !strings.Contains(page, "Angemeldet &lt;&amp;&gt;.") || !strings.Contains(page, `lang="de"`) {
		t.Errorf("the page says %q", page)
	}
	if begin.Get("challenge") != api.Challenge(proof.Verifier.Reveal()) || begin.Get("provider") != "google" ||
		begin.Get("login_hint") != "alex.test@example.org" || begin.Get("prompt") != "select_account" || len(begin.Get("state")) < 43 {
		t.Errorf("began with %v", begin)
	}
	if strings.Contains(begin.Encode(), proof.Verifier.Reveal()) {
		t.Error("the verifier left the program")
	}
	if r, err := http.Get("http://127.0.0.1:" + begin.Get("port")); err == nil {
		_ = r.Body.Close()
		t.Error("the port is open after the sign-in")
	}
}

func TestTheBrowserComesBackWithout(t *testing.T) {
	for sent, want := range map[string]string{
		api.BrowserErrorCancelled: api.BrowserErrorCancelled, api.BrowserErrorNoAccount: api.BrowserErrorNoAccount,
		api.BrowserErrorDisabled: api.BrowserErrorDisabled, api.BrowserErrorUnavailable: api.BrowserErrorUnavailable,
		"<script>": api.BrowserErrorFailed, "": api.BrowserErrorFailed,
	} {
		t.Run(sent, func(t *testing.T) {
			pages := make(chan string, 1)
			_, err := SignIn(t.Context(), Request{SignInURL: signInURL, Open: tab(t, func(q url.Values) {
				_, body := post(t, q.Get("port"), url.Values{"error": {sent}, "state": {q.Get("state")}})
				pages <- body
			})})
			refused, ok := errors.AsType[*RefusedError](err)
			if !ok || refused.Code != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if page := <-pages; !strings.Contains(page, "You are not signed in. You can close this tab.") {
				t.Errorf("the page says %q", page)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Run("no browser", func(t *testing.T) {
		_, err := SignIn(t.Context(), Request{SignInURL: signInURL, Open: func(context.Context, string) error { return errors.New("no xdg-open") }})
		if !errors.Is(err, ErrOpen) {
			t.Errorf("got %v", err)
		}
	})
	for _, address := range []string{"http://print.example.org/", "https://", "https://a:b@print.example.org/", "javascript:alert(1)", "https://x/#y", "::"} {
		t.Run(address, func(t *testing.T) {
			opened := false
			_, err := SignIn(t.Context(), Request{SignInURL: address, Open: func(context.Context, string) error { opened = true; return nil }})
			if !errors.Is(err, ErrAddress) || opened {
				t.Errorf("got %v, opened %v", err, opened)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := SignIn(ctx, Request{SignInURL: signInURL, Open: func(context.Context, string) error { cancel(); return nil }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nobody comes back", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := SignIn(ctx, Request{SignInURL: signInURL, Open: func(context.Context, string) error { return nil }})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("two at once do not meet", func(t *testing.T) {
		first := make(chan url.Values, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := SignIn(ctx, Request{SignInURL: signInURL, Open: tab(t, func(q url.Values) { first <- q })})
			ended <- err
		}()
		other := <-first
		proof, err := SignIn(t.Context(), Request{SignInURL: signInURL, Open: tab(t, func(q url.Values) {
			if code, _ := post(t, other.Get("port"), url.Values{"code": {"x"}, "state": {q.Get("state")}}); code != http.StatusForbidden {
				t.Errorf("the other's port took it: %d", code)
			}
			post(t, q.Get("port"), url.Values{"code": {"mine"}, "state": {q.Get("state")}})
		})})
		if err != nil || proof.Code.Reveal() != "mine" {
			t.Errorf("got %v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
	})
}

// What is refused in general is shown in auth/loopback; here is what this sign-in makes of it.
func TestWhatIsNoAnswerIsRefusedAndTheSignInGoesOn(t *testing.T) {
	proof, err := SignIn(t.Context(), Request{SignInURL: signInURL, Open: tab(t, func(q url.Values) {
		good := url.Values{"code": {"mine"}, "state": {q.Get("state")}}
		host := func(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }
		for name, test := range map[string]struct {
			form   url.Values
			change func(*http.Request)
			want   int
		}{
			"wrong state":        {url.Values{"code": {"x"}, "state": {"guess"}}, nil, http.StatusForbidden},
			"an endless code":    {url.Values{"code": {strings.Repeat("x", 257)}, "state": good["state"]}, nil, http.StatusBadRequest},
			"too large":          {url.Values{"x": {strings.Repeat("x", 16<<10)}}, nil, http.StatusRequestEntityTooLarge},
			"localhost":          {good, host("localhost:" + q.Get("port")), http.StatusMisdirectedRequest},
			"in the address":     {nil, func(r *http.Request) { r.Method, r.URL.RawQuery = http.MethodGet, good.Encode() }, http.StatusMethodNotAllowed},
			"two things at once": {url.Values{"code": {"x"}, "error": {"failed"}, "state": good["state"]}, nil, http.StatusBadRequest},
		} {
			change := func(*http.Request) {}
			if test.change != nil {
				change = test.change
			}
			if code, body := post(t, q.Get("port"), test.form, change); code != test.want || strings.Contains(body, q.Get("state")) {
				t.Errorf("%s got %d %q, want %d", name, code, body, test.want)
			}
		}
		post(t, q.Get("port"), good)
	})})
	if err != nil || proof.Code.Reveal() != "mine" {
		t.Errorf("got %q, %v", proof.Code.Reveal(), err)
	}
}
