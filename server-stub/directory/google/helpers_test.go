package google

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/platenprint/platen/internal/clock"
	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/directory"
)

// TestMain sees to it that no connection outlives its use.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const subject = "admin@example.org"

// customer is an emulated customer and what a source of it needs.
type customer struct {
	*emulator.Customer

	ca  string
	key []byte
}

// testAccount is made once: an RSA key takes its time.
var testAccount = func() func(t testing.TB) emulator.Account {
	var made emulator.Account
	return func(t testing.TB) emulator.Account {
		t.Helper()
		if made.Key == nil {
			var err error
			if made, err = emulator.NewAccount(); err != nil {
				t.Fatal(err)
			}
		}
		return made
	}
}()

func newCustomer(t testing.TB, dir emulator.Directory) *customer {
	t.Helper()
	return newCustomerWith(t, emulator.Options{Directory: dir})
}

func newCustomerWith(t testing.TB, opts emulator.Options) *customer {
	t.Helper()
	ca := testenv.NewCA(t)
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "localhost")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	opts.Account = testAccount(t)
	started, err := emulator.Start(t.Context(), "127.0.0.1:0", pair, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = started.Close() })
	key, err := started.KeyFile()
	if err != nil {
		t.Fatal(err)
	}
	return &customer{Customer: started, ca: ca.File, key: key}
}

// school is a customer with n made-up people, the schema PaperCut, and two groups, one within the other.
func school(n int) emulator.Directory {
	people := emulator.Made(n)
	d := emulator.Directory{Admin: subject, Schemas: []emulator.Schema{emulator.PaperCut()}, Users: people}
	inner := emulator.Group{Email: "science@example.org"}
	for _, p := range people[:min(n, 5)] {
		inner.Members = append(inner.Members, emulator.Member{Email: p.Email()})
	}
	d.Groups = []emulator.Group{inner, {Email: "staff@example.org", Members: []emulator.Member{{Email: "science@example.org", Type: "GROUP"}}}}
	return d
}

func (c *customer) config() Config {
	return Config{
		ID: "school", Subject: subject, APIURL: c.URL(), AllowAnyAuthority: true, CAFile: c.ca,
		ServiceAccount: func() (secret.String, error) { return secret.New(string(c.key)), nil },
	}
}

// source makes a source that waits for nothing, and notes how long it would have.
func source(t testing.TB, cfg Config, log io.Writer) (*Source, *[]time.Duration) {
	t.Helper()
	s, err := New(cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), clock.System)
	if err != nil {
		t.Fatal(err)
	}
	pauses := &[]time.Duration{}
	s.wait = func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
	return s, pauses
}

func read(t testing.TB, s *Source) map[string]directory.Record {
	t.Helper()
	records := map[string]directory.Record{}
	err := directory.People(t.Context(), s, func(r directory.Record) error {
		if _, twice := records[r.UPN]; twice {
			t.Errorf("%s twice", r.UPN)
		}
		records[r.UPN] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// texts reveals secrets.
func texts(list ...secret.String) string {
	revealed := make([]string, len(list))
	for i, s := range list {
		revealed[i] = s.Reveal()
	}
	return strings.Join(revealed, ",")
}

var discard = slog.New(slog.DiscardHandler)
