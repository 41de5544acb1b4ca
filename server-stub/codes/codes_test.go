package codes_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const verifier = "dBjftJeZ4CVP-mBsE0Nj5M-_-VbHEH-KtUhlFJcgcQ0-x"

// fixture is a service with one person, user 1, and a clock to move.
type fixture struct {
	*codes.Service
	store store.Store
	now   atomic.Int64
}

func (f *fixture) clock() time.Time { return start.Add(time.Duration(f.now.Load())) }

func (f *fixture) grant() codes.Grant {
	return codes.Grant{
		User: 1, Assurance: core.AssuranceMachine, Provider: "p", Device: "dev1", Host: "pc1", Stay: true,
		Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "alex", SID: "S-1-5-21-1-2-3-4"},
	}
}

func open(t *testing.T, s store.Store) *fixture {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.CreateUser(t.Context(), core.User{Username: "alex"})
		return errors.Join(err, tx.CreateDevice(t.Context(), core.Device{ID: "dev1", Status: core.DeviceEnrolled}))
	}); err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: s}
	f.Service = codes.New(s, f.clock)
	return f
}

func (f *fixture) issue(t *testing.T) secret.String {
	t.Helper()
	code, expires, err := f.Issue(t.Context(), f.grant(), api.Challenge(verifier), time.Minute)
	if err != nil || !expires.Equal(f.clock().Add(time.Minute)) {
		t.Fatalf("Issue: %v, expires %v", err, expires)
	}
	return code
}

var stores = map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres}

func TestACodeStandsForItsGrantOnce(t *testing.T) {
	f := open(t, storetest.OpenSQLite(t))
	code := f.issue(t)
	got, err := f.Redeem(t.Context(), code, verifier)
	if diff := cmp.Diff(f.grant(), got); diff != "" || err != nil {
		t.Errorf("Redeem (-want +got): %v\n%s", err, diff)
	}
	if _, err := f.Redeem(t.Context(), code, verifier); !errors.Is(err, codes.ErrInvalid) {
		t.Errorf("the second time: %v, want ErrInvalid", err)
	}
}

func TestTwoRedeemersAtOnceExactlyOneWins(t *testing.T) {
	for name, openStore := range stores {
		t.Run(name, func(t *testing.T) {
			f := open(t, openStore(t))
			for range 5 {
				code := f.issue(t)
				var won, lost atomic.Int32
				var wg sync.WaitGroup
				begin := make(chan struct{})
				for range 8 {
					wg.Go(func() {
						<-begin
						switch _, err := f.Redeem(t.Context(), code, verifier); {
						case err == nil:
							won.Add(1)
						case errors.Is(err, codes.ErrInvalid):
							lost.Add(1)
						default:
							t.Errorf("Redeem: %v", err)
						}
					})
				}
				close(begin)
				wg.Wait()
				if won.Load() != 1 || lost.Load() != 7 {
					t.Errorf("%d won and %d lost, want 1 and 7", won.Load(), lost.Load())
				}
			}
		})
	}
}

func TestWhatIsWrongIsOneError(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, f *fixture, code secret.String) error{
		"another's verifier": func(t *testing.T, f *fixture, code secret.String) error {
			_, err := f.Redeem(t.Context(), code, strings.Repeat("x", 43))
			return err
		},
		"a short verifier": func(t *testing.T, f *fixture, code secret.String) error {
			_, err := f.Redeem(t.Context(), code, "short")
			return err
		},
		"the challenge as verifier": func(t *testing.T, f *fixture, code secret.String) error {
			_, err := f.Redeem(t.Context(), code, api.Challenge(verifier))
			return err
		},
		"too late": func(t *testing.T, f *fixture, code secret.String) error {
			f.now.Store(int64(time.Minute))
			_, err := f.Redeem(t.Context(), code, verifier)
			return err
		},
		"of a device that was revoked since": func(t *testing.T, f *fixture, code secret.String) error {
			if err := f.store.Update(t.Context(), func(tx store.Tx) error {
				return tx.UpdateDevice(t.Context(), core.Device{ID: "dev1", Status: core.DeviceRevoked})
			}); err != nil {
				return err
			}
			_, err := f.Redeem(t.Context(), code, verifier)
			return err
		},
		"an unknown code": func(t *testing.T, f *fixture, _ secret.String) error {
			_, err := f.Redeem(t.Context(), secret.New("plt_c_"+strings.Repeat("A", 43)), verifier)
			return err
		},
		"something else": func(t *testing.T, f *fixture, _ secret.String) error {
			_, err := f.Redeem(t.Context(), secret.New(""), verifier)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, storetest.OpenSQLite(t))
			code := f.issue(t)
			err := run(t, f, code)
			if !errors.Is(err, codes.ErrInvalid) || !errors.Is(err, core.ErrUnauthenticated) {
				t.Errorf("%v, want ErrInvalid", err)
			}
		})
	}
}

// Whoever shows a code with a wrong verifier has it from somebody else: nobody gets anything for it any more.
func TestAWrongVerifierUsesTheCodeUp(t *testing.T) {
	f := open(t, storetest.OpenSQLite(t))
	code := f.issue(t)
	for _, v := range []string{strings.Repeat("x", 43), verifier} {
		if _, err := f.Redeem(t.Context(), code, v); !errors.Is(err, codes.ErrInvalid) {
			t.Errorf("Redeem: %v, want ErrInvalid", err)
		}
	}
}

func TestOnlyHashesAreStored(t *testing.T) {
	s := storetest.OpenSQLite(t)
	f := open(t, s)
	code := f.issue(t)
	var kept strings.Builder
	if err := s.Backup(t.Context(), &kept); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(kept.String(), api.Challenge(verifier)) {
		t.Fatal("the code is not kept at all")
	}
	for _, canary := range []string{code.Reveal(), strings.TrimPrefix(code.Reveal(), "plt_c_"), verifier} {
		if strings.Contains(kept.String(), canary) {
			t.Error("the database holds the code or the verifier in clear")
		}
	}
}

func TestWhatIsNoChallengeIsRefused(t *testing.T) {
	f := open(t, storetest.OpenSQLite(t))
	for _, challenge := range []string{"", "x", verifier, strings.Repeat("=", 43), strings.Repeat("A", 44), strings.Repeat("A", 42) + "/"} {
		if _, _, err := f.Issue(t.Context(), f.grant(), challenge, time.Minute); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%q: %v, want core.ErrInvalid", challenge, err)
		}
	}
}

func TestPurgeForgetsWhatIsOver(t *testing.T) {
	f := open(t, storetest.OpenSQLite(t))
	f.issue(t)
	f.now.Store(int64(30 * time.Second))
	fresh := f.issue(t)
	f.now.Store(int64(61 * time.Second))
	if n, err := f.Purge(t.Context()); n != 1 || err != nil {
		t.Errorf("Purge = %d, %v, want 1", n, err)
	}
	if _, err := f.Redeem(t.Context(), fresh, verifier); err != nil {
		t.Errorf("the code that is not over: %v", err)
	}
}
