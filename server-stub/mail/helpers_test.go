package mail_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// post is a Service on a database of its own.
type post struct {
	*mail.Service
	t     *testing.T
	store store.Store
	keys  *keys.Keys
	deps  mail.Deps
	now   time.Time
}

func newPost(t *testing.T, change func(*mail.Deps)) *post {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	k, err := keys.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, store: storetest.OpenSQLite(t), keys: k, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	p.deps = mail.Deps{
		Store: p.store, Keys: k, Clock: func() time.Time { return p.now }, Organisation: "Example School", HelpText: "Ask the library.",
		PortalURL: "https://print.example.org/", Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		ShowCode: func(c secret.String) secret.String {
			if len(c.Reveal()) != 8 {
				return c
			}
			return secret.New(c.Reveal()[:4] + "-" + c.Reveal()[4:])
		},
		Settings: mail.Settings{
			Host: "127.0.0.1", Port: 1, TLS: mail.StartTLS, From: "print@example.org", Admins: []string{"it@example.org"}, Language: "en", PerMinute: 600,
			Welcome: mail.TemplateWelcome, CodeReplaced: true, CodeChanged: true, Password: func() (secret.String, error) { return secret.String{}, nil },
		},
	}
	p.with(change)
	return p
}

// with makes the Service anew with other settings.
func (p *post) with(change func(*mail.Deps)) {
	p.t.Helper()
	if change != nil {
		change(&p.deps)
	}
	s, err := mail.New(p.deps)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Service = s
}

// to lets it send to a server.
func (p *post) to(s *testenv.SMTPServer) {
	p.t.Helper()
	p.with(func(d *mail.Deps) { d.Settings.Host, d.Settings.Port, d.Settings.CAFile = s.Host, s.Port, s.CAFile })
}

// user makes a person.
func (p *post) user(name, language string) core.User {
	p.t.Helper()
	u := core.User{Username: name, DisplayName: "Name of " + name, Email: name + "@example.org", Language: language, CreatedAt: p.now, UpdatedAt: p.now}
	p.update(func(tx store.Tx) (err error) {
		u.ID, err = tx.CreateUser(p.t.Context(), u)
		return err
	})
	return u
}

func (p *post) update(fn func(store.Tx) error) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

// queue queues a message.
func (p *post) queue(m mail.Message) {
	p.t.Helper()
	p.update(func(tx store.Tx) error {
		_, err := p.Queue(p.t.Context(), tx, m)
		return err
	})
}

// message is one to an address.
func message(to string) mail.Message {
	return mail.Message{Key: "to " + to, Template: mail.TemplateCodeReplaced, To: to, Name: "Anna Test", Code: secret.New("7QF3MZ8K")}
}

// send sends what is due.
func (p *post) send() (time.Duration, error) {
	p.t.Helper()
	return p.SendDue(p.t.Context())
}

func (p *post) mustSend() {
	p.t.Helper()
	if _, err := p.send(); err != nil {
		p.t.Fatal(err)
	}
}

// states lists what became of the mails: "anna@example.org sent 1".
func (p *post) states() map[string]core.Mail {
	p.t.Helper()
	list, _, err := p.List(context.WithoutCancel(p.t.Context()), nil, 0, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string]core.Mail{}
	for _, m := range list {
		name, _, _ := strings.Cut(m.To, "@")
		out[name] = m
	}
	return out
}

func (p *post) wantState(name string, want core.MailState) {
	p.t.Helper()
	if m := p.states()[name]; m.State != want {
		p.t.Errorf("the mail to %s is %s (%s), want %s", name, m.State, m.Problem, want)
	}
}
