package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/events"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/schedule"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// rooms are the use cases.
type rooms struct {
	hub         *events.Hub
	sessions    *sessions.Manager
	roles       *roles.Service
	users       *users.Service
	ledger      *ledger.Ledger
	signin      *signin.Service
	syncer      *dirsync.Syncer
	directories *directories
	idp         *idp
	codes       *codes.Service
	credentials *credentials.Service
	mail        *mail.Service  // nil without mail:
	notify      dirsync.Notify // nil without mail:
	retention   *retention
}

func (s *server) openRooms(ctx context.Context) (*rooms, error) {
	dirs := &directories{
		cfg: s.cfg, db: s.db, keys: s.keys, logger: s.logger, now: s.now, schedule: schedule.New(s.now, s.logger), reconfigure: s.follow,
		tokens: scim.NewTokens(s.db, s.now), tenantURL: s.tenantURL, turns: map[core.SourceID]chan struct{}{}, ends: map[core.SourceID][]directory.Expiry{},
	}
	if err := readDirectories(ctx, dirs); err != nil {
		return nil, err
	}
	if len(dirs.all()) > 0 {
		s.cfg.AddTrust()
	}
	r := &rooms{hub: events.New(), directories: dirs}
	r.sessions = sessions.New(s.db, s.now, sessions.Options{
		Logger: s.logger,
		OnEnd:  func(id string, user core.UserID) { r.hub.EndSession(user, id) },
	})
	r.roles = s.openRoles()
	// Who was disabled is signed out at once; and every open stream of a changed person looks at them again.
	changed := func(id core.UserID) {
		r.sessions.UserChanged(context.Background(), id)
		r.hub.Touch(id)
	}
	hasher := passhash.New(passhash.DefaultParams())
	if err := s.openCards(r, hasher); err != nil {
		return nil, err
	}
	r.users = users.New(users.Deps{
		Store: s.db, Clock: s.now, Hasher: hasher, OnChange: changed, Credentials: r.credentials,
		ChecksPasswords: func(id core.SourceID) bool { return dirs.checker(id) != nil },
	})
	r.ledger = ledger.New(s.db, s.now, ledger.Options{
		Currency: s.cfg.Currency, Logger: s.logger,
		OnCommit: func(changes []ledger.Change) {
			for _, c := range changes {
				r.hub.Publish(c.Account)
			}
		},
	})
	r.syncer = dirsync.New(s.db, s.now, dirsync.Config{
		Logger: s.logger, Keys: s.keys, Credentials: r.credentials, Notify: r.notify, OnChange: changed, OnFailure: dirs.failed,
	})
	dirs.syncer, dirs.mail = r.syncer, r.mail
	r.retention = &retention{rules: s.cfg.Retention, db: s.db, now: s.now, logger: s.logger, balance: r.ledger.Balance, erase: r.users.Erase}
	r.codes = codes.New(s.db, s.now)
	if err := checkSources(s.cfg, dirs.entries()); err != nil {
		return nil, err
	}
	var err error
	if r.idp, err = openIdentityProviders(s.cfg, s.db, s.now, s.logger); err != nil {
		return nil, err
	}
	r.signin, err = s.openSignIn(r, dirs, hasher)
	return r, err
}

// openCards makes the rooms of cards, codes and mail.
func (s *server) openCards(r *rooms, hasher *passhash.Hasher) error {
	policy := credentials.PolicyOf(s.cfg.AccessCodes, s.cfg.Cards)
	if m := s.cfg.Mail; m != nil {
		var err error
		if r.mail, err = mail.New(mail.Deps{
			Store: s.db, Clock: s.now, Keys: s.keys, Settings: mail.SettingsOf(m), Organisation: s.cfg.Organisation, HelpText: s.cfg.HelpText, PortalURL: s.cfg.PortalURL,
			ShowCode: func(c secret.String) secret.String { return secret.New(policy.Format.Show(c.Reveal())) }, Logger: s.logger,
			CodeState: func(ctx context.Context, tx store.Tx, user core.UserID, code secret.String) (state mail.CodeState, err error) {
				state.InForce, state.NeedsPIN, err = r.credentials.CodeState(ctx, tx, user, code)
				return state, err
			},
		}); err != nil {
			return err
		}
		r.notify = r.mail.Notify
	}
	r.credentials = credentials.New(credentials.Deps{
		Store: s.db, Clock: s.now, Keys: s.keys, Policy: policy, Hasher: hasher, Notify: r.notify, Logger: s.logger,
	})
	return nil
}

// follow makes the rooms that ask directories follow a changed list of them.
func (s *server) follow(list []*configuredSource) error {
	entries := entriesOf(list)
	if err := s.rooms.signin.Configure(rulesOf(s.cfg, entries), checkersOf(list), s.rooms.idp.cloud(s.cfg, entries)); err != nil {
		return err
	}
	s.devices.SetRules(rulesOf(s.cfg, entries))
	return nil
}

// naming is whose names are whose, for commands.
func (s *server) naming() admin.Naming {
	d := s.rooms.directories
	return admin.Naming{
		Rules: func() names.Rules { return rulesOf(s.cfg, d.entries()) }, Providers: s.cfg.PrintProviders,
		UsernameRule: func(id core.SourceID) string {
			c, err := d.find(id)
			if err != nil {
				return ""
			}
			return c.entry.UsernameRule()
		},
	}
}

// keepHouse forgets what is over, once an hour, until ctx ends.
func (r *rooms) keepHouse(ctx context.Context, logger *slog.Logger) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		_, sessionsErr := r.sessions.Purge(ctx)
		_, limitsErr := r.signin.Purge(ctx)
		_, codesErr := r.codes.Purge(ctx)
		_, keptErr := r.retention.keep(ctx)
		if err := errors.Join(sessionsErr, limitsErr, codesErr, r.syncer.Purge(ctx), r.directories.tokens.Purge(ctx), keptErr); err != nil && ctx.Err() == nil {
			logger.Error("what is over could not be forgotten", "error", err)
		}
		r.directories.tellEnds(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
