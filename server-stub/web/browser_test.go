package web

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
)

// served are both sites over TLS, by the name print.example.org, and a provider that sends everybody back at once.
type served struct {
	*site
	certificates []*x509.Certificate
	webURL       string
	adminURL     string
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{site: newSite(t, nil)}
	start := func(name string, h http.Handler) string {
		server := httptest.NewTLSServer(h)
		t.Cleanup(server.Close)
		s.certificates = append(s.certificates, server.Certificate())
		_, port, err := net.SplitHostPort(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return "https://" + name + ":" + port
	}
	s.webURL, s.adminURL = start("print.example.org", s.web), start("print.example.org", s.admin)
	back := start("idp.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=good&state="+q.Get("state"), http.StatusFound)
	}))
	s.google.at = s.now.Add(time.Minute)
	s.google.base, s.okta.base = back, back
	return s
}

func (s *served) browser(t *testing.T, o testenv.ChromiumOptions) *testenv.ChromiumTab {
	t.Helper()
	o.Trust, o.Hosts = s.certificates, map[string]string{"print.example.org": "127.0.0.1", "idp.example": "127.0.0.1"}
	return testenv.Chromium(t, o)
}

// picture keeps what the tab shows in the folder PLATEN_PICTURES, for looking at.
func picture(t *testing.T, tab *testenv.ChromiumTab, name string) {
	t.Helper()
	dir := os.Getenv("PLATEN_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), tab.Screenshot(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// quiet checks that the browser complained of nothing: no policy refused anything of ours, no script failed.
func quiet(t *testing.T, tab *testenv.ChromiumTab) {
	t.Helper()
	for _, complaint := range tab.Complaints() {
		if !strings.Contains(complaint, "the server responded with a status of 4") { // that of a wrong password
			t.Errorf("the browser complains: %s", complaint)
		}
	}
}

func TestSignInInARealBrowser(t *testing.T) {
	s := serve(t)
	tab := s.browser(t, testenv.ChromiumOptions{})
	tab.Navigate(s.webURL + "/")
	tab.AwaitURL(s.webURL + "/sign-in")
	tab.Type("#account", "alex@example.org")
	tab.Type("#password", "wrong")
	tab.Click(`form[action="/sign-in/password"] button`)
	if text := tab.Text("#problem"); text != "Account or password is wrong. Check the part after @." || tab.Eval(`document.getElementById("password").value`) != "" {
		t.Errorf("the page says %q", text)
	}
	picture(t, tab, "sign-in-wrong")
	tab.Type("#password", alexPassword)
	tab.Click(`form[action="/sign-in/password"] button`)
	tab.WaitVisible(".places")
	tab.Click(`form[action="/sign-out"] button`)
	tab.AwaitURL(s.webURL + "/signed-out")
	tab.Navigate(s.webURL + "/sign-in")
	tab.Click(`form[action="/sign-in/start"] button`)
	tab.WaitVisible(".places") // through the provider, and back
	if text := tab.Text(".who"); text != "alex@example.org" {
		t.Errorf("signed in as %q", text)
	}
	quiet(t, tab)
}

// receiver is Platen on this computer: it waits for one form.
func receiver(t *testing.T) (port int, got chan map[string]string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan map[string]string, 4)
	server := &http.Server{ReadHeaderTimeout: testenv.Deadline, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		_ = r.ParseForm()
		fields := map[string]string{}
		for name := range r.PostForm {
			fields[name] = r.PostForm.Get(name)
		}
		got <- fields
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<title>Platen</title><p id="done">You can close this tab.</p>`)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if port, err = strconv.Atoi(text); err != nil {
		t.Fatal(err)
	}
	return port, got
}

func TestPlatenSignsInThroughARealBrowser(t *testing.T) {
	s := serve(t)
	port, got := receiver(t)
	address := s.webURL + "/sign-in/client?challenge=" + api.Challenge(verifier) + "&state=state-of-platen&port=" + strconv.Itoa(port)
	tab := s.browser(t, testenv.ChromiumOptions{})
	redeem := func(by core.Assurance) {
		t.Helper()
		tab.WaitVisible("#done")
		fields := <-got
		grant, err := s.codes.Redeem(t.Context(), secret.New(fields["code"]), verifier)
		if err != nil || grant.User != s.alex.ID || grant.Assurance != by || fields["state"] != "state-of-platen" {
			t.Errorf("got %v: %+v, %v", len(fields), grant, err)
		}
	}
	// At the provider: nothing to click on our pages.
	if err := tab.Begin(address + "&provider=google"); err != nil {
		t.Fatal(err)
	}
	redeem(core.AssuranceOIDC)
	// By password, on our page.
	tab.Navigate(address)
	tab.Type("#account", "alex@example.org")
	tab.Type("#password", alexPassword)
	tab.Click(`form[action="/sign-in/password"] button`)
	redeem(core.AssurancePassword)
	// Known to the provider from before: one click that says what it does.
	s.google.at = time.Time{}
	tab.Navigate(address + "&provider=google")
	tab.WaitVisible(`button[value="continue"]`)
	tab.Click(`button[value="continue"]`)
	redeem(core.AssuranceOIDC)
	// The person says no.
	tab.Navigate(address + "&provider=google")
	tab.Click(`button[value="cancel"]`)
	tab.WaitVisible("#done")
	if fields := <-got; fields["error"] != api.BrowserErrorCancelled || fields["code"] != "" {
		t.Errorf("cancelled: %v", fields)
	}
	quiet(t, tab)
}

// Everything works where scripts are off, with a button where one would go on by itself.
func TestPlatenSignsInWithoutScripts(t *testing.T) {
	s := serve(t)
	port, got := receiver(t)
	tab := s.browser(t, testenv.ChromiumOptions{Width: 360, Height: 740})
	tab.Do("turn scripts off", emulation.SetScriptExecutionDisabled(true))
	tab.Navigate(s.webURL + "/sign-in/client?challenge=" + api.Challenge(verifier) + "&state=state-of-platen&port=" + strconv.Itoa(port))
	tab.Type("#account", "alex@example.org")
	tab.Type("#password", alexPassword)
	tab.Click(`form[action="/sign-in/password"] button`)
	tab.WaitVisible("#answer")
	picture(t, tab, "phone-light-en-answer")
	tab.Click("#answer button")
	tab.WaitVisible("#done")
	if fields := <-got; fields["code"] == "" {
		t.Errorf("got %v", fields)
	}
	tab.Navigate(s.webURL + "/sign-in")
	tab.Click(`form[action="/sign-in/start"] button`)
	tab.WaitVisible(".places")
	quiet(t, tab)
}

// R-SETUP-1, and the owner who gets in when no provider answers.
func TestTheFirstOwnerSignsInWithAPasskey(t *testing.T) {
	s := serve(t)
	tab := s.browser(t, testenv.ChromiumOptions{})
	tab.Passkeys()
	tab.Navigate(s.adminURL + "/set-up")
	tab.Type("#token", "wrong")
	tab.Type("#account", "olga@example.org")
	tab.Type("#name", "Olga Owner")
	tab.Click("[data-passkey] button")
	testenv.Await(t, "the page to refuse the token", func() bool { return tab.Eval(`document.getElementById("problem").textContent`) != "" })
	if text := tab.Text("#problem"); !strings.HasPrefix(text, "That is not the token.") {
		t.Errorf("the page says %q", text)
	}
	tab.Eval(`document.getElementById("token").value = ""`)
	tab.Type("#token", "token-of-the-set-up")
	tab.Click("[data-passkey] button")
	tab.AwaitURL(s.adminURL + "/admin")
	if text := tab.Text("main"); !strings.Contains(text, "olga@example.org") || !strings.Contains(text, "owner") {
		t.Errorf("the page says %q", text)
	}
	picture(t, tab, "admin")
	tab.Click(`form[action="/sign-out"] button`)
	tab.AwaitURL(s.adminURL + "/signed-out")
	tab.Navigate(s.adminURL + "/sign-in")
	tab.Click("[data-passkey] button")
	tab.AwaitURL(s.adminURL + "/admin")
	u, err := s.users.Find(t.Context(), "olga@example.org")
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.sessions.List(t.Context(), u.ID)
	if err != nil || len(list) != 1 || list[0].Kind != core.SessionAdmin || list[0].Assurance != core.AssuranceStepUp {
		t.Errorf("sessions %+v, %v", list, err)
	}
	// A passkey of a person who is disabled opens nothing.
	tab.Click(`form[action="/sign-out"] button`)
	tab.AwaitURL(s.adminURL + "/signed-out")
	if _, err := s.users.Disable(t.Context(), "admin", u.ID); err != nil {
		t.Fatal(err)
	}
	tab.Navigate(s.adminURL + "/sign-in")
	tab.Click("[data-passkey] button")
	testenv.Await(t, "the page to refuse the person", func() bool { return tab.Eval(`document.getElementById("problem").textContent`) != "" })
	if text := tab.Text("#problem"); text != "This account is disabled. Ask your IT team." {
		t.Errorf("the page says %q", text)
	}
	quiet(t, tab)
}

// Every page, in the languages and sizes that people have, fits: nothing is wider than the window, and every control is big
// enough to hit (WCAG 2.2, 2.5.8) and has a name.
func TestPagesFitEveryWindow(t *testing.T) {
	s := serve(t)
	if err := s.roles.Grant(t.Context(), "admin", s.alex.ID, core.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.sessions.Issue(t.Context(), s.alex.ID, sessions.Info{Host: "lab-pc-7", Client: "platen 1.0.0 (linux)", Address: "192.0.2.17"}); err != nil {
		t.Fatal(err)
	}
	s.google.at = time.Time{}
	client := s.webURL + "/sign-in/client?challenge=" + api.Challenge(verifier) + "&state=state-of-platen&port=50123"
	for _, window := range []struct {
		name     string
		language string
		dark     bool
		width    int
		height   int
	}{
		{"desktop-light-en", "en", false, 1000, 800},
		{"desktop-dark-de", "de", true, 1000, 800},
		{"phone-light-fr", "fr", false, 360, 740},
		{"phone-dark-es", "es", true, 360, 740},
		{"narrow-light-de", "de", false, 320, 640},
	} {
		t.Run(window.name, func(t *testing.T) {
			tab := s.browser(t, testenv.ChromiumOptions{Language: window.language, Dark: window.dark, Width: window.width, Height: window.height})
			look := func(name string) {
				t.Helper()
				picture(t, tab, window.name+"-"+name)
				if got := tab.Eval(fits); got != "" {
					t.Errorf("%s: %s", name, got)
				}
				if lang := tab.Eval("document.documentElement.lang"); lang != window.language {
					t.Errorf("%s: the language is %s", name, lang)
				}
			}
			tab.Navigate(s.webURL + "/sign-in")
			look("sign-in")
			tab.Navigate(client)
			look("sign-in-client")
			tab.Navigate(client + "&provider=google")
			tab.WaitVisible(`button[value="continue"]`)
			look("confirm")
			tab.Navigate(s.webURL + "/nowhere")
			look("message")
			tab.Navigate(s.webURL + "/signed-out")
			look("signed-out")
			tab.Navigate(s.webURL + "/sign-in")
			tab.Type("#account", "alex@example.org")
			tab.Type("#password", alexPassword)
			tab.Click(`form[action="/sign-in/password"] button`)
			tab.WaitVisible(".places")
			look("home")
			tab.Navigate(s.adminURL + "/sign-in")
			look("admin-sign-in")
			tab.Type("#account", "alex@example.org")
			tab.Type("#password", alexPassword)
			tab.Click(`form[action="/sign-in/password"] button`)
			tab.AwaitURL(s.adminURL + "/admin")
			look("admin")
			tab.Navigate(s.adminURL + "/set-up")
			look("set-up")
		})
	}
}

// fits lists what is wrong with the page that the browser shows.
const fits = `(() => {
  const bad = [];
  if (document.documentElement.scrollWidth > innerWidth) bad.push("it is " + document.documentElement.scrollWidth + " wide");
  for (const e of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    const box = e.getBoundingClientRect();
    if (box.width === 0) continue;
    if (box.height < 24 && getComputedStyle(e).display !== "inline") bad.push(e.outerHTML + " is small");
    if (e.tagName === "INPUT" && !e.labels.length) bad.push(e.id + " has no label");
    if (e.tagName !== "INPUT" && !e.textContent.trim()) bad.push(e.outerHTML + " has no name");
  }
  if (document.querySelectorAll("h1").length !== 1) bad.push("it has not one heading");
  if (!document.title) bad.push("it has no title");
  const luminance = (c) => { const v = c.match(/[\d.]+/g).slice(0, 3).map((x) => { x /= 255; return x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  for (const e of document.querySelectorAll("p, h1, h2, label, button, a, strong, span, time, footer")) {
    if (!e.offsetWidth || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    let back = e;
    while (back && getComputedStyle(back).backgroundColor === "rgba(0, 0, 0, 0)") back = back.parentElement;
    const a = luminance(getComputedStyle(e).color), b = luminance(back ? getComputedStyle(back).backgroundColor : "rgb(255,255,255)");
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) bad.push(e.textContent.trim() + ": contrast " + contrast.toFixed(2));
  }
  return bad.join("\n");
})()`
