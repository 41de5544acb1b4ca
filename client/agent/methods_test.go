package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/auth/browser"
	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
)

// fakeService is platen-deploy.
type fakeService struct {
	state ipc.Status
	err   error
	asked int
}

func (f *fakeService) Status(context.Context) (ipc.Status, error) {
	f.asked++
	return f.state, f.err
}

func (f *fakeService) Assert(_ context.Context, challenge string) (api.TrustCode, error) {
	f.asked++
	return api.TrustCode{Code: "code for " + challenge}, f.err
}

func TestDeploy(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	f := &fakeService{state: ipc.Status{Enrolled: true, Role: "shared", AuthModes: []string{"trust", "microsoft"}}}
	var dialErr error
	d := &deploy{
		dial:  func(context.Context) (service, error) { return f, dialErr },
		clock: func() time.Time { return now }, logger: testLogger(t),
	}
	want := session.Policy{Enrolled: true, AuthModes: []string{"trust", "microsoft"}}
	for range 3 {
		if got, err := d.Policy(t.Context()); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if s, err := d.status(t.Context()); err != nil || s.Role != "shared" || f.asked != 1 {
		t.Errorf("%+v, %v; asked %d times", s, err, f.asked)
	}
	if code, err := d.Vouch(t.Context(), "me"); err != nil || code.Reveal() != "code for me" {
		t.Errorf("%q, %v", code.Reveal(), err)
	}
	now = now.Add(time.Minute)
	f.state = ipc.Status{Enrolment: ipc.EnrolmentRevoked, AuthModes: []string{"trust"}}
	if got, err := d.Policy(t.Context()); err != nil || !cmp.Equal(session.Policy{}, got) {
		t.Errorf("revoked: %+v, %v", got, err)
	}
	now = now.Add(time.Minute)
	dialErr = &ipc.Error{Code: ipc.CodeNotRunning}
	if got, err := d.Policy(t.Context()); err == nil || !cmp.Equal(session.Policy{}, got) {
		t.Errorf("not running: %+v, %v", got, err)
	}
	if _, err := d.Vouch(t.Context(), "me"); err == nil {
		t.Error("nobody vouched")
	}
}

// said is an error of the session in short.
func said(err error) string {
	if e, ok := errors.AsType[*session.Error](err); ok {
		return fmt.Sprintf("%s %s %s %s", e.Code, e.Problem.Code, e.Problem.Method, e.Problem.Sentence)
	}
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	return fmt.Sprint(err)
}

func TestRefusalsKeepTheirMeaning(t *testing.T) {
	refused := func(r aadsts.Response) error {
		return &microsoft.Error{Kind: microsoft.Refused, Verdict: aadsts.Classify(r)}
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"service: refused":         {notVouched(&ipc.Error{Code: ipc.CodeRefused}), "trust_refused trust_refused  "},
		"service: refused, why":    {notVouched(&ipc.Error{Code: ipc.CodeRefused, API: api.CodeAccountDisabled}), "account_disabled trust_refused  "},
		"service: revoked":         {notVouched(&ipc.Error{Code: ipc.CodeRevoked}), "device_unknown trust_refused  "},
		"service: unreachable":     {notVouched(&ipc.Error{Code: ipc.CodeUnreachable}), " unreachable  "},
		"service: clock":           {notVouched(&ipc.Error{Code: ipc.CodeClock}), " clock  "},
		"service: certificate":     {notVouched(&ipc.Error{Code: ipc.CodeCertificate}), " certificate  "},
		"service: not running":     {notVouched(&ipc.Error{Code: ipc.CodeNotRunning}), " trust_refused  "},
		"browser: nothing":         {notBrowsed(nil), "<nil>"},
		"browser: the person":      {notBrowsed(&browser.RefusedError{Code: api.BrowserErrorCancelled}), "cancelled"},
		"browser: nobody here":     {notBrowsed(&browser.RefusedError{Code: api.BrowserErrorNoAccount}), " no_account  "},
		"browser: disabled":        {notBrowsed(&browser.RefusedError{Code: api.BrowserErrorDisabled}), " account_disabled  "},
		"browser: provider down":   {notBrowsed(&browser.RefusedError{Code: api.BrowserErrorUnavailable}), " provider_unreachable  "},
		"browser: provider broken": {notBrowsed(&browser.RefusedError{Code: api.BrowserErrorFailed}), " provider  "},
		"browser: no port":         {notBrowsed(fmt.Errorf("x: %w", browser.ErrListen)), " no_browser  "},
		"browser: a bad address":   {notBrowsed(fmt.Errorf("x: %w", browser.ErrAddress)), " server  "},
		"browser: given up":        {notBrowsed(context.Canceled), "cancelled"},
		"Microsoft: the person":    {notByMicrosoft(refused(aadsts.Response{Error: "access_denied"})), "cancelled"},
		"Microsoft: given up":      {notByMicrosoft(&microsoft.Error{Kind: microsoft.Cancelled}), "cancelled"},
		"Microsoft: unreachable":   {notByMicrosoft(&microsoft.Error{Kind: microsoft.Unreachable}), " provider_unreachable  "},
		"Microsoft: no browser":    {notByMicrosoft(&microsoft.Error{Kind: microsoft.NoBrowser}), " no_browser  "},
		"Microsoft: no port":       {notByMicrosoft(&microsoft.Error{Kind: microsoft.NoPort}), " no_browser  "},
		"Microsoft: wrong state":   {notByMicrosoft(&microsoft.Error{Kind: microsoft.BadAnswer}), " provider  "},
		"Microsoft: too late":      {notByMicrosoft(&microsoft.Error{Kind: microsoft.TimedOut}), " timed_out  "},
		"Microsoft: our mistake":   {notByMicrosoft(&microsoft.Error{Kind: microsoft.BadConfig}), " provider  "},
		"something else":           {notByMicrosoft(errSomebodyElse), errSomebodyElse.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Every refusal of Entra ID has a problem that people are told about, and keeps its own sentence.
func TestRefusalsOfEntraHaveWords(t *testing.T) {
	for kind, want := range map[aadsts.Kind]status.ProblemCode{
		aadsts.Disabled: status.ProblemAccountDisabled, aadsts.ConsentRequired: status.ProblemConsentRequired, aadsts.DeviceBlocked: status.ProblemDeviceBlocked,
		aadsts.MFARequired: status.ProblemMFARequired, aadsts.OtherTenant: status.ProblemNoAccount, aadsts.NotAssigned: status.ProblemNoAccount,
		aadsts.Locked: status.ProblemLimited, aadsts.PasswordExpired: status.ProblemPasswordExpired, aadsts.Unavailable: status.ProblemProviderUnreachable,
		aadsts.Misconfigured: status.ProblemProvider, aadsts.Unknown: status.ProblemProvider, "of tomorrow": status.ProblemProvider,
	} {
		err := notByMicrosoft(&microsoft.Error{Kind: microsoft.Refused, Verdict: aadsts.Verdict{Kind: kind, Sentence: "microsoft.x", Method: "prompt"}})
		if got := fmt.Sprintf(" %s prompt microsoft.x", want); said(err) != got {
			t.Errorf("%s: got %q, want %q", kind, said(err), got)
		}
	}
}

func TestOnlyKnownAuthorities(t *testing.T) {
	site := func(authority string) api.MicrosoftConfig { return api.MicrosoftConfig{Authority: authority} }
	emulator := &url.URL{Scheme: "https", Host: "127.0.0.1:8443"}
	for authority, want := range map[string][2]bool{ // without and with the setting
		"https://login.microsoftonline.com/t":         {true, true},
		"https://127.0.0.1:8443/t":                    {false, true},
		"https://127.0.0.1:8444/t":                    {false, false},
		"http://127.0.0.1:8443/t":                     {false, false},
		"https://login.microsoftonline.com.evil.ex/t": {false, false},
		"::": {false, false},
	} {
		got := [2]bool{(&entra{}).Allowed(site(authority)), (&entra{extra: emulator}).Allowed(site(authority))}
		if got != want {
			t.Errorf("%s: got %v, want %v", authority, got, want)
		}
	}
}

// disk is a token store's place for Microsoft's library.
type disk struct {
	data  []byte
	calls int
}

func (d *disk) Load(context.Context) ([]byte, error) { d.calls++; return d.data, nil }
func (d *disk) Save(_ context.Context, data []byte) error {
	d.calls++
	d.data = data
	return nil
}

func TestMicrosoftIsKeptOnlyWhenTheSessionIs(t *testing.T) {
	d, shared := &disk{}, false
	fresh := func() *entraCache {
		return &entraCache{
			store: func(context.Context) (microsoft.Cache, error) { return d, nil }, shared: func(context.Context) bool { return shared },
		}
	}
	ctx := t.Context()
	c := fresh()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Save(ctx, []byte("first")))
	if got, _ := c.Load(ctx); string(got) != "first" || d.data != nil {
		t.Errorf("in memory %q, on disk %q", got, d.data)
	}
	must(c.keep(ctx))
	must(c.Save(ctx, []byte("renewed")))
	if string(d.data) != "renewed" {
		t.Errorf("on disk %q", d.data)
	}
	c = fresh() // another run
	if got, _ := c.Load(ctx); string(got) != "renewed" {
		t.Errorf("after a restart %q", got)
	}
	must(c.Save(ctx, []byte("again")))
	if string(d.data) != "again" {
		t.Errorf("on disk %q: what was kept goes on to be kept", d.data)
	}
	c = fresh() // a run that never used it
	must(c.forget(ctx))
	if d.data != nil {
		t.Errorf("on disk %q after it was forgotten", d.data)
	}
	shared, d.calls = true, 0
	c = fresh()
	must(c.Save(ctx, []byte("somebody")))
	must(c.keep(ctx))
	if got, _ := c.Load(ctx); string(got) != "somebody" {
		t.Errorf("in memory %q", got)
	}
	must(c.forget(ctx))
	if got, _ := c.Load(ctx); got != nil || d.calls != 0 {
		t.Errorf("a shared computer: %q in memory, %d calls of the store", got, d.calls)
	}
}
