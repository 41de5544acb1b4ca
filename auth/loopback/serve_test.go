package loopback

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/secret"
)

const (
	good    = "code=c&state=right"
	form    = "application/x-www-form-urlencoded"
	maxForm = 4 << 10
	maxCode = 256
)

// waiting is a receiver at port 7 that does not listen, for a sign-in that works.
func waiting(change ...func(*Options)) *Receiver {
	o := Options{Host: IPv4, MaxForm: maxForm, MaxCode: maxCode}
	for _, c := range change {
		c(&o)
	}
	r := newReceiver(o, 7, secret.New("right"))
	r.verdict <- true
	return r
}

// letter is a request as a browser posts it, but for what a test changes.
func letter(body string, change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Host = "127.0.0.1:7"
	r.Header.Set("Content-Type", form)
	if change != nil {
		change(r)
	}
	return r
}

func TestLettersThatAreRefused(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	get := func(query string) func(*http.Request) {
		return func(r *http.Request) { r.Method, r.URL.RawQuery = http.MethodGet, query }
	}
	host := func(host string) func(*http.Request) {
		return func(r *http.Request) { r.Host = host }
	}
	for name, test := range map[string]struct {
		body   string
		change func(*http.Request)
		want   int
	}{
		"right":                         {good, nil, 200},
		"right, from a tab":             {good, header("Sec-Fetch-Mode", "navigate"), 200},
		"right, with a charset":         {good, header("Content-Type", form+"; charset=utf-8"), 200},
		"error":                         {"error=access_denied&state=right", nil, 200},
		"more than was asked":           {good + "&session_state=x", nil, 200},
		"the longest code":              {"code=" + strings.Repeat("x", maxCode) + "&state=right", nil, 200},
		"wrong state":                   {"code=c&state=wrong", nil, 403},
		"no state":                      {"code=c", nil, 403},
		"an empty state":                {"code=c&state=", nil, 403},
		"two states":                    {"code=c&state=right&state=right", nil, 403},
		"a state in the address":        {"code=c", func(r *http.Request) { r.URL.RawQuery = "state=right" }, 404},
		"two codes":                     {"code=c&code=d&state=right", nil, 400},
		"code and error":                {"code=c&error=access_denied&state=right", nil, 400},
		"neither":                       {"state=right", nil, 400},
		"an empty code":                 {"code=&state=right", nil, 400},
		"an endless code":               {"code=" + strings.Repeat("x", maxCode+1) + "&state=right", nil, 400},
		"a code with a space":           {"code=a+b&state=right", nil, 400},
		"a code of two lines":           {"code=a%0d%0ab&state=right", nil, 400},
		"no form":                       {"%zz", nil, 400},
		"JSON":                          {`{"code":"c","state":"right"}`, header("Content-Type", "application/json"), 415},
		"no type":                       {good, func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"too large":                     {good + "&x=" + strings.Repeat("x", maxForm), nil, 413},
		"GET":                           {"", get(""), 405},
		"GET with the answer":           {"", get(good), 405},
		"GET with a stranger's":         {"", get("code=c&state=wrong"), 405},
		"GET of the favicon":            {"", func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, "/favicon.ico" }, 404},
		"OPTIONS":                       {"", func(r *http.Request) { r.Method = http.MethodOptions }, 405},
		"PUT":                           {good, func(r *http.Request) { r.Method = http.MethodPut }, 405},
		"another path":                  {good, func(r *http.Request) { r.URL.Path = "/favicon.ico" }, 404},
		"with a query":                  {good, func(r *http.Request) { r.URL.RawQuery = "a=b" }, 404},
		"by another name":               {good, host("rebound.example.net:7"), 421},
		"by no name":                    {good, host(""), 421},
		"localhost":                     {good, host("localhost:7"), 421},
		"another port":                  {good, host("127.0.0.1:8"), 421},
		"no port":                       {good, host("127.0.0.1"), 421},
		"a script of another page":      {good, header("Sec-Fetch-Mode", "no-cors"), 403},
		"a script that asks for leave":  {good, header("Sec-Fetch-Mode", "cors"), 403},
		"a script's GET by the address": {"", func(r *http.Request) { get(good)(r); header("Sec-Fetch-Mode", "cors")(r) }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := waiting()
			w := httptest.NewRecorder()
			r.ServeHTTP(w, letter(test.body, test.change))
			if w.Code != test.want || len(r.came) != map[bool]int{true: 1}[test.want == 200] {
				t.Errorf("status %d, want %d; %d letters", w.Code, test.want, len(r.came))
			}
			if strings.Contains(w.Body.String(), "right") {
				t.Error("the answer echoes what came")
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", w.Header())
			}
			if got := w.Header().Get("Allow"); (got == http.MethodPost) != (test.want == 405) {
				t.Errorf("allows %q", got)
			}
			again := httptest.NewRecorder()
			r.ServeHTTP(again, letter(good, nil))
			if want := map[bool]int{true: http.StatusGone, false: http.StatusOK}[test.want == 200]; again.Code != want || len(r.came) != 1 {
				t.Errorf("the right letter after it got %d, want %d", again.Code, want)
			}
		})
	}
}

