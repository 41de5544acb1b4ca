package sessions_test

import (
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// BenchmarkVerify is how long the check of a bearer token takes: of one that was looked at within the last seconds, and of one that
// the database is asked about. tokens/s is per core with -cpu 1.
func BenchmarkVerify(b *testing.B) {
	s := storetest.OpenSQLite(b)
	began := clock.System()
	at := began
	m := sessions.New(s, func() time.Time { return at }, sessions.Options{})
	var id core.UserID
	err := s.Update(b.Context(), func(tx store.Tx) (err error) {
		id, err = tx.CreateUser(b.Context(), core.User{Username: "alex@example.org", CreatedAt: clock.System(), UpdatedAt: clock.System()})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	t, _, err := m.Issue(b.Context(), id, sessions.Info{})
	if err != nil {
		b.Fatal(err)
	}
	for name, remembered := range map[string]bool{"remembered": true, "asked": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !remembered {
					at = at.Add(4 * time.Second)
					if at.Sub(began) > 4*time.Minute { // before it is noted when the session was last seen
						at = began
					}
				}
				if _, _, err := m.Authenticate(b.Context(), t.Access); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
