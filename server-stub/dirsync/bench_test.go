package dirsync

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
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

// crowd is a directory of many people as Active Directory lists them, made up while they are read, so that it costs no memory.
type crowd struct {
	n      int
	prints bool // it makes fingerprints, of the bytes that it would have read
}

func (*crowd) ID() core.SourceID { return "corp" }

func (*crowd) Check(context.Context) (string, error) { return "fine", nil }

func (c *crowd) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	raw := make([]byte, 500) // what an entry is on the wire
	for i := range c.n {
		id := fmt.Sprintf("8f14e45f-ceea-467f-9575-%012d", i)
		var f directory.Fingerprint
		if c.prints {
			copy(raw, id)
			sum := sha256.Sum256(raw)
			f = directory.Fingerprint(sum[:16])
			if sink.Unchanged(directory.Key{Kind: core.IdentityObjectGUID, ID: id}, f) {
				continue
			}
		}
		r := person(id, fmt.Sprintf("firstname.lastname%d", i))
		r.SID, r.Fingerprint = fmt.Sprintf("S-1-5-21-1004336348-1177238915-682003330-%d", 1000+i), f
		r.Where = fmt.Sprintf("CN=Firstname Lastname %d,OU=Department %d,DC=corp,DC=example,DC=org", i, i%100)
		r.Department, r.Office = fmt.Sprintf("Department %d", i%100), "Building 12"
		if err := sink.Person(r); err != nil {
			return directory.Reading{}, err
		}
	}
	return directory.Reading{Complete: true}, nil
}

func newTimedSite(b *testing.B, open func(testing.TB) store.Store) (*site, *timed) {
	s := newSite(b)
	st := &timed{Store: open(b)}
	s.store = st.Store
	s.sync = New(st, func() time.Time { return s.now }, Config{Logger: slog.New(slog.DiscardHandler), Keys: s.keys, OnChange: func(core.UserID) {}})
	return s, st
}

// peak is the most memory that the process had, in MB, 0 where that cannot be read. It only grows: run one benchmark at a time.
func peak() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if kb, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			n, _ := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(kb), []byte("kB")))))
			return float64(n) / 1024
		}
	}
	return 0
}

// The figures of 100,000 people: a first import, a run that changes nothing, the comparison of everything that is made once a day,
// and reading alone. "ms-written" is the longest write transaction, for which bookings wait on SQLite; "MB-peak" is of the process.
func BenchmarkSync100000(b *testing.B) {
	const n = 100_000
	for name, open := range map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		b.Run(name+"/first", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s, st := newTimedSite(b, open)
				b.StartTimer()
				s.mustRun(&crowd{n: n, prints: true}, Settings{})
				b.ReportMetric(float64(st.longest.Milliseconds()), "ms-written")
				b.ReportMetric(peak(), "MB-peak")
			}
		})
		for what, run := range map[string]struct {
			prints bool
			full   bool
		}{"unchanged": {prints: true}, "unchanged-own-fingerprints": {}, "compared": {prints: true, full: true}} {
			b.Run(name+"/"+what, func(b *testing.B) {
				src := &crowd{n: n, prints: run.prints}
				s, st := newTimedSite(b, open)
				s.mustRun(src, Settings{})
				st.longest = 0
				for b.Loop() {
					if r := s.mustRun(src, Settings{Full: run.full}); r.Created+r.Updated+r.Renamed+r.Disabled+r.Conflicts != 0 || r.Read != n {
						b.Fatalf("%+v", r)
					}
				}
				b.ReportMetric(float64(st.longest.Milliseconds()), "ms-written")
				b.ReportMetric(peak(), "MB-peak")
			})
		}
	}
	b.Run("reading", func(b *testing.B) {
		for b.Loop() {
			if err := directory.People(b.Context(), &crowd{n: n, prints: true}, func(directory.Record) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
