package machine

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine/machinetest"
	"github.com/platenprint/platen/printqueue/statedir"
)

// by is the wish of settings that name a server and its pin.
func by(s *machinetest.Server) Wish {
	return Wish{ServerURL: s.URL(), Origin: "policy", Pins: []api.Pin{s.Pin()}}
}

func withToken(w Wish, text string) Wish {
	w.Token = secret.New(text)
	return w
}

func enrolments(s *machinetest.Server) (n int, tokens int) {
	s.Change(func(s *machinetest.Server) {
		n = len(s.Enrolments)
		for _, e := range s.Enrolments {
			if e.Token != "" {
				tokens++
			}
		}
	})
	return n, tokens
}

func approve(s *machinetest.Server) { s.Change(func(s *machinetest.Server) { s.Approve = true }) }

func once(t *testing.T, m *Machine, times int) {
	t.Helper()
	for range times {
		if err := m.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func pool(s *machinetest.Server) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(s.CA()))
	return p
}

func TestE9_SettingsAloneMakeADevice(t *testing.T) {
	for name, tc := range map[string]struct {
		wish func(s *machinetest.Server) Wish
		opts func(s *machinetest.Server, o *Options)
	}{
		"pin":          {by, nil},
		"several pins": {func(s *machinetest.Server) Wish { w := by(s); w.Pins = append([]api.Pin{{1}}, w.Pins...); return w }, nil},
		"CA file":      {func(s *machinetest.Server) Wish { return Wish{ServerURL: s.URL(), CA: s.CA()} }, nil},
		"both":         {func(s *machinetest.Server) Wish { w := by(s); w.CA = s.CA(); return w }, nil},
		"system store": {func(s *machinetest.Server) Wish { return Wish{ServerURL: s.URL()} }, func(s *machinetest.Server, o *Options) { o.Roots = pool(s) }},
		"system store, no pin said": {
			func(s *machinetest.Server) Wish { s.WellKnown.CAPins = nil; return Wish{ServerURL: s.URL()} },
			func(s *machinetest.Server, o *Options) { o.Roots = pool(s) },
		},
		"whole address": {func(s *machinetest.Server) Wish { s.WellKnown.DeviceAddress = s.Address(); return by(s) }, nil},
	} {
		for _, role := range []string{"personal", "shared"} {
			t.Run(name+", "+role, func(t *testing.T) {
				s := machinetest.New(t)
				s.State.Role = role
				c := newComputer(t)
				if tc.opts != nil {
					c.opts = func(o *Options) { tc.opts(s, o) }
				}
				wish := tc.wish(s)
				m := c.start()
				m.Want(wish, nil)
				once(t, m, 1)
				st := m.Status()
				if st.Enrolment != ipc.EnrolmentPending || st.Fingerprint == "" || st.Wanted != s.URL() || st.WantedBy != wish.Origin || st.Problem != "" {
					t.Fatalf("before the approval: %+v", st)
				}
				m = c.start() // the computer is restarted, and asks with the same key
				m.Want(wish, nil)
				once(t, m, 1)
				if again := m.Status(); again.Fingerprint != st.Fingerprint {
					t.Errorf("another key after a restart")
				}
				approve(s)
				once(t, m, 3)
				if st = m.Status(); !st.Enrolled || st.Role != role || st.Problem != "" {
					t.Errorf("after the approval: %+v", st)
				}
				if n, tokens := enrolments(s); n != 3 || tokens != 0 {
					t.Errorf("%d enrolments, %d by token", n, tokens)
				}
				if got := m.now().Device.Server; got.URL != s.URL() {
					t.Errorf("the device is at %+v", got)
				}
			})
		}
	}
}

