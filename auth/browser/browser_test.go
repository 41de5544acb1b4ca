package browser

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

const signInURL = "https://print.example.org/sign-in/client"

// tab is a browser: it does with the address what the test says.
func tab(t *testing.T, do func(begin url.Values)) func(context.Context, string) error {
	return func(_ context.Context, address string) error {
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, signInURL+"?") {
			t.Errorf("opened %q, %v", address, err)
		}
		go do(u.Query())
		return nil
	}
}

// post posts a form to the receiver and returns the answer.
func post(t *testing.T, port string, form url.Values, change ...func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:"+port+"/", strings.NewReader(form.Encode()))
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
		Texts: Texts{Language: "de", Done: "Angemeldet <&>.", Failed: "Nicht angemeldet."},
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

// letter is a request as a browser posts it, but for what a test changes.
func letter(body string, change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Host = "127.0.0.1:7"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	return r
}

func TestLettersThatAreRefused(t *testing.T) {
	const good = "code=c&state=right"
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, test := range map[string]struct {
		body   string
		change func(*http.Request)
		want   int
	}{
		"right":                    {good, nil, 200},
		"right, from a tab":        {good, header("Sec-Fetch-Mode", "navigate"), 200},
		"right, with a charset":    {good, header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), 200},
		"error":                    {"error=access_denied&state=right", nil, 200},
		"more than was asked":      {good + "&session_state=x", nil, 200},
		"wrong state":              {"code=c&state=wrong", nil, 403},
		"no state":                 {"code=c", nil, 403},
		"two states":               {"code=c&state=right&state=right", nil, 403},
		"two codes":                {"code=c&code=d&state=right", nil, 400},
		"code and error":           {"code=c&error=access_denied&state=right", nil, 400},
		"neither":                  {"state=right", nil, 400},
		"an empty code":            {"code=&state=right", nil, 400},
		"an endless code":          {"code=" + strings.Repeat("x", 257) + "&state=right", nil, 400},
		"a code of two lines":      {"code=a%0d%0ab&state=right", nil, 400},
		"no form":                  {"%zz", nil, 400},
		"JSON":                     {`{"code":"c","state":"right"}`, header("Content-Type", "application/json"), 415},
		"no type":                  {good, func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"too large":                {good + "&x=" + strings.Repeat("x", maxBody), nil, 413},
		"GET":                      {"", func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"GET with the code":        {"", func(r *http.Request) { r.Method, r.URL.RawQuery = http.MethodGet, good }, 404},
		"OPTIONS":                  {"", func(r *http.Request) { r.Method = http.MethodOptions }, 405},
		"another path":             {good, func(r *http.Request) { r.URL.Path = "/favicon.ico" }, 404},
		"by another name":          {good, func(r *http.Request) { r.Host = "rebound.example.net:7" }, 421},
		"localhost":                {good, func(r *http.Request) { r.Host = "localhost:7" }, 421},
		"another port":             {good, func(r *http.Request) { r.Host = "127.0.0.1:8" }, 421},
		"a script of another page": {good, header("Sec-Fetch-Mode", "no-cors"), 403},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(7, secret.New("right"), Texts{})
			w := httptest.NewRecorder()
			b.ServeHTTP(w, letter(test.body, test.change))
			if w.Code != test.want || len(b.answer) != map[bool]int{true: 1}[test.want == 200] {
				t.Errorf("status %d, want %d; %d letters", w.Code, test.want, len(b.answer))
			}
			if strings.Contains(w.Body.String(), "right") {
				t.Error("the answer echoes what came")
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", w.Header())
			}
			again := httptest.NewRecorder()
			b.ServeHTTP(again, letter(good, nil))
			if test.want == 200 && (again.Code != http.StatusGone || len(b.answer) != 1) {
				t.Errorf("the second letter got %d", again.Code)
			}
		})
	}
}

// The page's style is what its policy allows, or browsers would show it bare.
func TestThePageMayUseItsStyle(t *testing.T) {
	if !strings.Contains(page("en", "x"), "<style>"+style+"</style>") || !strings.Contains(style, "prefers-color-scheme:dark") {
		t.Error("the page's style is not the one of the policy")
	}
}

func FuzzLetter(f *testing.F) {
	f.Add("POST", "/", "127.0.0.1:7", "application/x-www-form-urlencoded", "code=c&state=right")
	f.Add("GET", "/?code=c", "localhost", "", "")
	f.Add("POST", "/", "127.0.0.1:7", "application/x-www-form-urlencoded;", "error=x&state=right&state=")
	f.Fuzz(func(t *testing.T, method, path, host, kind, body string) {
		b := newBox(7, secret.New("right"), Texts{})
		r := letter(body, nil)
		r.Method, r.URL.Path, r.Host = method, path, host
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != (len(b.answer) == 1) {
			t.Fatalf("status %d and %d letters", w.Code, len(b.answer))
		}
		if w.Code != http.StatusOK {
			return
		}
		form, err := url.ParseQuery(body)
		if err != nil || method != http.MethodPost || path != "/" || host != "127.0.0.1:7" || form.Get("state") != "right" {
			t.Fatalf("taken: %q %q %q %q", method, path, host, body)
		}
		if a := <-b.answer; (a.refused == "") == a.code.Empty() {
			t.Fatalf("neither a code nor a refusal: %+v", a)
		}
	})
}
