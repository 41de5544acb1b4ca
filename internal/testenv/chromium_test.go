package testenv_test

import (
	"bytes"
	"crypto/x509"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

const testPage = `<!DOCTYPE html><html><title>Test</title><body>
<form method="post"><label for="name">Name</label><input id="name" name="name"><button id="go">Go</button></form>
<p id="scheme">light</p>
<script>if (matchMedia("(prefers-color-scheme: dark)").matches) document.getElementById("scheme").textContent = "dark"</script>`

// site is a server that greets whoever posts a name.
func site(t *testing.T) *httptest.Server {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.Method == http.MethodPost {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", Secure: true})
			_, _ = w.Write([]byte(`<p id="hello">Hello ` + r.PostFormValue("name") + ` at ` + r.Host + ` in ` + r.Header.Get("Accept-Language") + `</p>`))
			return
		}
		if cookie, err := r.Cookie("seen"); err == nil {
			_, _ = w.Write([]byte(`<p id="again">` + cookie.Value + `</p>`))
			return
		}
		_, _ = w.Write([]byte(testPage))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestChromiumTypesClicksAndReads(t *testing.T) {
	srv := site(t)
	tab := testenv.Chromium(t, testenv.ChromiumOptions{
		Trust: []*x509.Certificate{srv.Certificate()}, Hosts: map[string]string{"print.example.org": srv.Listener.Addr().String()}, Language: "de", Dark: true, Width: 800, Height: 600,
	})
	tab.Navigate("https://print.example.org/")
	if got := tab.Text("#scheme"); got != "dark" {
		t.Errorf("the page is %s", got)
	}
	picture, err := png.Decode(bytes.NewReader(tab.Screenshot()))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 800 || size.Y != 600 {
		t.Errorf("the picture has %v", size)
	}
	tab.Type("#name", "Sam")
	tab.Click("#go")
	tab.WaitVisible("#hello")
	if got := tab.Text("#hello"); !strings.HasPrefix(got, "Hello Sam at print.example.org in de") {
		t.Errorf("the page says %q", got)
	}
	if got := tab.URL(); got != "https://print.example.org/" {
		t.Errorf("the tab is at %s", got)
	}
	other := tab.Tab()
	if err := other.Begin("https://print.example.org/"); err != nil {
		t.Fatal(err)
	}
	other.WaitVisible("#again") // the same cookies
	other.Close()
	if got := tab.Eval("1 + 1"); got != "2" {
		t.Errorf("1 + 1 = %s", got)
	}
}

func TestChromiumTrustsOnlyWhatItIsToldTo(t *testing.T) {
	srv := site(t)
	tab := testenv.Chromium(t, testenv.ChromiumOptions{})
	if err := tab.Begin(srv.URL); err == nil || !strings.Contains(err.Error(), "ERR_CERT") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

func TestChromiumLeavesNoProcessBehind(t *testing.T) {
	var before string
	t.Run("browser", func(t *testing.T) {
		tab := testenv.Chromium(t, testenv.ChromiumOptions{})
		before = tab.Profile()
		tab.Navigate("about:blank")
		if n := processesOf(t, before); n == 0 {
			t.Errorf("no process has the profile %s", before)
		}
	})
	testenv.Await(t, "chromium to go", func() bool { return processesOf(t, before) == 0 })
	if _, err := os.Stat(before); !os.IsNotExist(err) {
		t.Errorf("the profile is left: %v", err)
	}
}

// processesOf counts the processes that name a profile.
func processesOf(t *testing.T, profile string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range lines {
		if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, []byte(profile)) {
			n++
		}
	}
	return n
}

func TestChromiumMakesPasskeys(t *testing.T) {
	srv := site(t)
	tab := testenv.Chromium(t, testenv.ChromiumOptions{Trust: []*x509.Certificate{srv.Certificate()}, Hosts: map[string]string{"print.example.org": srv.Listener.Addr().String()}})
	tab.Passkeys()
	tab.Navigate("https://print.example.org/")
	tab.Eval(`navigator.credentials.create({publicKey: {challenge: new Uint8Array(16), rp: {id: "print.example.org", name: "x"},
		user: {id: new Uint8Array(8), name: "sam", displayName: "Sam"}, pubKeyCredParams: [{type: "public-key", alg: -7}],
		authenticatorSelection: {residentKey: "required", userVerification: "required"}}})
		.then(c => document.title = c.type, e => document.title = e)`)
	testenv.Await(t, "a passkey", func() bool { return tab.Eval("document.title") != "Test" })
	if got := tab.Eval("document.title"); got != "public-key" {
		t.Errorf("made %s", got)
	}
}

func TestChromiumTellsWhatAPolicyRefused(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<script>document.title = "ran"</script>`))
	}))
	t.Cleanup(srv.Close)
	tab := testenv.Chromium(t, testenv.ChromiumOptions{})
	tab.Navigate(srv.URL)
	testenv.Await(t, "a complaint", func() bool { return strings.Contains(strings.Join(tab.Complaints(), "\n"), "Content Security Policy") })
}
