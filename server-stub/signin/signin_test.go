package signin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

const right, wrong = "the-right-canary-password", "a-wrong-canary-password"

// domain is a directory that locks accounts as Active Directory does: after threshold failures of which each came less
// than window after the one before; success resets.
type domain struct {
	now       func() time.Time
	threshold int
	window    time.Duration

	mu       sync.Mutex
	failures map[string]int
	last     map[string]time.Time
	locked   bool
	binds    int
	answer   error                                            // instead of checking
	hook     func(ctx context.Context, password string) error // before checking
}

func (d *domain) ID() core.SourceID { return "corp" }
func (d *domain) Read(context.Context, directory.Request, directory.Sink) (directory.Reading, error) {
	return directory.Reading{}, errors.New("not asked")
}
func (d *domain) Check(context.Context) (string, error) { return "", errors.New("not asked") }

func (d *domain) CheckPassword(ctx context.Context, _ core.IdentityKind, key string, password secret.String) error {
	if d.hook != nil {
		if err := d.hook(ctx, password.Reveal()); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.binds++
	if d.answer != nil {
		return d.answer
	}
	if d.now().Sub(d.last[key]) >= d.window {
		d.failures[key] = 0
	}
	if password.Reveal() == right && d.failures[key] < d.threshold {
		d.failures[key] = 0
		return nil
	}
	d.failures[key]++
	d.last[key] = d.now()
	if d.failures[key] >= d.threshold {
		d.locked = true
	}
	return core.ErrWrongCredentials
}

type fixture struct {
	t       testing.TB
	at      atomic.Int64
	store   store.Store
	hasher  *passhash.Hasher
	users   *users.Service
	domain  *domain
	lockout signin.Lockout
	rules   names.Rules
	link    signin.LinkPolicy
	log     *syncBuffer
	s       *signin.Service
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, store: storetest.OpenSQLite(t), hasher: passhash.New(passhash.Params{Time: 1, MemoryKiB: 8, Parallelism: 1}), log: &syncBuffer{}}
	f.at.Store(start.UnixNano())
	f.domain = &domain{now: f.now, threshold: 3, window: 30 * time.Minute, failures: map[string]int{}, last: map[string]time.Time{}}
	suffix, err := usermap.ParseRules("example.org")
	if err != nil {
		t.Fatal(err)
	}
	f.rules = names.Rules{Suffix: suffix, Domains: []names.Domain{{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "corp"}}}
	f.start()
	f.users = users.New(users.Deps{Store: f.store, Clock: f.now, Hasher: f.hasher, ChecksPasswords: f.s.ChecksPasswords})
	return f
}