func TestAReceiverCalledLocalhost(t *testing.T) {
	for host, want := range map[string]int{"localhost:7": 200, "127.0.0.1:7": 421, "[::1]:7": 421, "localhost.example.net:7": 421} {
		w := httptest.NewRecorder()
		waiting(func(o *Options) { o.Host = Localhost }).ServeHTTP(w, letter(good, func(r *http.Request) { r.Host = host }))
		if w.Code != want {
			t.Errorf("%s got %d, want %d", host, w.Code, want)
		}
	}
}

func TestAnAnswerInTheAddressEndsItWhereThatIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		query, mode string
		want        int
	}{
		"ours":         {good, "navigate", 200},
		"a refusal":    {"error=x&state=right", "", 200},
		"a stranger's": {"code=c&state=wrong", "", 405},
		"two states":   {"code=c&state=right&state=right", "", 405},
		"nothing":      {"", "", 405},
		"a script's":   {good, "cors", 403},
	} {
		r := waiting(func(o *Options) { o.EndByAddress = true })
		w := httptest.NewRecorder()
		r.ServeHTTP(w, letter("", func(r *http.Request) {
			r.Method, r.URL.RawQuery = http.MethodGet, test.query
			if test.mode != "" {
				r.Header.Set("Sec-Fetch-Mode", test.mode)
			}
		}))
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d", name, w.Code, test.want)
		}
		if test.want != 200 {
			continue
		}
		if a, err := r.Wait(t.Context()); err != ErrInAddress || !a.Code.Empty() || a.Refusal != nil { //nolint:errorlint // exactly this one
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// The page's style is what its policy allows, or browsers would show it bare.
func TestThePageMayUseItsStyle(t *testing.T) {
	if !strings.Contains(Texts{}.page(true), "<style>"+style+"</style>") || !strings.Contains(style, "prefers-color-scheme:dark") {
		t.Error("the page's style is not the one of the policy")
	}
}

func TestThePageSpeaksThePersonsLanguage(t *testing.T) {
	german := Texts{Language: "de", Done: "Angemeldet <&>.", Failed: "Nicht angemeldet."}
	for _, test := range []struct {
		texts    Texts
		signedIn bool
		want     string
	}{
		{german, true, "Angemeldet &lt;&amp;&gt;."},
		{german, false, "Nicht angemeldet."},
		{Texts{}, true, "You&#39;re signed in. You can close this tab."},
		{Texts{Language: "de", Done: "Angemeldet."}, false, "You are not signed in. You can close this tab."},
	} {
		texts := test.texts.complete()
		page := texts.page(test.signedIn)
		if !strings.Contains(page, ">"+test.want+"<") || !strings.Contains(page, `<html lang="`+texts.Language+`">`) {
			t.Errorf("%+v says %q", test.texts, page)
		}
	}
}

func FuzzLetter(f *testing.F) {
	f.Add("POST", "/", "127.0.0.1:7", form, good)
	f.Add("GET", "/?code=c", "localhost", "", "")
	f.Add("POST", "/", "127.0.0.1:7", form+";", "error=x&state=right&state=")
	f.Fuzz(func(t *testing.T, method, path, host, kind, body string) {
		r := waiting()
		req := letter(body, nil)
		req.Method, req.URL.Path, req.Host = method, path, host
		req.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		if (w.Code == http.StatusOK) != (len(r.came) == 1) {
			t.Fatalf("status %d and %d letters", w.Code, len(r.came))
		}
		if w.Code != http.StatusOK {
			return
		}
		values, err := url.ParseQuery(body)
		if err != nil || method != http.MethodPost || path != "/" || host != "127.0.0.1:7" || values.Get("state") != "right" {
			t.Fatalf("taken: %q %q %q %q", method, path, host, body)
		}
		if a := <-r.came; a.err != nil || (a.answer.Refusal == nil) == a.answer.Code.Empty() {
			t.Fatalf("neither a code nor a refusal: %+v", a)
		}
	})
}