func TestE9_NothingIsSentToAServerThatIsNotTheOne(t *testing.T) {
	s, stranger := machinetest.New(t), machinetest.New(t)
	page := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>Log in to the guest network"))
	}
	away := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger.URL()+r.URL.Path, http.StatusFound)
	}
	known := func(edit func(*api.WellKnown)) func(*machinetest.Server) {
		return func(s *machinetest.Server) { edit(&s.WellKnown) }
	}
	for name, tc := range map[string]struct {
		wish   Wish
		change func(*machinetest.Server)
		code   ipc.Code
		say    string
	}{
		"a wrong pin":                     {Wish{ServerURL: s.URL(), Pins: []api.Pin{stranger.Pin()}}, nil, ipc.CodeCertificate, "the pin of CAPin"},
		"a wrong CA":                      {Wish{ServerURL: s.URL(), CA: stranger.CA()}, nil, ipc.CodeCertificate, "set CAPin to the pin"},
		"no trust at all":                 {Wish{ServerURL: s.URL()}, nil, ipc.CodeCertificate, "set CAPin to the pin"},
		"a pin that CAFile does not have": {Wish{ServerURL: s.URL(), CA: s.CA(), Pins: []api.Pin{stranger.Pin()}}, nil, ipc.CodeInvalid, "no certificate of CAFile"},
		"a page":                          {by(s), func(s *machinetest.Server) { s.Front = page }, ipc.CodeServer, "check ServerURL"},
		"sent elsewhere":                  {by(s), func(s *machinetest.Server) { s.Front = away }, ipc.CodeServer, "set ServerURL to where the server is"},
		"another product":                 {by(s), known(func(w *api.WellKnown) { w.Product = "other" }), ipc.CodeServer, "not a Platen server's"},
		"a later version":                 {by(s), known(func(w *api.WellKnown) { w.V = 2 }), ipc.CodeServer, "version 2"},
		"takes no devices":                {by(s), known(func(w *api.WellKnown) { w.DeviceAddress = "" }), ipc.CodeServer, "no computer can be a device of it"},
		"no address":                      {by(s), known(func(w *api.WellKnown) { w.DeviceAddress = "a b:1" }), ipc.CodeServer, "no address"},
		"no port":                         {by(s), known(func(w *api.WellKnown) { w.DeviceAddress = "print.example.org:0" }), ipc.CodeServer, "no address"},
		"a listener of somebody":          {by(s), known(func(w *api.WellKnown) { w.DeviceAddress = stranger.Address() }), ipc.CodeCertificate, "at " + stranger.Address()},
		"down":                            {by(s), func(s *machinetest.Server) { s.Down = true }, ipc.CodeServer, "check ServerURL"},
		"not there":                       {Wish{ServerURL: "https://127.0.0.1:1", Pins: []api.Pin{s.Pin()}}, nil, ipc.CodeUnreachable, "at 127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.WellKnown
			s.Change(func(s *machinetest.Server) { s.Front, s.Down = nil, false; s.Approve = true })
			if tc.change != nil {
				s.Change(tc.change)
			}
			c := newComputer(t)
			m := c.start()
			m.Want(tc.wish, nil)
			err := m.Once(t.Context())
			if st := m.Status(); err == nil || ipc.CodeOf(err) != tc.code || st.Problem != tc.code || !strings.Contains(st.Detail, tc.say) || st.Enrolled {
				t.Errorf("got %v; status %+v", err, st)
			}
			for _, server := range []*machinetest.Server{s, stranger} {
				if n, _ := enrolments(server); n > 0 {
					t.Errorf("%d enrolments were sent", n)
				}
			}
			// Put right, it goes on by itself.
			s.Change(func(s *machinetest.Server) { s.Front, s.Down, s.WellKnown = nil, false, before })
			m.Want(by(s), nil)
			once(t, m, 3)
			if st := m.Status(); !st.Enrolled || st.Problem != "" {
				t.Errorf("put right: %+v", st)
			}
			s.Change(func(s *machinetest.Server) { s.Enrolments = nil })
		})
	}
}

