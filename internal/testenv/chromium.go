package testenv

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// ChromiumOptions say what a browser is like. The zero value is a light English one that trusts what the system trusts.
type ChromiumOptions struct {
	// Trust are the certificates that servers may present though nobody has vouched for them: by their public keys, so
	// that everything else is verified as ever. Each has to be in the chain that the server sends.
	Trust    []*x509.Certificate
	Hosts    map[string]string // where to go for a host, such as print.example.org to 127.0.0.1:8443
	Language string            // "en" if empty; what pages see in Accept-Language
	Dark     bool              // the person prefers dark pages
	Width    int               // of a page, 1280 if zero
	Height   int               // 900 if zero
}

// ChromiumTab is a tab of a headless Chromium with a profile of its own. Its methods fail the test when something does
// not come within Deadline, and say what the page showed instead.
type ChromiumTab struct {
	t       testing.TB
	ctx     context.Context
	profile string
	look    chromedp.Tasks

	mu         sync.Mutex // guards complaints
	complaints []string
}

// Chromium starts Debian's Chromium without a window. It is gone with all its processes when the test ends. The profile
// is a folder of the test: nothing of whoever runs it is seen or changed.
func Chromium(t testing.TB, o ChromiumOptions) *ChromiumTab {
	t.Helper()
	program := Program(t, "chromium", "chromium")
	if o.Language == "" {
		o.Language = "en"
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 900
	}
	home := shortDir(t) // registered first: removed when the browser has gone
	profile := filepath.Join(home, "profile")
	var pins, hosts []string
	for _, c := range o.Trust {
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Hosts)) {
		hosts = append(hosts, "MAP "+name+" "+o.Hosts[name])
	}
	var command *exec.Cmd
	output := &firstLines{max: 40}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(o.Width, o.Height), chromedp.Flag("lang", o.Language), chromedp.Flag("accept-lang", o.Language),
		chromedp.Flag("no-proxy-server", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")),
		chromedp.Flag("host-resolver-rules", strings.Join(hosts, ",")),
		chromedp.WSURLReadTimeout(2*Deadline), chromedp.CombinedOutput(output),
		chromedp.Env("HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "config"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"),
			"DBUS_SESSION_BUS_ADDRESS=disabled:", "LANGUAGE="+o.Language),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			command = cmd
			ownGroup(cmd)
		}),
	)
	// Not t.Context(), which ends before the clean-ups that may still look at the page.
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // events newer than the library
	tab := &ChromiumTab{t: t, ctx: ctx, profile: profile}
	t.Cleanup(func() {
		closeTab() // asks the browser to end
		stop()     // kills what has not, and waits for it
		if command != nil && command.Process != nil {
			killGroup(command.Process.Pid)
		}
	})
	chromedp.ListenTarget(ctx, tab.listen)
	tab.look = chromedp.Tasks{prefer(o.Dark), chromedp.EmulateViewport(int64(o.Width), int64(o.Height))}
	if err := chromedp.Run(ctx, log.Enable(), runtime.Enable(), tab.look); err != nil { // without a deadline: it would end the browser
		t.Fatalf("start chromium: %v\n%s", err, output.text())
	}
	return tab
}

// prefer sets the colour scheme that pages see.
func prefer(dark bool) chromedp.Action {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
}

// Tab opens another tab of the same browser, with the same cookies.
func (c *ChromiumTab) Tab() *ChromiumTab {
	c.t.Helper()
	ctx, closeTab := chromedp.NewContext(c.ctx)
	tab := &ChromiumTab{t: c.t, ctx: ctx, profile: c.profile, look: c.look}
	c.t.Cleanup(closeTab)
	chromedp.ListenTarget(ctx, tab.listen)
	if err := chromedp.Run(ctx, log.Enable(), runtime.Enable(), c.look); err != nil {
		c.t.Fatalf("open a tab: %v", err)
	}
	return tab
}

// Profile is the folder with everything that the browser keeps; the command lines of its processes name it.
func (c *ChromiumTab) Profile() string { return c.profile }

// Close closes the tab, as a person does who has changed their mind. Closing the first tab ends the browser.
func (c *ChromiumTab) Close() {
	c.t.Helper()
	if err := chromedp.Cancel(c.ctx); err != nil {
		c.t.Errorf("close a tab: %v", err)
	}
}

