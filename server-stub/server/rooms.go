package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/events"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/signin"
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
}

func (s *server) openRooms() (*rooms, error) {
	dirs, err := readDirectories(s.cfg)
	if err != nil {
		return nil, err
	}
	if err := dirs.build(s.logger, s.now); err != nil {
		return nil, err
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
	r.users = users.New(users.Deps{
		Store: s.db, Clock: s.now, Hasher: hasher, OnChange: changed,
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
	r.syncer = dirsync.New(s.db, s.now, dirsync.Config{Logger: s.logger, OnChange: changed})
	dirs.syncer = r.syncer
	r.codes = codes.New(s.db, s.now)
	if err := checkSources(s.cfg, dirs.entries); err != nil {
		return nil, err
	}
	if r.idp, err = openIdentityProviders(s.cfg, s.db, s.now, s.logger); err != nil {
		return nil, err
	}
	r.signin, err = s.openSignIn(r, dirs, hasher)
	return r, err
}

// keepHouse forgets what is over, once an hour, until ctx ends.
func (r *rooms) keepHouse(ctx context.Context, logger *slog.Logger) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		_, sessionsErr := r.sessions.Purge(ctx)
		_, limitsErr := r.signin.Purge(ctx)
		_, codesErr := r.codes.Purge(ctx)
		if err := errors.Join(sessionsErr, limitsErr, codesErr); err != nil && ctx.Err() == nil {
			logger.Error("what is over could not be forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// directories are the configured sources.
type directories struct {
	entries []configured.Config
	list    []configuredSource
	syncer  *dirsync.Syncer
}

type configuredSource struct {
	source   directory.Source
	interval time.Duration
	brake    dirsync.Brake
	lockout  signin.Lockout
}

// readDirectories reads the list of the configuration, strictly.
func readDirectories(cfg *config.Config) (*directories, error) {
	d := &directories{}
	if cfg.Directories == nil {
		return d, nil
	}
	for _, node := range cfg.Directories.Content {
		text, err := yaml.Marshal(node)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: directories: %w", cfg.File, node.Line, err)
		}
		dec := yaml.NewDecoder(strings.NewReader(string(text)))
		dec.KnownFields(true)
		var entry configured.Config
		if err := dec.Decode(&entry); err != nil {
			return nil, fmt.Errorf("%s:%d: directories, the entry that begins here: %w", cfg.File, node.Line, err)
		}
		d.entries = append(d.entries, entry.Relative(filepath.Dir(cfg.File)))
	}
	return d, nil
}

func (d *directories) build(logger *slog.Logger, now clock.Clock) error {
	sources, err := configured.Build(d.entries, nil, logger, now)
	if err != nil {
		return err
	}
	for i, source := range sources {
		e := d.entries[i].WithDefaults()
		d.list = append(d.list, configuredSource{source, e.Interval, dirsync.Brake(e.Brake), lockoutOf(e.Lockout)})
	}
	return nil
}

func (d *directories) find(id core.SourceID) (configuredSource, error) {
	for _, c := range d.list {
		if c.source.ID() == id {
			return c, nil
		}
	}
	return configuredSource{}, fmt.Errorf("%w: there is no directory %q in the configuration", core.ErrNotFound, id)
}

// checker returns what checks the passwords of a source's people, nil when nothing does.
func (d *directories) checker(id core.SourceID) directory.PasswordChecker {
	c, err := d.find(id)
	if err != nil {
		return nil
	}
	checker, _ := c.source.(directory.PasswordChecker)
	return checker
}

// IDs implements admin.Directories.
func (d *directories) IDs() []core.SourceID {
	ids := make([]core.SourceID, 0, len(d.list))
	for _, c := range d.list {
		ids = append(ids, c.source.ID())
	}
	return ids
}

// Sync implements admin.Directories.
func (d *directories) Sync(ctx context.Context, id core.SourceID, approve string) (core.SyncRun, error) {
	c, err := d.find(id)
	if err != nil {
		return core.SyncRun{}, err
	}
	for {
		run, err := d.syncer.Sync(ctx, c.source, dirsync.Options{Brake: c.brake, Approve: approve})
		if run.Outcome != "" || !errors.Is(err, core.ErrConflict) {
			return run, err
		}
		// It is being synchronised by the clock just now: what the administrator wants to see may have come too late for it.
		select {
		case <-ctx.Done():
			return run, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Check implements admin.Directories.
func (d *directories) Check(ctx context.Context, id core.SourceID) (string, error) {
	c, err := d.find(id)
	if err != nil {
		return "", err
	}
	return c.source.Check(ctx)
}