func TestE9_ThePolicysTokenIsUsedOnce(t *testing.T) {
	s := machinetest.New(t)
	c := newComputer(t)
	wish := withToken(by(s), s.Token(machinetest.Secret))
	m := c.start()
	m.Want(wish, nil)
	once(t, m, 3)
	if st := m.Status(); !st.Enrolled || st.Problem != "" {
		t.Fatalf("got %+v", st)
	}
	m = c.start()
	m.Want(wish, nil)
	once(t, m, 2)
	// An administrator throws the computer out: the token that is still in the policy does not bring it back.
	s.Change(func(s *machinetest.Server) { s.Revoked["dev1"] = true })
	for range 3 {
		_ = m.Once(t.Context())
	}
	if n, tokens := enrolments(s); n != 1 || tokens != 1 || m.Status().Enrolled {
		t.Errorf("%d enrolments, %d by token, %+v", n, tokens, m.Status())
	}
	// A new one does.
	m.Want(withToken(by(s), s.Token(machinetest.Secret)+"\n "), nil)
	once(t, m, 2)
	if st := m.Status(); !st.Enrolled || st.DeviceID != "dev2" {
		t.Errorf("with a new token: %+v", st)
	}
	if text, err := os.ReadFile(filepath.Join(c.dir.Path(), statedir.DeviceFile)); err != nil || strings.Contains(string(text), machinetest.Secret) {
		t.Errorf("the record has the token (%v)", err)
	}
}

func TestE9_ASpentTokenLeadsToApproval(t *testing.T) {
	spent := api.EnrolmentSecretPrefix + "canaryspentxxxxxxxxxxxxxxx"
	for name, tc := range map[string]struct {
		wish func(s *machinetest.Server) Wish
		say  string
	}{
		"spent":                {func(s *machinetest.Server) Wish { return withToken(by(s), s.Token(spent)) }, "asks for approval instead"},
		"spent, and no server": {func(s *machinetest.Server) Wish { return withToken(Wish{}, s.Token(spent)) }, "asks for approval instead"},
		"no token at all":      {func(s *machinetest.Server) Wish { return withToken(by(s), "hunter2canary") }, "write the enrolment token as the server printed it"},
	} {
		t.Run(name, func(t *testing.T) {
			s := machinetest.New(t)
			c := newComputer(t)
			m := c.start()
			m.Want(tc.wish(s), nil)
			once(t, m, 3)
			st := m.Status()
			if st.Enrolment != ipc.EnrolmentPending || st.Problem == "" || !strings.Contains(st.Detail, tc.say) || strings.Contains(st.Detail, "canary") {
				t.Errorf("got %+v", st)
			}
			m = c.start()
			m.Want(tc.wish(s), nil)
			once(t, m, 2)
			if _, tokens := enrolments(s); tokens > 1 {
				t.Errorf("the token was tried %d times", tokens)
			}
			if n := strings.Count(c.log.String(), "the policy's enrolment token was of no use"); n != 1 {
				t.Errorf("logged %d times", n)
			}
			approve(s)
			once(t, m, 3)
			if st := m.Status(); !st.Enrolled || st.Problem != "" {
				t.Errorf("approved: %+v", st)
			}
		})
	}
	t.Run("a server that does not answer spends no token", func(t *testing.T) {
		s := machinetest.New(t)
		s.Down = true
		m := newComputer(t).start()
		m.Want(withToken(by(s), s.Token(machinetest.Secret)), nil)
		if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeServer {
			t.Fatal(err)
		}
		s.Change(func(s *machinetest.Server) { s.Down = false })
		once(t, m, 2)
		if n, tokens := enrolments(s); !m.Status().Enrolled || n != 1 || tokens != 1 {
			t.Errorf("%+v after %d enrolments, %d by token", m.Status(), n, tokens)
		}
	})
}