// listen collects what the browser complains about.
func (c *ChromiumTab) listen(event any) {
	var text string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.LevelError && e.Entry.Level != log.LevelWarning {
			return
		}
		text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaints = append(c.complaints, text)
}

// Complaints are the warnings and errors of the browser's console so far: scripts that failed, what a content security
// policy has refused, what did not load.
func (c *ChromiumTab) Complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.complaints)
}

// Do runs actions of chromedp within Deadline.
func (c *ChromiumTab) Do(what string, actions ...chromedp.Action) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, Deadline)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		c.t.Fatalf("%s: %v\nthe browser is at %s\n%s\n%s", what, err, c.peek("location.href"), c.peek("document.body.innerText"), strings.Join(c.Complaints(), "\n"))
	}
}

// peek looks at the page without failing.
func (c *ChromiumTab) peek(expression string) string {
	ctx, cancel := context.WithTimeout(c.ctx, Deadline/10)
	defer cancel()
	var text string
	if err := chromedp.Run(ctx, chromedp.Evaluate(expression, &text)); err != nil {
		return "(" + err.Error() + ")"
	}
	return text
}

// Navigate opens an address and waits until the page is there.
func (c *ChromiumTab) Navigate(address string) {
	c.t.Helper()
	c.Do("open "+address, chromedp.Navigate(address))
}

// Begin opens an address and does not wait, as somebody does who starts the browser for a person.
func (c *ChromiumTab) Begin(address string) error {
	ctx, cancel := context.WithTimeout(c.ctx, Deadline)
	defer cancel()
	return chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, problem, _, err := page.Navigate(address).Do(ctx)
		if problem != "" {
			return errors.Join(err, errors.New(problem))
		}
		return err
	}))
}

// Type types text into the field that the CSS selector names, key by key.
func (c *ChromiumTab) Type(selector, text string) {
	c.t.Helper()
	c.Do("type into "+selector, chromedp.SendKeys(selector, text, chromedp.ByQuery, chromedp.NodeVisible))
}

// Click clicks on what the CSS selector names.
func (c *ChromiumTab) Click(selector string) {
	c.t.Helper()
	c.Do("click on "+selector, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// WaitVisible waits until something can be seen.
func (c *ChromiumTab) WaitVisible(selector string) {
	c.t.Helper()
	c.Do("wait for "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery))
}

// Text is the text of what the selector names, as a person reads it.
func (c *ChromiumTab) Text(selector string) string {
	c.t.Helper()
	var text string
	c.Do("read "+selector, chromedp.Text(selector, &text, chromedp.ByQuery, chromedp.NodeVisible))
	return text
}

// Eval is the value of a JavaScript expression, as text.
func (c *ChromiumTab) Eval(expression string) string {
	c.t.Helper()
	var value string
	c.Do("evaluate "+expression, chromedp.Evaluate("String("+expression+")", &value))
	return value
}

// URL is where the tab is.
func (c *ChromiumTab) URL() string {
	c.t.Helper()
	var address string
	c.Do("read the address", chromedp.Location(&address))
	return address
}

// AwaitURL waits until the tab is at an address that begins with prefix.
func (c *ChromiumTab) AwaitURL(prefix string) {
	c.t.Helper()
	Await(c.t, "the browser to come to "+prefix, func() bool { return strings.HasPrefix(c.peek("location.href"), prefix) })
}

// Screenshot is a picture of what the tab shows, PNG.
func (c *ChromiumTab) Screenshot() []byte {
	c.t.Helper()
	var picture []byte
	c.Do("take a picture", chromedp.CaptureScreenshot(&picture))
	return picture
}

// Passkeys gives the computer a security device that says yes to everything, with user verification, so that pages can
// make and use passkeys.
func (c *ChromiumTab) Passkeys() {
	c.t.Helper()
	c.Do("plug in a security device", webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
}

// firstLines keeps the beginning of a program's output, for when it does not start.
type firstLines struct {
	max   int
	mu    sync.Mutex // guards lines
	lines []string
}

// Write implements io.Writer and never fails.
func (f *firstLines) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) < f.max {
		f.lines = append(f.lines, string(p))
	}
	return len(p), nil
}

func (f *firstLines) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.lines, "")
}