// start is a start of the server: what was only in memory is gone.
func (f *fixture) start() {
	s, err := signin.New(signin.Deps{
		Store: f.store, Clock: f.now, Hasher: f.hasher, Rules: f.rules, Key: secret.New(strings.Repeat("k", 32)), Link: f.link,
		Directories: []signin.Directory{{Checker: f.domain, Lockout: f.lockout}}, SharedOSUsers: []string{"pool"},
		Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.s = s
}

func (f *fixture) now() time.Time          { return time.Unix(0, f.at.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.at.Add(int64(d)) }

func (f *fixture) addLocal(name string) core.UserID {
	f.t.Helper()
	u, err := f.users.Add(f.t.Context(), "admin", users.NewUser{Username: name, Password: secret.New(right)})
	if err != nil {
		f.t.Fatal(err)
	}
	return u.ID
}

func (f *fixture) addDirectory(upn, sam string) core.UserID {
	f.t.Helper()
	var id core.UserID
	f.update(func(tx store.Tx) (err error) {
		if id, err = tx.CreateUser(context.Background(), core.User{Username: upn, Source: "corp", CreatedAt: f.now(), UpdatedAt: f.now()}); err != nil {
			return err
		}
		for _, n := range []core.LoginName{{Name: upn, Kind: core.NameUPN}, {Name: sam, Kind: core.NameSAM, Domain: "corp"}} {
			n.UserID, n.Source, n.ValidFrom = id, "corp", f.now()
			if n.Folded, err = auth.Canon(n.Name); err != nil {
				return err
			}
			if err := tx.PutName(context.Background(), n); err != nil {
				return err
			}
		}
		return tx.PutIdentity(context.Background(), core.ExternalIdentity{UserID: id, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: upn})
	})
	return id
}

func (f *fixture) update(fn func(tx store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(context.Background(), fn); err != nil {
		f.t.Fatal(err)
	}
}

const home, abroad = "192.0.2.10", "198.51.100.20"

func (f *fixture) try(name, password, from string) error {
	_, err := f.s.Password(context.Background(), signin.Attempt{Name: name, Password: secret.New(password), Address: netip.MustParseAddr(from)})
	return err
}

// retryIn is how long a limited try has to wait, 0 for one that was not limited.
func (f *fixture) retryIn(err error) time.Duration {
	var limited *core.LimitedError
	if errors.As(err, &limited) {
		return limited.RetryAt.Sub(f.now())
	}
	return 0
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func TestPassword(t *testing.T) {
	f := newFixture(t)
	local := f.addLocal("visitor")
	sam := f.addDirectory("sam.hill@example.org", "sam")
	for _, tt := range []struct {
		name, password string
		user           core.UserID
		want           error
	}{
		{"visitor", right, local, nil},
		{"VISITOR ", right, local, nil},
		{"visitor", wrong, 0, core.ErrWrongCredentials},
		{"sam.hill@example.org", right, sam, nil},
		{"sam.hill", right, sam, nil},
		{`CORP\sam`, right, sam, nil},
		{"sam", wrong, 0, core.ErrWrongCredentials},
		{"nobody", right, 0, core.ErrWrongCredentials},
		{"nobody@elsewhere.example", right, 0, core.ErrWrongCredentials},
		{"", right, 0, core.ErrInvalid},
		{"sam\x00", right, 0, core.ErrInvalid},
	} {
		r, err := f.s.Password(t.Context(), signin.Attempt{Name: tt.name, Password: secret.New(tt.password)})
		wantErr(t, tt.name, err, tt.want)
		if r.User.ID != tt.user {
			t.Errorf("%s: user %d, want %d", tt.name, r.User.ID, tt.user)
		}
	}
}

func TestImpossiblePasswordsReachNoDirectory(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	for _, password := range []string{"", "\x00", "abc\x00def", strings.Repeat("x", 1025)} {
		wantErr(t, fmt.Sprintf("%.8q", password), f.try("sam@example.org", password, home), core.ErrInvalid)
	}
	if f.domain.binds != 0 {
		t.Errorf("%d binds were made", f.domain.binds)
	}
}

func TestWhatIsSaidOnlyAfterProof(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(f *fixture)
		account string
		want    error
	}{
		{"disabled local account", func(f *fixture) {
			if _, err := f.users.Disable(t.Context(), "admin", f.addLocal("visitor")); err != nil {
				t.Fatal(err)
			}
		}, "visitor", core.ErrDisabled},
		{"disabled here, not in the directory", func(f *fixture) {
			if _, err := f.users.Disable(t.Context(), "admin", f.addDirectory("sam@example.org", "sam")); err != nil {
				t.Fatal(err)
			}
		}, "sam@example.org", core.ErrDisabled},
		{"shared name", func(f *fixture) {
			f.addDirectory("sam.hill@example.org", "sam")
			f.addDirectory("sam.sea@example.org", "sam")
		}, "sam", core.ErrAmbiguous},
		{"expired", func(f *fixture) {
			f.addDirectory("sam@example.org", "sam")
			f.domain.hook = func(_ context.Context, password string) error {
				if password == right {
					return core.ErrPasswordExpired
				}
				return nil
			}
		}, "sam@example.org", core.ErrPasswordExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.prepare(f)
			wantErr(t, "wrong password", f.try(tt.account, wrong, home), core.ErrWrongCredentials)
			wantErr(t, "right password", f.try(tt.account, right, home), tt.want)
		})
	}
}

// How many tries does an account stand in some hours, when every try that is allowed is made at once?
func TestD4_PasswordPerUser(t *testing.T) {
	for _, tt := range []struct {
		name    string
		hours   int
		from    []string
		most    int
		account string
	}{
		{"one network, one hour", 1, []string{home}, 9, "visitor@local.example"},
		{"one network, 12 hours", 12, []string{home}, 27, "visitor@local.example"},
		{"many networks, one hour", 1, []string{home, abroad, "203.0.113.5", "2001:db8::1"}, 10, "visitor@local.example"},
		{"many networks, 12 hours", 12, []string{home, abroad, "203.0.113.5", "2001:db8::1"}, 30, "visitor@local.example"},
		{"nobody, one hour", 1, []string{home}, 9, "nobody@local.example"},
		{"nobody, many networks, 12 hours", 12, []string{home, abroad, "203.0.113.5", "2001:db8::1"}, 30, "nobody@local.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.addLocal("visitor@local.example")
			allowed := 0
			for end := start.Add(time.Duration(tt.hours) * time.Hour); f.now().Before(end); f.advance(time.Duration(tt.hours) * 15 * time.Second) {
				for _, from := range tt.from {
					if err := f.try(tt.account, wrong, from); errors.Is(err, core.ErrWrongCredentials) {
						allowed++
					} else if !errors.Is(err, core.ErrLimited) {
						t.Fatal(err)
					}
				}
			}
			if allowed != tt.most {
				t.Errorf("%d tries were allowed, want %d", allowed, tt.most)
			}
		})
	}
}

func TestD4_TheWaitDoubles(t *testing.T) {
	f := newFixture(t)
	f.addLocal("visitor@local.example")
	for i, want := range []time.Duration{0, 0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, time.Hour} {
		wantErr(t, fmt.Sprintf("try %d", i+1), f.try("visitor@local.example", wrong, home), core.ErrWrongCredentials)
		if want == 0 {
			continue
		}
		if got := f.retryIn(f.try("visitor@local.example", right, home)); got != want {
			t.Errorf("after %d failures the wait is %v, want %v", i+1, got, want)
		}
		f.advance(want)
	}
	wantErr(t, "after the waiting", f.try("visitor@local.example", right, home), nil)
	wantErr(t, "success forgets the failures", f.try("visitor@local.example", wrong, home), core.ErrWrongCredentials)
	wantErr(t, "at once", f.try("visitor@local.example", right, home), nil)
}

func TestAStrangerTryingANameStopsBeforeItsOwner(t *testing.T) {
	f := newFixture(t)
	f.addLocal("visitor@local.example")
	for end := f.now().Add(12 * time.Hour); f.now().Before(end); f.advance(time.Minute) {
		_ = f.try("visitor@local.example", wrong, abroad)
	}
	wantErr(t, "the stranger", f.try("visitor@local.example", right, abroad), core.ErrLimited)
	wantErr(t, "the owner, elsewhere", f.try("visitor@local.example", right, home), nil)
}

func TestD4_FailedBindsStayBelowTheThreshold(t *testing.T) {
	for _, threshold := range []int{2, 3, 5, 10} {
		t.Run(fmt.Sprintf("threshold %d", threshold), func(t *testing.T) {
			f := newFixture(t)
			f.domain.threshold = threshold
			f.lockout = signin.Lockout{Threshold: threshold, Window: 30 * time.Minute}
			f.start()
			f.addDirectory("sam@example.org", "sam")
			for end := start.Add(3 * time.Hour); f.now().Before(end); f.advance(time.Minute) {
				for _, name := range []string{"sam", "sam@example.org", `CORP\sam`} {
					_ = f.try(name, wrong, abroad)
				}
			}
			if f.domain.locked {
				t.Error("the account is locked in the domain")
			}
			if f.domain.binds < threshold-1 && threshold < 5 || f.domain.binds == 0 {
				t.Errorf("only %d binds were made: the limit does not count failures", f.domain.binds)
			}
			if threshold >= 5 {
				wantErr(t, "the owner, elsewhere", f.try("sam@example.org", right, home), nil)
			}
		})
	}
}

func TestD4_ParallelTriesCannotExceedTheThreshold(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	release := make(chan struct{})
	f.domain.hook = func(context.Context, string) error { <-release; return nil }
	var wg sync.WaitGroup
	var limited atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			if errors.Is(f.try("sam@example.org", wrong, fmt.Sprintf("10.0.%d.1", i)), core.ErrLimited) && limited.Add(1) == 18 {
				close(release)
			}
		})
	}
	wg.Wait()
	if f.domain.locked || f.domain.binds != 2 {
		t.Errorf("%d binds, locked %v; want 2", f.domain.binds, f.domain.locked)
	}
}