func TestE9_APolicyThatGoesAwayEndsTheWaiting(t *testing.T) {
	s := machinetest.New(t)
	m := newComputer(t).start()
	m.Want(by(s), nil)
	once(t, m, 1)
	m.Want(Wish{}, nil)
	once(t, m, 2)
	if st := m.Status(); st.Enrolment != ipc.EnrolmentNone || st.Fingerprint != "" || st.Wanted != "" {
		t.Errorf("got %+v", st)
	}
	// Who is a device stays one.
	approve(s)
	m.Want(by(s), nil)
	once(t, m, 2)
	m.Want(Wish{}, nil)
	once(t, m, 2)
	if !m.Status().Enrolled {
		t.Error("the enrolment was thrown away with the policy")
	}
}

// Two tools that overwrite each other, or a second pin: the administrator's list has the computer once, with the fingerprint that
// was read out to them.
func TestAPolicyThatSwingsAsksWithTheSameKey(t *testing.T) {
	a, b := machinetest.New(t), machinetest.New(t)
	m := newComputer(t).start()
	both := by(a)
	both.Pins = append(both.Pins, b.Pin())
	prints := map[string]bool{}
	for _, wish := range []Wish{by(a), by(b), by(a), {}, by(a), both, by(b), by(a)} {
		m.Want(wish, nil)
		once(t, m, 1)
		if wish.ServerURL == a.URL() {
			prints[m.Status().Fingerprint] = true
		}
	}
	if len(prints) != 1 {
		t.Errorf("%d keys at the same server", len(prints))
	}
	if keys := keysOf(a); len(keys) != 1 {
		t.Errorf("the server saw %d keys", len(keys))
	}
	for csr := range keysOf(a) {
		if keysOf(b)[csr] {
			t.Error("two servers know the computer by the same key")
		}
	}
	approve(a)
	once(t, m, 2)
	if err := m.Forget(); err != nil {
		t.Fatal(err)
	}
	if m.aside != nil {
		t.Error("keys are left after forgetting")
	}
}

// keysOf are the keys that a server was asked with.
func keysOf(s *machinetest.Server) map[string]bool {
	keys := map[string]bool{}
	s.Change(func(s *machinetest.Server) {
		for _, e := range s.Enrolments {
			block, _ := pem.Decode([]byte(e.CSR))
			if request, err := x509.ParseCertificateRequest(block.Bytes); err == nil {
				keys[string(request.RawSubjectPublicKeyInfo)] = true
			}
		}
	})
	return keys
}

func TestE9_SettingsThatCannotBeUnderstoodChangeNothing(t *testing.T) {
	s := machinetest.New(t)
	m := newComputer(t).start()
	m.Want(by(s), nil)
	once(t, m, 1)
	print1 := m.Status().Fingerprint
	m.Want(Wish{}, ipc.Fail(ipc.CodeInvalid, "setting CAPin=x (policy): is not a pin", nil))
	once(t, m, 1)
	if st := m.Status(); st.Fingerprint != print1 || st.Enrolment != ipc.EnrolmentPending || st.Wanted != s.URL() || !strings.Contains(st.Detail, "CAPin=x") {
		t.Errorf("got %+v", st)
	}
}

