package server

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/httpapi"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

// openMetrics makes the registry of the metrics, and what counts the requests of every listener.
func openMetrics() (*prometheus.Registry, *inbound.Meters) {
	metrics := prometheus.NewRegistry()
	return metrics, inbound.NewMeters(metrics)
}

func (s *server) openAPI(metrics *prometheus.Registry, meters *inbound.Meters) *httpapi.Handler {
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "platen_ledger_sound", Help: "What the last verification of the ledger found: 1 sound, 0 not sound, -1 none has ended.",
	}, func() float64 { return ledgerGauge(s.rooms.ledger.Verdict().State()) }))
	metrics.MustRegister(freshness{s.rooms.directories})
	return httpapi.New(httpapi.Deps{
		SignIn:       signIns{s.rooms.signin, s.rooms.idp, s.rooms.codes, s.db},
		Sessions:     limitedTokens{tokens{s.rooms.sessions, s.db, s.now}, s.rooms.signin},
		Ledger:       money{s.rooms.ledger},
		Hub:          s.rooms.hub,
		Client:       s.clientConfig(),
		Roles:        rolesOf{s.db},
		WellKnown:    s.wellKnown,
		Capabilities: s.capabilities,
		Currency:     s.cfg.Currency, Ready: s.ready, Clock: s.now, Logger: s.logger, Metrics: metrics, Meters: meters,
		TrustedProxies: s.cfg.TrustedProxies, MetricsFrom: s.cfg.MetricsFrom,
	})
}

func ledgerGauge(state ledger.State) float64 {
	switch state {
	case ledger.Sound:
		return 1
	case ledger.NotSound:
		return 0
	case ledger.Unverified:
	}
	return -1
}

// ready says why the server cannot do its work as it should. A ledger that is not sound is such a reason, so that whoever
// watches hears of it; the server itself goes on: history is only ever added to, and nobody can sign in or print by its
// stopping.
func (s *server) ready(ctx context.Context) error {
	if v := s.rooms.ledger.Verdict(); v.State() == ledger.NotSound {
		return errors.New(v.String())
	}
	return s.db.Ping(ctx)
}

func (s *server) commandDeps() admin.Deps {
	return admin.Deps{
		Store: s.db, Users: s.rooms.users, Sessions: s.rooms.sessions, Roles: s.rooms.roles, Ledger: s.rooms.ledger, Directories: s.rooms.directories, Naming: s.naming(), Credentials: s.rooms.credentials, Mail: s.rooms.mail,
		Devices: s.devices.Service, EnrolAt: s.enrolAt, Kit: s.kit,
		Settings: s.cfg.Settings(), Currency: s.cfg.Currency, Status: s.status, Clock: s.now, Logger: s.logger, Capabilities: s.capabilities,
		Backup: func(ctx context.Context, w io.Writer) error { return s.backup(ctx, w) },
	}
}

func (s *server) status(ctx context.Context) admin.Status {
	st := admin.Status{
		Version: buildinfo.Version, StartedAt: s.started, Addresses: s.addresses(), CAFile: s.identity.CAFile(), CAPin: s.identity.CAPin().String(),
		Database: "sqlite", Streams: s.rooms.hub.Count(), Ledger: s.rooms.ledger.Verdict().String(),
		Devices: s.enrolAt().Address, Setup: s.setup(),
	}
	if !s.cfg.Database.Empty() {
		st.Database = "postgres"
	}
	if err := s.ready(ctx); err != nil {
		st.Problem = err.Error()
	}
	st.Kept = int(s.rooms.retention.kept.Load())
	if s.rooms.mail != nil {
		st.Mail = s.rooms.mail.Problem()
	}
	return st
}

// tokens are the sessions as HTTP needs them.
type tokens struct {
	manager *sessions.Manager
	db      store.Store
	now     clock.Clock
}

var _ httpapi.Sessions = tokens{}

func (t tokens) Issue(ctx context.Context, user core.User, from httpapi.From) (httpapi.Tokens, error) {
	issued, _, err := t.manager.Issue(ctx, user.ID, info(from))
	return httpapi.Tokens(issued), err
}

func (t tokens) Refresh(ctx context.Context, token secret.String, from httpapi.From) (httpapi.Tokens, core.User, error) {
	issued, session, err := t.manager.Refresh(ctx, token, info(from))
	if err != nil {
		return httpapi.Tokens{}, core.User{}, err
	}
	var u core.User
	err = t.db.View(ctx, func(tx store.Tx) (err error) {
		u, err = tx.User(ctx, session.UserID)
		return err
	})
	return httpapi.Tokens(issued), u, err
}

func (t tokens) Authenticate(ctx context.Context, access secret.String) (core.Session, core.User, error) {
	return t.manager.Authenticate(ctx, access)
}

func (t tokens) Check(ctx context.Context, id string) (core.User, error) {
	var u core.User
	err := t.db.View(ctx, func(tx store.Tx) error {
		session, err := tx.Session(ctx, id)
		if err != nil {
			return err
		}
		if u, err = tx.User(ctx, session.UserID); err != nil {
			return err
		}
		if !session.RevokedAt.IsZero() || !t.now().Before(session.RefreshExpires) || !u.Active() {
			return core.ErrUnauthenticated
		}
		return nil
	})
	if errors.Is(err, core.ErrNotFound) {
		return core.User{}, core.ErrUnauthenticated
	}
	return u, err
}

func (t tokens) Revoke(ctx context.Context, user core.UserID, session string) error {
	return t.manager.Revoke(ctx, actorOf(user), user, session)
}

func (t tokens) List(ctx context.Context, user core.UserID) ([]core.Session, error) {
	return t.manager.List(ctx, user)
}

func info(from httpapi.From) sessions.Info {
	return sessions.Info{Assurance: from.Assurance, Device: from.Device, StaySignedIn: from.StaySignedIn, Client: from.Client, Host: from.Host, Address: addressText(from.Address)}
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// money is the ledger as HTTP needs it.
type money struct{ *ledger.Ledger }

var _ httpapi.Ledger = money{}

func (m money) BalanceHistory(ctx context.Context, user core.UserID, from, to time.Time, step time.Duration) ([]httpapi.Point, error) {
	points, err := m.Ledger.BalanceHistory(ctx, user, from, to, step)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Point, len(points))
	for i, p := range points {
		out[i] = httpapi.Point{At: p.At, Amount: p.Balance}
	}
	return out, nil
}
