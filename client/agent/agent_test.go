package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/tray/view"
)

func testLogger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// fakeWindow is a window that draws or not, and ends when it is told to.
type fakeWindow struct {
	end     chan error
	stopped atomic.Bool
}

func (f *fakeWindow) Wait() error { return <-f.end }
func (f *fakeWindow) Stop()       { f.stopped.Store(true); f.end <- errors.New("killed") }

func TestWindow(t *testing.T) {
	type desk struct {
		w         *window
		started   []*fakeWindow
		pages     []status.Page
		fallbacks []error
	}
	with := func(t *testing.T, startErr error) *desk {
		d := &desk{}
		d.w = newWindow(testLogger(t), func(_ context.Context, page status.Page) (process, error) {
			if startErr != nil {
				return nil, startErr
			}
			f := &fakeWindow{end: make(chan error, 1)}
			d.started, d.pages = append(d.started, f), append(d.pages, page)
			return f, nil
		}, func(err error) { d.fallbacks = append(d.fallbacks, err) })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); d.w.run(ctx) }()
		t.Cleanup(func() {
			cancel()
			for _, f := range d.started {
				select {
				case f.end <- nil:
				default:
				}
			}
			<-done
		})
		return d
	}
	t.Run("drawn and closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := with(t, nil)
			d.w.open(status.PageDetails)
			synctest.Wait()
			d.w.firstFrame()
			time.Sleep(time.Hour)
			d.w.open(status.PageBalance) // it is open: no second one
			synctest.Wait()
			d.started[0].end <- nil
			synctest.Wait()
			d.w.open(status.PageSettings)
			synctest.Wait()
			if diff := cmp.Diff([]status.Page{status.PageDetails, status.PageSettings}, d.pages); diff != "" || len(d.fallbacks) > 0 {
				t.Errorf("%s; fallbacks %v", diff, d.fallbacks)
			}
		})
	})
	t.Run("nothing drawn: stopped after 8 s, and said another way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := with(t, nil)
			d.w.open(status.PageAuto)
			time.Sleep(framePatience - time.Millisecond)
			synctest.Wait()
			if d.started[0].stopped.Load() {
				t.Error("stopped too soon")
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if !d.started[0].stopped.Load() || len(d.fallbacks) != 1 || !errors.Is(d.fallbacks[0], errNoFrame) {
				t.Errorf("stopped %v, fallbacks %v", d.started[0].stopped.Load(), d.fallbacks)
			}
		})
	})
	t.Run("dies at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := with(t, nil)
			d.w.open(status.PageAuto)
			synctest.Wait()
			d.started[0].end <- errors.New("exit status 3")
			synctest.Wait()
			if len(d.fallbacks) != 1 {
				t.Errorf("fallbacks %v", d.fallbacks)
			}
		})
	})
	t.Run("dies later: nothing to say", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := with(t, nil)
			d.w.open(status.PageAuto)
			synctest.Wait()
			d.w.firstFrame()
			synctest.Wait()
			d.started[0].end <- errors.New("exit status 2")
			synctest.Wait()
			if len(d.fallbacks) != 0 {
				t.Errorf("fallbacks %v", d.fallbacks)
			}
		})
	})
	t.Run("not there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := with(t, errNoDisplay)
			d.w.open(status.PageAuto)
			synctest.Wait()
			if len(d.fallbacks) != 1 || !errors.Is(d.fallbacks[0], errNoDisplay) {
				t.Errorf("fallbacks %v", d.fallbacks)
			}
		})
	})
}