func TestE9_AChangedPolicyMovesTheComputerWithoutAGap(t *testing.T) {
	old, next := machinetest.New(t), machinetest.New(t)
	old.Approve = true
	m := newComputer(t).start()
	m.Want(by(old), nil)
	once(t, m, 2)
	// The new server cannot be reached at first: the old one hears of the computer all the same.
	next.Change(func(s *machinetest.Server) { s.Down = true })
	m.Want(by(next), nil)
	reports := func() (n int) {
		old.Change(func(s *machinetest.Server) { n = len(s.Reports) })
		return n
	}
	before := reports()
	if err := m.Once(t.Context()); err == nil || reports() != before+1 || !m.Status().Enrolled {
		t.Errorf("unreachable: %v, %d reports after %d, %+v", err, reports(), before, m.Status())
	}
	next.Change(func(s *machinetest.Server) { s.Down = false })
	once(t, m, 1)
	if st := m.Status(); !st.Enrolled || st.ServerURL != "https://"+old.Address() || st.Wanted != next.URL() {
		t.Errorf("pending at the new one: %+v", st)
	}
	if _, err := m.Assert(t.Context(), alex, challenge); err != nil {
		t.Errorf("the old one vouches until then: %v", err)
	}
	approve(next)
	once(t, m, 2)
	if st := m.Status(); !st.Enrolled || st.ServerURL != "https://"+next.Address() {
		t.Errorf("approved at the new one: %+v", st)
	}
	// And while it waited, it may be sent on.
	third := machinetest.New(t)
	m.Want(by(third), nil)
	once(t, m, 1)
	m.Want(by(next), nil)
	once(t, m, 1)
	if st := m.Status(); st.ServerURL != "https://"+next.Address() || m.now().Next != nil {
		t.Errorf("back again: %+v", st)
	}
}

func TestE9_AServerThatWasSetUpAnewIsJoinedWhenTheSettingsSaySo(t *testing.T) {
	old, anew := machinetest.New(t), machinetest.New(t)
	old.Approve, anew.Approve = true, true
	m := newComputer(t).start()
	wish := by(old)
	m.Want(wish, nil)
	once(t, m, 2)
	// The same address, and another authority: somebody else, as long as the settings do not say so.
	if err := m.change(func(r *record) { r.Device.Server.Address, r.Device.Server.URL = anew.Address(), anew.URL() }); err != nil {
		t.Fatal(err)
	}
	use, err := m.connect(*m.now().Device)
	if err != nil {
		t.Fatal(err)
	}
	use()
	wish.ServerURL = anew.URL()
	m.Want(wish, nil)
	for range 4 {
		if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeCertificate {
			t.Fatalf("got %v", err)
		}
	}
	if n, _ := enrolments(anew); n != 0 {
		t.Fatalf("%d enrolments at a server that is not believed", n)
	}
	m.Want(by(anew), nil)
	await(t, "the new enrolment", func() bool { return m.Once(t.Context()) == nil && m.Status().Problem == "" })
	if n, _ := enrolments(anew); n != 1 || !m.Status().Enrolled {
		t.Errorf("%d enrolments, %+v", n, m.Status())
	}
	// Another pin beside the right one changes nothing.
	more := by(anew)
	more.Pins = append(more.Pins, api.Pin{1})
	m.Want(more, nil)
	once(t, m, 2)
	if n, _ := enrolments(anew); n != 1 {
		t.Errorf("%d enrolments", n)
	}
}

func TestAListenerThatMovedIsFoundAgain(t *testing.T) {
	s := machinetest.New(t)
	s.Approve = true
	c := newComputer(t)
	m := c.start()
	m.Want(by(s), nil)
	once(t, m, 2)
	gone := func(r *record) { r.Device.Server.Address = "127.0.0.1:1" }
	if err := m.change(gone); err != nil {
		t.Fatal(err)
	}
	m = c.start()
	m.Want(by(s), nil)
	for range mostMissed - 1 {
		if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeUnreachable {
			t.Fatalf("got %v", err)
		}
	}
	once(t, m, 1)
	if n, _ := enrolments(s); n != 1 || m.Status().ServerURL != "https://"+s.Address() || m.Status().Problem != "" {
		t.Errorf("%d enrolments, %+v", n, m.Status())
	}
	// A computer that was enrolled by hand asks nobody.
	if err := m.change(func(r *record) { gone(r); r.Device.Server.URL = "" }); err != nil {
		t.Fatal(err)
	}
	m = c.start()
	for range mostMissed + 1 {
		if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeUnreachable {
			t.Fatalf("got %v", err)
		}
	}
}

