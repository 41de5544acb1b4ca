package dirsync

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// timed measures the longest write transaction.
type timed struct {
	store.Store
	longest time.Duration
}

func (s *timed) Update(ctx context.Context, fn func(store.Tx) error) error {
	var began time.Time
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		began = time.Now()
		return fn(tx)
	})
	s.longest = max(s.longest, time.Since(began))
	return err
}

// benchPeople has people as Active Directory lists them, with a SID each.
func benchPeople(n int) *list {
	src := &list{id: "corp", people: people(n)}
	for i := range src.people {
		src.people[i].SID = fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i)
	}
	return src
}

func newTimedSite(b *testing.B, open func(testing.TB) store.Store) (*site, *timed) {
	s := &site{t: b, store: open(b), now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	st := &timed{Store: s.store}
	s.sync = New(st, func() time.Time { return s.now }, Config{Logger: slog.New(slog.DiscardHandler), OnChange: func(core.UserID) {}})
	return s, st
}

// The figures of 20,000 people: a first import, and a run that changes nothing. "ms-written" is the longest write transaction,
// for which bookings wait on SQLite.
func BenchmarkSync20000(b *testing.B) {
	src := benchPeople(20_000)
	for name, open := range map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		b.Run(name+"/first", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s, st := newTimedSite(b, open)
				b.StartTimer()
				s.mustSync(src)
				b.ReportMetric(float64(st.longest.Milliseconds()), "ms-written")
			}
		})
		b.Run(name+"/unchanged", func(b *testing.B) {
			s, st := newTimedSite(b, open)
			s.mustSync(src)
			st.longest = 0
			for b.Loop() {
				if run := s.mustSync(src); run.Created+run.Updated+run.Renamed+run.Disabled+run.Conflicts != 0 || run.Read != 20_000 {
					b.Fatalf("%+v", run)
				}
			}
			b.ReportMetric(float64(st.longest.Milliseconds()), "ms-written")
		})
	}
}
