package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
)

// fakeResident answers the command line.
type fakeResident struct {
	mu     sync.Mutex
	shown  status.Snapshot
	result status.Result
	asked  []status.Action
	hang   bool // sign-ins last until they are cancelled

	then  status.Snapshot // what is shown once a sign-in has begun
	begun chan struct{}
	until chan struct{} // if not nil: sign-ins last until it is closed, or until another action comes
	once  sync.Once
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func (f *fakeResident) Watch(ctx context.Context, after uint64) (status.Snapshot, error) {
	if after == 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.shown, nil
	}
	if after == f.shown.Seq && f.begun != nil {
		select {
		case <-f.begun:
			return f.then, nil
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return status.Snapshot{}, ctx.Err()
}

func (f *fakeResident) Do(ctx context.Context, a status.Action) status.Result {
	f.mu.Lock()
	f.asked = append(f.asked, a)
	hang, result := f.hang, f.result
	f.mu.Unlock()
	if hang && a.Kind == status.ActionSignIn {
		<-ctx.Done()
	}
	if f.until != nil {
		if a.Kind == status.ActionSignIn {
			close(f.begun)
			select {
			case <-f.until:
			case <-ctx.Done():
			}
		} else {
			f.once.Do(func() { close(f.until) })
		}
	}
	return result
}

func (f *fakeResident) kinds() []status.ActionKind {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kinds []status.ActionKind
	for _, a := range f.asked {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}

// desk is a command line with a resident beside it.
type desk struct {
	t        *testing.T
	deps     Deps
	out, err bytes.Buffer
}

// deskWith starts r, if it is not nil.
func deskWith(t *testing.T, r *fakeResident) *desk {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "platen-cli-") //nolint:usetesting // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &desk{t: t}
	d.deps = Deps{
		Stdin: strings.NewReader(""), Stdout: &d.out, Stderr: &d.err,
		Getenv: func(name string) string {
			if name == ipc.EnvRuntimeDir {
				return dir
			}
			return os.Getenv(name)
		},
		Resident: func(context.Context, Start) error { return ipc.ErrRunning },
	}
	if r == nil {
		return d
	}
	place, err := ipc.Find(d.deps.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ipc.Listen(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ipc.Serve(ctx, l, r, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) run(args ...string) int {
	d.out.Reset()
	d.err.Reset()
	return Run(d.t.Context(), d.deps, args)
}

var following = status.Snapshot{
	Version: status.Version, Seq: 1, State: status.StateFollowing, Connection: status.ConnectionStream, AuthMode: "prompt",
	User: &status.User{Username: "alex.test@example.org", DisplayName: "Alex Test"}, Balance: &status.Money{Amount: "12.34", Currency: "EUR"},
	BalanceAt: time.Date(2026, 11, 21, 9, 10, 0, 0, time.UTC),
}

func TestStatusJSON(t *testing.T) {
	for name, test := range map[string]struct {
		shown status.Snapshot
		want  string
	}{
		"following": {following, `{"state":"following","username":"alex.test@example.org","balance":{"amount":"12.34","currency":"EUR"},
			"balance_at":"2026-11-21T09:10:00Z","stale":false,"connection":"stream","auth_mode":"prompt"}`},
		"nobody": {
			status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut, Connection: status.ConnectionNone, AuthMode: "prompt"},
			`{"state":"signed-out","username":"","balance":null,"balance_at":null,"stale":false,"connection":"none","auth_mode":"prompt"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := deskWith(t, &fakeResident{shown: test.shown})
			if code := d.run("status", "--json"); code != exitOK {
				t.Fatalf("exit %d: %s", code, d.err.String())
			}
			var got, want any
			if err := errors.Join(json.Unmarshal(d.out.Bytes(), &got), json.Unmarshal([]byte(test.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPasswordFromStandardInput(t *testing.T) {
	for name, test := range map[string]struct {
		in, want string
		code     int
	}{
		"plain":              {"s3cret", "s3cret", exitOK},
		"one newline":        {"s3cret\n", "s3cret", exitOK},
		"of Windows":         {"s3cret\r\n", "s3cret", exitOK},
		"two newlines":       {"s3cret\n\n", "s3cret\n", exitOK},
		"spaces are kept":    {" s3 cret \n", " s3 cret ", exitOK},
		"longest":            {strings.Repeat("x", 256) + "\n", strings.Repeat("x", 256), exitOK},
		"too long":           {strings.Repeat("x", 257), "", exitUsage},
		"endless":            {strings.Repeat("x", 1<<20), "", exitUsage},
		"empty":              {"", "", exitUsage},
		"a newline and gone": {"\n", "", exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			r := &fakeResident{shown: following, result: status.Result{OK: true}}
			d := deskWith(t, r)
			d.deps.Stdin = strings.NewReader(test.in)
			if code := d.run("sign-in", "--username", "alex", "--password-stdin"); code != test.code {
				t.Fatalf("exit %d: %s", code, d.err.String())
			}
			if test.code != exitOK {
				if len(r.asked) != 0 {
					t.Errorf("the resident was asked %v", r.kinds())
				}
				return
			}
			if a := r.asked[0]; a.Username != "alex" || a.Password.Reveal() != test.want || a.StaySignedIn {
				t.Errorf("asked with %d bytes, want %d; %+v", len(a.Password.Reveal()), len(test.want), a)
			}
		})
	}
}

func TestSignInOnATerminal(t *testing.T) {
	r := &fakeResident{
		shown:  status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut, Prefill: "alex.test@example.org"},
		result: status.Result{OK: true},
	}
	d := deskWith(t, r)
	d.deps.Stdin = strings.NewReader("\n")
	d.deps.ReadPassword = func() (string, error) { return "s3cret", nil }
	if code := d.run("sign-in", "--stay"); code != exitOK {
		t.Fatalf("exit %d: %s", code, d.err.String())
	}
	if a := r.asked[0]; a.Username != "alex.test@example.org" || a.Password.Reveal() != "s3cret" || !a.StaySignedIn {
		t.Errorf("asked %+v", a)
	}
	if want := "Account [alex.test@example.org]: Password: \n"; d.err.String() != want {
		t.Errorf("said %q, want %q", d.err.String(), want)
	}
}

func TestInterruptedSignInIsCancelled(t *testing.T) {
	r := &fakeResident{shown: following, hang: true}
	d := deskWith(t, r)
	d.deps.Stdin = strings.NewReader("s3cret\n")
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- Run(ctx, d.deps, []string{"sign-in", "--username", "alex", "--password-stdin"}) }()
	for deadline := time.Now().Add(time.Minute); len(r.kinds()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the resident was not asked")
		}
	}
	interrupt()
	if code := <-done; code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if diff := cmp.Diff([]status.ActionKind{status.ActionSignIn, status.ActionCancelSignIn}, r.kinds()); diff != "" {
		t.Error(diff)
	}
}

func TestHowToSignIn(t *testing.T) {
	offers := func(list ...status.Offer) status.Snapshot {
		return status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut, Offers: list, Prefill: "alex.test@example.org"}
	}
	microsoft, google := status.Offer{Method: status.MethodMicrosoft}, status.Offer{Method: status.MethodBrowser, Provider: "google", Name: "Google"}
	for name, test := range map[string]struct {
		shown status.Snapshot
		args  string
		code  int
		want  status.Action
	}{
		"the best that works":        {offers(microsoft, google), "--stay", exitOK, status.Action{Method: status.MethodMicrosoft, StaySignedIn: true}},
		"the best is a provider":     {offers(google, microsoft), "", exitOK, status.Action{Method: status.MethodBrowser, Provider: "google"}},
		"another one":                {offers(microsoft, google), "--method browser", exitOK, status.Action{Method: status.MethodBrowser}},
		"a provider":                 {offers(microsoft, google), "--provider okta", exitOK, status.Action{Method: status.MethodBrowser, Provider: "okta"}},
		"who is expected":            {offers(microsoft), "--username sam@example.org", exitOK, status.Action{Method: status.MethodMicrosoft, Username: "sam@example.org"}},
		"whoever it is":              {offers(microsoft), "--choose-account", exitOK, status.Action{Method: status.MethodMicrosoft, OtherAccount: true}},
		"the computer":               {offers(microsoft), "--method trust", exitOK, status.Action{Method: status.MethodTrust}},
		"a password":                 {offers(microsoft), "--username alex --password-stdin", exitOK, status.Action{Method: status.MethodPrompt, Username: "alex"}},
		"no such way":                {offers(microsoft), "--method telepathy", exitUsage, status.Action{}},
		"a password for the browser": {offers(microsoft), "--method browser --password-stdin", exitUsage, status.Action{}},
		"a provider for Microsoft":   {offers(microsoft), "--method microsoft --provider google", exitUsage, status.Action{}},
		"choose at the prompt":       {offers(microsoft), "--method prompt --choose-account", exitUsage, status.Action{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &fakeResident{shown: test.shown, result: status.Result{OK: true}}
			d := deskWith(t, r)
			d.deps.Stdin = strings.NewReader("s3cret\n")
			if code := d.run(append([]string{"sign-in"}, strings.Fields(test.args)...)...); code != test.code {
				t.Fatalf("exit %d: %s", code, d.err.String())
			}
			if test.code != exitOK {
				if len(r.asked) != 0 || d.err.Len() == 0 {
					t.Errorf("asked %+v, said %q", r.asked, d.err.String())
				}
				return
			}
			test.want.Kind = status.ActionSignIn
			got := r.asked[0]
			got.Password = test.want.Password
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b secret.String) bool { return true })); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignInInTheBrowserIsAccompanied(t *testing.T) {
	nobody := status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut}
	waiting := status.Snapshot{Version: status.Version, Seq: 2, State: status.StateSigningIn, Browsing: status.Browsing{Method: status.MethodMicrosoft, Waiting: true}}
	another := waiting
	another.Browsing = status.Browsing{Method: status.MethodMicrosoft, Confirm: "sam@example.org"}
	for name, test := range map[string]struct {
		then     status.Snapshot
		terminal bool
		in       string
		says     string
		ends     status.ActionKind // what ends the sign-in
		code     int
	}{
		"waits":                    {waiting, false, "", "Finish in your browser.\n", "", exitOK},
		"another account: yes":     {another, true, "y\n", "You signed in as sam@example.org. Continue? [y/N] ", status.ActionContinue, exitOK},
		"another account: no":      {another, true, "\n", "nobody was signed in", status.ActionCancelSignIn, exitSignedOut},
		"another account: nothing": {another, true, "", "nobody was signed in", status.ActionCancelSignIn, exitSignedOut},
		"another account, no desk": {another, false, "y\n", "use --choose-account", status.ActionCancelSignIn, exitSignedOut},
	} {
		t.Run(name, func(t *testing.T) {
			r := &fakeResident{shown: nobody, then: test.then, result: status.Result{OK: true}, begun: make(chan struct{}), until: make(chan struct{})}
			d := deskWith(t, r)
			d.deps.Stdin = strings.NewReader(test.in)
			if test.terminal {
				d.deps.ReadPassword = func() (string, error) { return "", errors.New("not asked") }
			}
			if test.ends == "" { // the person finishes once they were told to
				d.deps.Stderr = writer(func(p []byte) (int, error) {
					r.once.Do(func() { close(r.until) })
					return d.err.Write(p)
				})
			}
			if code := d.run("sign-in", "--method", "microsoft"); code != test.code || !strings.Contains(d.err.String(), test.says) {
				t.Errorf("exit %d, said %q", code, d.err.String())
			}
			want := []status.ActionKind{status.ActionSignIn}
			if test.ends != "" {
				want = append(want, test.ends)
			}
			if diff := cmp.Diff(want, r.kinds()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMethodsAreCompleted(t *testing.T) {
	d := deskWith(t, nil)
	if code := d.run("__complete", "sign-in", "--method", "m"); code != exitOK || !strings.Contains(d.out.String(), "microsoft") {
		t.Errorf("exit %d: %q", code, d.out.String())
	}
}

func TestProblemsSayWhatWorksInstead(t *testing.T) {
	for want, p := range map[string]status.Problem{
		"a password alone is not enough for this account; this works: platen sign-in --method microsoft":                    {Code: status.ProblemMFARequired, Method: status.MethodMicrosoft},
		"no browser can be opened here (no xdg-open); account and password work: platen sign-in --method prompt":            {Code: status.ProblemNoBrowser, Details: "no xdg-open", Method: status.MethodPrompt},
		"Your organisation has not approved Platen yet. Please tell your IT desk (AADSTS65001)":                             {Code: status.ProblemConsentRequired, Sentence: "microsoft.consent_required", Details: "AADSTS65001"},
		"this computer could not vouch for you (platen-deploy is not running); this works: platen sign-in --method browser": {Code: status.ProblemTrustRefused, Details: "platen-deploy is not running", Method: status.MethodBrowser},
		"your IT team must approve Platen first (microsoft.of_tomorrow)":                                                    {Code: status.ProblemConsentRequired, Sentence: "microsoft.of_tomorrow", Details: "microsoft.of_tomorrow"},
	} {
		if got := sentence(&p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestExitCodesOfProblems(t *testing.T) {
	for code, want := range map[status.ProblemCode]int{
		status.ProblemWrongCredentials: exitSignedOut, status.ProblemAccountDisabled: exitSignedOut, status.ProblemLimited: exitSignedOut,
		status.ProblemUnreachable: exitUnreachable, status.ProblemCertificate: exitUnreachable, status.ProblemClock: exitUnreachable,
		status.ProblemMethodOff: exitSignedOut, status.ProblemMFARequired: exitSignedOut, status.ProblemNoAccount: exitSignedOut,
		status.ProblemTrustRefused: exitSignedOut, status.ProblemTimedOut: exitSignedOut, status.ProblemProviderUnreachable: exitUnreachable,
		status.ProblemNoBrowser:     exitFailed,
		status.ProblemNotConfigured: exitFailed, status.ProblemInvalid: exitFailed,
	} {
		t.Run(string(code), func(t *testing.T) {
			r := &fakeResident{shown: following, result: status.Result{Problem: &status.Problem{Code: code, Details: "why"}}}
			d := deskWith(t, r)
			d.deps.Stdin = strings.NewReader("s3cret\n")
			if got := d.run("sign-in", "--username", "alex", "--password-stdin"); got != want || d.err.Len() == 0 || d.out.Len() != 0 {
				t.Errorf("exit %d, want %d; %q, %q", got, want, d.out.String(), d.err.String())
			}
			d.deps.Stdin = strings.NewReader("s3cret\n")
			if got := d.run("sign-in", "--username", "alex", "--password-stdin", "--json"); got != want || !json.Valid(d.out.Bytes()) {
				t.Errorf("as JSON: exit %d, want %d; %q", got, want, d.out.String())
			}
		})
	}
}

func TestBalance(t *testing.T) {
	stale := following
	stale.Stale, stale.State = true, status.StateOffline
	for name, test := range map[string]struct {
		shown status.Snapshot
		code  int
		out   string
	}{
		"fresh":   {following, exitOK, "12.34 EUR\n"},
		"stale":   {stale, exitOK, "12.34 EUR, as of "},
		"nobody":  {status.Snapshot{Version: status.Version, Seq: 1, State: status.StateSignedOut}, exitSignedOut, ""},
		"not yet": {status.Snapshot{Version: status.Version, Seq: 1, State: status.StateOffline, User: following.User}, exitUnreachable, ""},
		"hidden": {status.Snapshot{
			Version: status.Version, Seq: 1, State: status.StateFollowing, User: following.User, BalanceAt: following.BalanceAt,
			HideBalance: true,
		}, exitOK, "balance hidden"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deskWith(t, &fakeResident{shown: test.shown})
			if code := d.run("balance"); code != test.code || !strings.HasPrefix(d.out.String(), test.out) {
				t.Errorf("exit %d: %q, %q", code, d.out.String(), d.err.String())
			}
		})
	}
}

func TestSecondResident(t *testing.T) {
	r := &fakeResident{shown: following, result: status.Result{OK: true}}
	d := deskWith(t, r)
	if code := d.run("run"); code != exitAlreadyRunning || len(r.asked) != 0 {
		t.Errorf("run: exit %d, asked %v", code, r.kinds())
	}
	if code := d.run(); code != exitOK {
		t.Errorf("platen: exit %d: %s", code, d.err.String())
	}
	if diff := cmp.Diff([]status.ActionKind{status.ActionOpen}, r.kinds()); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAsFlagsReachTheResident(t *testing.T) {
	var got map[string]string
	var verbose bool
	d := deskWith(t, nil)
	d.deps.Resident = func(_ context.Context, s Start) error {
		got, verbose = s.Flags, s.Log != nil
		return nil
	}
	if code := d.run("run", "--server-url", "https://print.example.org", "--verbose"); code != exitOK || !verbose {
		t.Fatalf("exit %d, verbose %v: %s", code, verbose, d.err.String())
	}
	if diff := cmp.Diff(map[string]string{"server-url": "https://print.example.org"}, got); diff != "" {
		t.Error(diff)
	}
	if code := d.run("--hide-balance", "true"); code != exitOK || verbose {
		t.Errorf("exit %d, verbose %v: %s", code, verbose, d.err.String())
	}
	if diff := cmp.Diff(map[string]string{"hide-balance": "true"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBundleNeverReplacesAFile(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	d := deskWith(t, nil)
	path := t.TempDir() + "/support.zip"
	d.run("doctor", "--bundle", path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v: %s", info, err, d.err.String())
	}
	if code := d.run("doctor", "--bundle", path); code != exitFailed || !strings.Contains(d.err.String(), "is there already") {
		t.Errorf("exit %d: %s", code, d.err.String())
	}
}