func TestWhatWasEnrolledByHandIsRecognised(t *testing.T) {
	s := machinetest.New(t)
	_, m := enrolled(t, s)
	m.Want(by(s), nil)
	once(t, m, 2)
	if n, _ := enrolments(s); n != 1 || m.now().Device.Server.URL != s.URL() {
		t.Errorf("%d enrolments, %+v", n, m.now().Device.Server)
	}
	// By another name, by its own authority.
	other := machinetest.New(t)
	_, m2 := enrolled(t, other)
	if err := m2.change(func(r *record) { r.Device.Server.Address = "print.example.org:8445" }); err != nil {
		t.Fatal(err)
	}
	if try, err := m2.pursue(t.Context(), by(other)); err == nil || try.Key != "" || m2.now().Device.Server.URL != other.URL() {
		t.Errorf("got %+v, %v", try.Server, err)
	}
	// An authority that made the certificates of other servers, too, does not say which one this is.
	company := machinetest.New(t)
	_, m4 := enrolled(t, company)
	company.Change(func(s *machinetest.Server) { s.WellKnown.CAPins = nil })
	if err := m4.change(func(r *record) { r.Device.Server.Address = "print.example.org:8445" }); err != nil {
		t.Fatal(err)
	}
	if try, err := m4.pursue(t.Context(), by(company)); err != nil || try.Server.Address != company.Address() || m4.now().Device.Server.URL != "" {
		t.Errorf("another server of the same authority: %+v, %v", try.Server, err)
	}
	// A server that says nothing of itself (an older one) is no reason to leave it.
	old := machinetest.New(t)
	_, m3 := enrolled(t, old)
	old.Change(func(s *machinetest.Server) { s.Front = http.NotFound })
	m3.Want(by(old), nil)
	once(t, m3, 2)
	if st := m3.Status(); !st.Enrolled || st.Problem != "" {
		t.Errorf("an older server: %+v", st)
	}
}

func TestByHandComesFirst(t *testing.T) {
	s, hand := machinetest.New(t), machinetest.New(t)
	c := newComputer(t)
	m := c.start()
	m.Want(by(s), nil)
	once(t, m, 1)
	c.token(hand.Token("")) // platen-deploy enrol --server
	once(t, m, 2)
	if n, _ := enrolments(s); n != 1 || m.now().Next.Server.Address != hand.Address() {
		t.Errorf("%d enrolments at the settings' server, waiting at %s", n, m.now().Next.Server.Address)
	}
}

func TestE9_ACloneAsksWhereTheSettingsSay(t *testing.T) {
	old, s := machinetest.New(t), machinetest.New(t)
	s.Approve = true
	c, m := enrolled(t, old)
	key := m.now().Device.Key
	c.id = newIdentity("install-2", "5c4c4544-0042-3510-8052-b4c04f563433") // another computer has the disk's copy
	m = c.start()
	m.Want(by(s), nil)
	once(t, m, 2)
	if st := m.Status(); !st.Enrolled || st.ServerURL != "https://"+s.Address() || m.now().Device.Key == key {
		t.Errorf("got %+v", st)
	}
	if n, _ := enrolments(old); n != 1 {
		t.Errorf("%d enrolments at the old server", n)
	}
}

func TestRunFollowsTheSettingsAtOnce(t *testing.T) {
	s := machinetest.New(t)
	s.Approve = true
	c := newComputer(t)
	c.opts = func(o *Options) { o.Every, o.Retry = time.Hour, time.Hour }
	m := c.start()
	done := make(chan struct{})
	go func() { defer close(done); m.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	m.Want(Wish{ServerURL: "https://127.0.0.1:1", Pins: []api.Pin{s.Pin()}}, nil)
	await(t, "a problem", func() bool {
		return m.Status().Problem == ipc.CodeUnreachable && m.Status().NextTry.After(time.Now().Add(time.Minute))
	})
	m.Want(by(s), nil)
	await(t, "the device", func() bool { return m.Status().Enrolled && m.Status().Problem == "" })
}
