package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// benchClients is how many callers wait for their answers at the same time.
const benchClients = 32

// BenchmarkDurableCharges books charges, each answered once it is durable, for 32 clients with a person each. Beside it
// stands what the disk does: fsyncs of one 4 KiB page each per second, measured right before. Run it with
//
//	go test -run '^$' -bench DurableCharges -benchtime 5s ./server-stub/ledger
func BenchmarkDurableCharges(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) {
		s, err := sqlstore.Open(b.Context(), sqlstore.Config{Path: filepath.Join(b.TempDir(), "platen.db")})
		if err != nil {
			b.Fatal(err)
		}
		benchCharges(b, s)
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		url := testenv.OwnPostgres(b, "fsync=on").Database(b)
		s, err := sqlstore.Open(b.Context(), sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(url)})
		if err != nil {
			b.Fatal(err)
		}
		benchCharges(b, s)
	})
}

func benchCharges(b *testing.B, s store.Store) {
	b.Cleanup(func() { _ = s.Close() })
	counted := &watched{Store: s}
	f := start(b, counted, ledger.Options{})
	b.Cleanup(func() { _ = f.stop() })
	var users []core.UserID
	for range benchClients {
		users = append(users, f.addUser(b, core.MaxAmount))
	}
	fsyncs := fsyncRate(b)
	var client, serial atomic.Int64
	b.SetParallelism(benchClients) // times GOMAXPROCS: surplus clients take turns below
	seats := make(chan core.UserID, benchClients)
	for _, u := range users {
		seats <- u
	}
	before := counted.updates.Load()
	b.ResetTimer()
	begin := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		me := client.Add(1)
		for pb.Next() {
			user := <-seats
			_, err := f.Post(b.Context(), posting(fmt.Sprint(me, "-", serial.Add(1)), core.TransferCharge, user, 1))
			seats <- user
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	took := time.Since(begin)
	b.StopTimer()
	commits := counted.updates.Load() - before
	b.ReportMetric(float64(b.N)/took.Seconds(), "charges/s")
	b.ReportMetric(float64(b.N)/float64(commits), "charges/commit")
	b.ReportMetric(fsyncs, "fsyncs/s")
	b.ReportMetric(0, "ns/op") // says nothing here
	wantSound(b, s)
}

// fsyncRate measures how many appended 4 KiB pages per second the disk of the temporary folder makes durable, for half
// a second.
func fsyncRate(b *testing.B) float64 {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4096)
	n := 0
	begin := time.Now()
	for time.Since(begin) < 500*time.Millisecond {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds()
}