func TestLimitsHoldOverARestart(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	for range 2 {
		wantErr(t, "first tries", f.try("sam@example.org", wrong, home), core.ErrWrongCredentials)
		f.advance(time.Minute)
		f.start()
	}
	err := f.try("sam@example.org", right, home)
	if got := f.retryIn(err); got != 29*time.Minute {
		t.Errorf("after the restart: %v, wait %v", err, got)
	}
	f.advance(29 * time.Minute)
	wantErr(t, "after the window", f.try("sam@example.org", right, home), nil)
}

// Histories of right and wrong passwords, under several names, in parallel, with restarts and waits: the domain never locks.
func TestPropertyTheDomainNeverLocks(t *testing.T) {
	f := newFixture(t)
	rapid.Check(t, func(t *rapid.T) {
		sam := fmt.Sprintf("u%d", f.at.Add(1))
		upn := sam + "@example.org"
		f.advance(24 * time.Hour)
		f.addDirectory(upn, sam)
		f.domain.locked = false
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"try", "try", "try", "parallel", "wait", "restart"}).Draw(t, "step") {
			case "try":
				_ = f.try(rapid.SampledFrom([]string{upn, sam, `corp\` + sam}).Draw(t, "name"), rapid.SampledFrom([]string{wrong, wrong, right}).Draw(t, "password"),
					rapid.SampledFrom([]string{home, abroad}).Draw(t, "from"))
			case "parallel":
				var wg sync.WaitGroup
				for i := range 4 {
					password := []string{wrong, right}[rapid.IntRange(0, 3).Draw(t, "right")/3]
					wg.Go(func() { _ = f.try(upn, password, fmt.Sprintf("10.0.%d.1", i)) })
				}
				wg.Wait()
			case "wait":
				f.advance(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Minute, 29 * time.Minute, 31 * time.Minute}).Draw(t, "d"))
			case "restart":
				f.start()
			}
			if f.domain.locked {
				t.Fatal("the account is locked in the domain")
			}
		}
	})
}

func TestTwoThousandPeopleBehindOneAddress(t *testing.T) {
	f := newFixture(t)
	phc, err := f.hasher.Hash(t.Context(), secret.New(right))
	if err != nil {
		t.Fatal(err)
	}
	const people = 2000
	f.update(func(tx store.Tx) error {
		for i := range people {
			name := fmt.Sprintf("user%d@local.example", i)
			id, err := tx.CreateUser(t.Context(), core.User{Username: name, CreatedAt: start, UpdatedAt: start})
			if err != nil {
				return err
			}
			if err := tx.PutName(t.Context(), core.LoginName{UserID: id, Name: name, Folded: auth.Folded(name), Kind: core.NameUPN, ValidFrom: start}); err != nil {
				return err
			}
			if err := tx.SetPasswordHash(t.Context(), id, phc); err != nil {
				return err
			}
		}
		return nil
	})
	var next atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < people; i = next.Add(1) - 1 {
				name := fmt.Sprintf("user%d@local.example", i)
				if i%10 == 0 { // every tenth mistypes first: 200 failures, all taken back
					if err := f.try(name, wrong, home); !errors.Is(err, core.ErrWrongCredentials) {
						t.Errorf("%s, mistyped: %v", name, err)
					}
				}
				if err := f.try(name, right, home); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				f.advance(250 * time.Millisecond)
			}
		})
	}
	wg.Wait()
}

func TestD4_NetworkCountsFailures(t *testing.T) {
	for _, tt := range []struct {
		name      string
		from      func(i int) string
		most      int
		elsewhere string
	}{
		{"IPv4 /24", func(i int) string { return fmt.Sprintf("192.0.2.%d", i%250) }, 100, "192.0.3.1"},
		{"IPv6 /64", func(i int) string { return fmt.Sprintf("2001:db8:1:1::%x", i) }, 100, "2001:db8:1:2::1"},
		{"IPv4 in IPv6", func(i int) string { return fmt.Sprintf("::ffff:192.0.2.%d", i%250) }, 100, "::ffff:192.0.3.1"},
		{"IPv6 /48", func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i) }, 1000, "2001:db8:2::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.addLocal("visitor@local.example")
			allowed := 0
			for i := range tt.most + 50 {
				if err := f.try(fmt.Sprintf("nobody%d@local.example", i), wrong, tt.from(i)); errors.Is(err, core.ErrWrongCredentials) {
					allowed++
				}
			}
			if allowed != tt.most {
				t.Errorf("%d failures were allowed, want %d", allowed, tt.most)
			}
			err := f.try("visitor@local.example", right, tt.from(1))
			if got := f.retryIn(err); got != time.Hour {
				t.Errorf("from the network: %v, wait %v", err, got)
			}
			wantErr(t, "from elsewhere", f.try("visitor@local.example", right, tt.elsewhere), nil)
			f.advance(time.Hour)
			wantErr(t, "an hour later", f.try("visitor@local.example", right, tt.from(1)), nil)
		})
	}
}

// Whoever tries a name sees the same whether it exists or not, for each form of a name.
func TestUnknownNamesLookLikeKnownOnes(t *testing.T) {
	for _, tt := range []struct{ name, known, unknown string }{
		{"directory, UPN", "sam@example.org", "tim@example.org"},
		{"directory, short name that the suffix completes", "sam", "tim"},
		{"directory, domain", `CORP\sam`, `CORP\tim`},
		{"local", "visitor@local.example", "nobody@local.example"},
		{"local, short name", "visitor", "nobody"},
		{"local account with a name of the directory's domain", "till@example.org", "tom@example.org"},
		{"disabled", "gone@example.org", "none@example.org"},
		{"without a password", "empty@local.example", "none@local.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen [2][]string
			for i, name := range []string{tt.known, tt.unknown} {
				f := newFixture(t)
				f.addDirectory("sam@example.org", "sam")
				f.addLocal("visitor@local.example")
				f.addLocal("visitor")
				f.addLocal("till@example.org")
				if _, err := f.users.Disable(t.Context(), "admin", f.addDirectory("gone@example.org", "gone")); err != nil {
					t.Fatal(err)
				}
				if _, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: "empty@local.example"}); err != nil {
					t.Fatal(err)
				}
				for n := range 40 {
					err := f.try(name, wrong, []string{home, abroad}[n%2])
					seen[i] = append(seen[i], fmt.Sprintf("%v %v", errors.Is(err, core.ErrWrongCredentials), f.retryIn(err)))
					f.advance(time.Minute)
				}
			}
			if !slices.Equal(seen[0], seen[1]) {
				t.Errorf("known and unknown differ:\n%v\n%v", seen[0], seen[1])
			}
			if !slices.ContainsFunc(seen[0], func(s string) bool { return !strings.HasSuffix(s, " 0s") }) {
				t.Error("nothing was ever limited")
			}
		})
	}
}

func TestUnknownNamesCostAHash(t *testing.T) {
	f := newFixture(t)
	f.hasher = passhash.New(passhash.Params{Time: 1, MemoryKiB: 16384, Parallelism: 1})
	f.start()
	f.users = users.New(users.Deps{Store: f.store, Clock: f.now, Hasher: f.hasher})
	f.addLocal("visitor@local.example")
	f.addDirectory("sam@example.org", "sam")
	// Every hash takes its 16 MiB anew, whatever else the machine does: time would be no sure sign of work on a busy one.
	hashes := func(name string) uint64 {
		f.advance(13 * time.Hour)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		wantErr(t, name, f.try(name, wrong, home), core.ErrWrongCredentials)
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / (16 << 20)
	}
	for _, name := range []string{"visitor@local.example", "nobody@local.example", "sam@example.org", "tim@example.org"} {
		if got := hashes(name); got != 1 {
			t.Errorf("a wrong password for %s costs %d hashes, not one as for everybody", name, got)
		}
	}
}

func TestDirectoryThatDoesNotAnswer(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	f.domain.answer = fmt.Errorf("dial: %w", core.ErrUnavailable)
	for range 10 {
		wantErr(t, "known", f.try("sam@example.org", right, home), core.ErrUnavailable)
	}
	wantErr(t, "unknown name of the same domain", f.try("tim@example.org", right, home), core.ErrUnavailable)
	wantErr(t, "unknown name of no directory", f.try("tim@local.example", right, home), core.ErrWrongCredentials)
	f.domain.answer = nil
	wantErr(t, "nothing was counted while it was away", f.try("sam@example.org", right, home), nil)
}

func TestDirectoryThatMayHaveCounted(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	f.domain.answer = fmt.Errorf("%w: %w", core.ErrUnavailable, context.DeadlineExceeded)
	for range 2 {
		wantErr(t, "timeout", f.try("sam@example.org", right, home), core.ErrUnavailable)
	}
	wantErr(t, "the domain may have counted two failures", f.try("sam@example.org", right, home), core.ErrLimited)
}

func TestAccountLockedInTheDirectory(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	f.domain.answer = fmt.Errorf("data 775: %w", core.ErrLimited)
	for i := range 5 {
		err := f.try("sam@example.org", right, home)
		if got := f.retryIn(err); got != 30*time.Minute {
			t.Errorf("try %d: %v, wait %v", i, err, got)
		}
	}
	if f.domain.binds != 1 {
		t.Errorf("a locked account was bound %d times", f.domain.binds)
	}
}

func TestHangingUpAvoidsNoCount(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		f.domain.hook = func(checking context.Context, _ string) error {
			cancel()
			return checking.Err() // nil: the check goes on
		}
		_, err := f.s.Password(ctx, signin.Attempt{Name: "sam@example.org", Password: secret.New(wrong), Address: netip.MustParseAddr(home)})
		if err == nil {
			t.Fatal("signed in")
		}
		cancel()
	}
	if f.domain.binds != 2 {
		t.Errorf("%d binds, want 2", f.domain.binds)
	}
}

func TestClockThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, 365 * 24 * time.Hour} {
		f := newFixture(t)
		f.addDirectory("sam@example.org", "sam")
		f.advance(jump)
		for range 2 {
			wantErr(t, "wrong", f.try("sam@example.org", wrong, home), core.ErrWrongCredentials)
		}
		f.advance(-jump)
		if got := f.retryIn(f.try("sam@example.org", right, home)); got != 30*time.Minute {
			t.Errorf("set back by %v: wait %v", jump, got)
		}
		f.advance(20 * time.Minute)
		if got := f.retryIn(f.try("sam@example.org", right, home)); got != 10*time.Minute {
			t.Errorf("set back by %v, 20 minutes later: wait %v", jump, got)
		}
		f.advance(10 * time.Minute)
		wantErr(t, "after the window", f.try("sam@example.org", right, home), nil)
	}
}

func TestPasswordsAndNamesLeaveNoTrace(t *testing.T) {
	f := newFixture(t)
	f.addLocal("visitor@local.example")
	f.addDirectory("sam@example.org", "sam")
	for _, name := range []string{"visitor@local.example", "sam@example.org", "typed-name-canary@example.org", "nobody"} {
		for _, password := range []string{wrong, right} {
			_ = f.try(name, password, home)
		}
	}
	_, _ = f.s.Password(t.Context(), signin.Attempt{Name: wrong, Password: secret.New(right)}) // in the wrong field
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "platen.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database files: %v", err)
	}
	var all []byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte("acct-h:")) || !strings.Contains(f.log.String(), "sign-in refused") {
		t.Fatal("there is nothing to look at")
	}
	for _, canary := range []string{wrong, right, "typed-name-canary"} {
		if bytes.Contains(all, []byte(canary)) {
			t.Errorf("%q is in the database", canary)
		}
		if strings.Contains(f.log.String(), canary) {
			t.Errorf("%q is in the log", canary)
		}
	}
}

func TestPurgeForgetsOnlyWhatHasRunOut(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	for range 2 {
		_ = f.try("sam@example.org", wrong, home)
	}
	if n, err := f.s.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("Purge = %d, %v", n, err)
	}
	wantErr(t, "still limited", f.try("sam@example.org", right, home), core.ErrLimited)
	f.advance(13 * time.Hour)
	if n, err := f.s.Purge(t.Context()); n == 0 || err != nil {
		t.Errorf("Purge after 13 hours = %d, %v", n, err)
	}
}

// Whoever throws names at the server makes no more rows than their network has failures, and evicts nobody's counter.
func TestD4_CountersAreBounded(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("sam@example.org", "sam")
	for range 2 {
		_ = f.try("sam@example.org", wrong, abroad)
	}
	for i := range 1000 {
		_ = f.try(fmt.Sprintf("name%d@local.example", i), wrong, home)
	}
	wantErr(t, "the victim's counter", f.try("sam@example.org", right, abroad), core.ErrLimited)
	f.advance(13 * time.Hour)
	if n, err := f.s.Purge(t.Context()); n > 100*4+1+6 || n < 100 || err != nil {
		t.Errorf("1,000 names made %d rows, %v", n, err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	d := &domain{}
	for name, deps := range map[string]signin.Deps{
		"no key":      {},
		"threshold 1": {Key: secret.New(strings.Repeat("k", 32)), Directories: []signin.Directory{{Checker: d, Lockout: signin.Lockout{Threshold: 1, Window: time.Hour}}}},
		"no window":   {Key: secret.New(strings.Repeat("k", 32)), Directories: []signin.Directory{{Checker: d, Lockout: signin.Lockout{Threshold: 5}}}},
	} {
		_, err := signin.New(deps)
		wantErr(t, name, err, core.ErrInvalid)
	}
}