func TestGuestComesOnceAndNeverInterrupts(t *testing.T) {
	ask := func(s status.State, a status.Ask) status.Snapshot { return status.Snapshot{State: s, Ask: a} }
	for name, test := range map[string]struct {
		seen []status.Snapshot
		want []bool
	}{
		"first launch": {[]status.Snapshot{
			ask(status.StateStarting, ""), ask(status.StateSignedOut, ""), ask(status.StateSignedOut, status.AskFirstLaunch),
			ask(status.StateSigningIn, status.AskFirstLaunch), ask(status.StateSignedOut, status.AskFirstLaunch),
		}, []bool{false, false, true, false, false}},
		"kept session ended before log-on": {[]status.Snapshot{
			ask(status.StateStarting, ""), ask(status.StateSignedOut, status.AskSessionEnded),
		}, []bool{false, true}},
		"session ends while at work": {[]status.Snapshot{
			ask(status.StateFollowing, ""), ask(status.StateSignedOut, status.AskSessionEnded),
		}, []bool{false, false}},
		"session ends while at work, and Microsoft was asked first": {[]status.Snapshot{
			ask(status.StateFollowing, ""), ask(status.StateStarting, ""), ask(status.StateSignedOut, status.AskSessionEnded),
		}, []bool{false, false, false}},
		"not vouched for": {[]status.Snapshot{
			ask(status.StateStarting, ""), ask(status.StateSignedOut, status.AskFirstLaunch),
		}, []bool{false, true}},
		"known person": {[]status.Snapshot{ask(status.StateStarting, ""), ask(status.StateFollowing, "")}, []bool{false, false}},
		"a notification asks about a server, the window about signing in": {[]status.Snapshot{
			ask(status.StateStarting, ""), ask(status.StateSignedOut, status.AskConfirmServer), ask(status.StateSignedOut, status.AskFirstLaunch),
		}, []bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			g := guest{toasts: true}
			var got []bool
			for _, s := range test.seen {
				got = append(got, g.invited(s))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWithoutNotificationsTheWindowAsksAboutAServer(t *testing.T) {
	g := guest{}
	if !g.invited(status.Snapshot{State: status.StateSignedOut, Ask: status.AskConfirmServer}) {
		t.Error("nobody would know")
	}
}

func TestCardAtLogOn(t *testing.T) {
	for name, test := range map[string]struct {
		start  config.StartView
		shared bool
		toasts int
		window bool
	}{
		"notification":         {config.StartNotification, false, 1, false},
		"window":               {config.StartWindow, false, 0, true},
		"nothing":              {config.StartNothing, false, 0, false},
		"nothing, but shared":  {config.StartNothing, true, 1, false},
		"window, but a shared": {config.StartWindow, true, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			opened := false
			d := &desktop{
				start: test.start, logger: testLogger(t), toasts: make(chan view.Toast, waitingToasts),
				window: func(status.Page) { opened = true },
			}
			d.tell(view.Toast{ID: cardToast}, test.shared)
			if len(d.toasts) != test.toasts || opened != test.window {
				t.Errorf("%d toasts, window %v", len(d.toasts), opened)
			}
			for range 2 * waitingToasts { // a desktop that takes none holds up nobody
				d.tell(view.Toast{ID: "other"}, false)
			}
		})
	}
}

// The card's ID is tray/view's own; this fails when it changes there.
func TestCardIsKnownByItsID(t *testing.T) {
	l := view.NewLocale("en", func(key string, _ ...string) string { return key }, time.UTC)
	got := view.NewToaster(l).Next(status.Snapshot{
		State: status.StateFollowing, User: &status.User{Username: "alex"}, Balance: &status.Money{Amount: "1.00", Currency: "EUR"}, BalanceAt: time.Now(),
	})
	if len(got) != 1 || got[0].ID != cardToast {
		t.Errorf("got %+v", got)
	}
}

// tray/view knows no session: its notification must say the time that the session gives.
func TestNotificationSaysTheTimeThatIsLeft(t *testing.T) {
	l := view.NewLocale("en", func(key string, args ...string) string { return strings.Join(append(args, key), " ") }, time.UTC)
	got := view.NewToaster(l).Next(status.Snapshot{
		State: status.StateFollowing, User: &status.User{Username: "alex"}, Shared: true, SignOutAt: time.Now().Add(session.SignOutGrace),
	})
	want := fmt.Sprintf("seconds %.0f state.signing_out_in", session.SignOutGrace.Seconds())
	if len(got) != 1 || got[0].Title != want || got[0].Lasts != session.SignOutGrace {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestIdentity(t *testing.T) {
	account := osuser.Account{Raw: "alex.test", Name: "alex.test", Kind: usermap.KindUnknown, Hostname: "desk1"}
	rules, err := usermap.ParseRules("example.org")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config config.Config
		suffix string
		want   string
	}{
		"rule of the computer":             {config.Config{UPNRules: rules}, "", "alex.test@example.org"},
		"suffix of the server":             {config.Config{}, "server.example", "alex.test@server.example"},
		"the computer goes first":          {config.Config{UPNRules: rules}, "server.example", "alex.test@example.org"},
		"neither: the name, to be changed": {config.Config{}, "", "alex.test"},
	} {
		t.Run(name, func(t *testing.T) {
			i := identity{config: test.config, account: func(context.Context) (osuser.Account, error) { return account, nil }}
			who, err := i.Identify(t.Context(), test.suffix)
			if err != nil || who.Prefill != test.want || who.Facts.Kind != "unknown" || who.Account.Short != "alex.test" {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

func TestSharedAccounts(t *testing.T) {
	local := osuser.Account{Raw: "student", Name: "student", Kind: usermap.KindLocal}
	domain := osuser.Account{Raw: `CORP\alex`, Domain: "CORP", Name: "alex", Kind: usermap.KindDomain}
	for name, test := range map[string]struct {
		config  config.Config
		device  ipc.Status
		account osuser.Account
		want    bool
	}{
		"personal computer":             {config.Config{DeviceRole: config.RolePersonal}, ipc.Status{}, local, false},
		"listed":                        {config.Config{SharedOSUsers: []string{"Student"}}, ipc.Status{}, local, true},
		"listed with domain":            {config.Config{SharedOSUsers: []string{`corp\alex`}}, ipc.Status{}, domain, true},
		"not listed":                    {config.Config{SharedOSUsers: []string{"kiosk"}}, ipc.Status{}, local, false},
		"shared computer, generic":      {config.Config{DeviceRole: config.RoleShared}, ipc.Status{}, local, true},
		"shared computer, own account":  {config.Config{DeviceRole: config.RoleShared}, ipc.Status{}, domain, false},
		"shared computer, listed there": {config.Config{DeviceRole: config.RoleShared, SharedOSUsers: []string{"alex"}}, ipc.Status{}, domain, true},
		"shared by its group":           {config.Config{DeviceRole: config.RolePersonal}, ipc.Status{Enrolled: true, Role: "shared"}, local, true},
		"shared group, own account":     {config.Config{DeviceRole: config.RolePersonal}, ipc.Status{Enrolled: true, Role: "shared"}, domain, false},
		"listed by its group":           {config.Config{}, ipc.Status{Enrolled: true, Role: "personal", SharedOSUsers: []string{"student"}}, local, true},
		"personal by its group only":    {config.Config{DeviceRole: config.RoleShared}, ipc.Status{Enrolled: true, Role: "personal"}, local, true},
	} {
		t.Run(name, func(t *testing.T) {
			i := identity{
				config: test.config, account: func(context.Context) (osuser.Account, error) { return test.account, nil },
				deploy: func(context.Context) (ipc.Status, error) { return test.device, nil },
			}
			who, err := i.Identify(t.Context(), "")
			if err != nil || who.Shared != test.want || who.Backed != (test.account.Kind == usermap.KindDomain) {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

func TestOSAccountIsAskedForUntilItIsKnown(t *testing.T) {
	asked := 0
	ask := remembered(func(context.Context) (osuser.Account, error) {
		if asked++; asked == 1 {
			return osuser.Account{}, errors.New("the directory is slow")
		}
		return osuser.Account{Name: "alex"}, nil
	})
	_, first := ask(t.Context())
	for range 3 {
		if account, err := ask(t.Context()); err != nil || account.Name != "alex" {
			t.Errorf("got %+v, %v", account, err)
		}
	}
	if first == nil || asked != 2 {
		t.Errorf("first %v, asked %d times", first, asked)
	}
}

func TestWithoutAServerNobodyIsAsked(t *testing.T) {
	server, err := url.Parse("https://print.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config config.Config
		err    error
		want   status.ProblemCode
	}{
		"set":     {config.Config{ServerURL: server}, nil, status.ProblemNone},
		"not set": {config.Config{}, nil, status.ProblemNotConfigured},
		"broken":  {config.Config{}, errors.New("setting ServerURL=x"), status.ProblemConfig},
	} {
		t.Run(name, func(t *testing.T) {
			got := status.ProblemNone
			if p := unusable(test.config, test.err); p != nil {
				got = p.Code
			}
			if got != test.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// network names a server.
type network string

func (n network) Discover(context.Context) (sources.Found, error) {
	return sources.Found{ServerURL: string(n), Where: "_platen._tcp.evil.example"}, nil
}

func TestErrorsOfTheServerKeepTheirMeaning(t *testing.T) {
	cause := &apiclient.Error{Kind: apiclient.KindAnswer, Code: api.CodeLimited, Problem: status.Problem{Code: status.ProblemLimited, Host: "h"}}
	got, ok := errors.AsType[*session.Error](convert(cause))
	if !ok || got.Code != api.CodeLimited || got.Problem.Code != status.ProblemLimited || !errors.Is(got, error(cause)) {
		t.Errorf("got %+v", got)
	}
	if err := convert(apiclient.ErrSilent); !errors.Is(err, session.ErrSilent) {
		t.Errorf("got %v", err)
	}
	if err := convert(nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestLogIsTurnedAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	l, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	for range 3 * maxLog / len(line) {
		if _, err := l.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{statedir.LogFile, statedir.OldLogFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() > maxLog || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func TestLogThatCannotBeWrittenStopsNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // as after a failed turn
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Write([]byte("lost\n")); n != 5 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

// memoryKeyring is a keyring in a state.
type memoryKeyring struct {
	state tokenstore.State
	kept  map[string]string
}

func (m *memoryKeyring) Probe(context.Context) tokenstore.Availability {
	return tokenstore.Availability{State: m.state, Reason: "as the test wants it"}
}

func (m *memoryKeyring) Get(_, account string) (string, error) {
	if text, ok := m.kept[account]; ok {
		return text, nil
	}
	return "", keyring.ErrNotFound
}

func (m *memoryKeyring) Set(_, account, text string) error { m.kept[account] = text; return nil }
func (m *memoryKeyring) Delete(_, account string) error    { delete(m.kept, account); return nil }

func TestVault(t *testing.T) {
	dir := t.TempDir()
	ring := &memoryKeyring{state: tokenstore.Available, kept: map[string]string{}}
	open := func() vault {
		return vault{open: once(func(ctx context.Context) (*tokenstore.Store, error) {
			return tokenstore.Open(ctx, tokenstore.Options{Dir: dir, ServerURL: "https://print.example.org", OSUser: "uid:1", Keyring: ring, Log: testLogger(t)}), nil
		})}
	}
	v := open()
	if kept, state, err := v.Load(t.Context()); kept != nil || state != status.KeyringOK || err != nil {
		t.Fatalf("empty: %v, %q, %v", kept, state, err)
	}
	if note, err := v.LoadNote(t.Context()); note != nil || err != nil {
		t.Fatalf("no note: %v, %v", note, err)
	}
	user := api.User{ID: "u1", Username: "alex.test@example.org"}
	if state, err := v.Save(t.Context(), session.Kept{Refresh: secret.New("r1"), User: user}); state != status.KeyringOK || err != nil {
		t.Fatalf("save: %q, %v", state, err)
	}
	note := session.Note{User: user, Balance: api.Balance{Amount: "12.34", Version: 7}, At: time.Now().UTC().Truncate(time.Second)}
	if err := v.SaveNote(t.Context(), note); err != nil {
		t.Fatal(err)
	}

	v = open() // the next log-on
	kept, state, err := v.Load(t.Context())
	if err != nil || state != status.KeyringOK || kept == nil || kept.Refresh.Reveal() != "r1" || kept.User != user {
		t.Errorf("load: %+v, %q, %v", kept, state, err)
	}
	if got, err := v.LoadNote(t.Context()); err != nil || got == nil || got.Balance != note.Balance || got.User != user || !got.At.Equal(note.At) {
		t.Errorf("note: %+v, %v", got, err)
	}

	ring.state = tokenstore.Locked
	if kept, state, _ := open().Load(t.Context()); kept != nil || state != status.KeyringLocked {
		t.Errorf("locked: %v, %q", kept, state)
	}
	ring.state = tokenstore.Available
	if err := v.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, _, err := open().Load(t.Context()); kept != nil || err != nil {
		t.Errorf("cleared: %v, %v", kept, err)
	}

	ring.state = tokenstore.Missing
	if state, err := open().Save(t.Context(), session.Kept{Refresh: secret.New("r1"), User: user}); state != status.KeyringMissing || err != nil {
		t.Errorf("missing: %q, %v", state, err)
	}
}
