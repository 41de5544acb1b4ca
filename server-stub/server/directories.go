package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/schedule"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

// directories are the sources: those of the configuration file, and those that an administrator added from the command line,
// which the database keeps. The latter come, change and go while the server runs. Safe for concurrent use.
type directories struct {
	cfg    *config.Config
	db     store.Store
	keys   *keys.Keys
	logger *slog.Logger
	now    clock.Clock

	tokens    *scim.Tokens  // of directories that send by themselves
	tenantURL func() string // where they send to

	syncer   *dirsync.Syncer
	mail     *mail.Service // nil: nobody is told
	schedule *schedule.Scheduler
	// reconfigure makes other rooms follow a list before it counts; its error says why it cannot.
	reconfigure func(list []*configuredSource) error

	change sync.Mutex // one change at a time

	mu    sync.RWMutex
	ends  map[core.SourceID][]directory.Expiry // that were last seen
	turns map[core.SourceID]chan struct{}      // held by whoever reads or changes a directory's people
	list  []*configuredSource                  // those of the file in its order, then the others by id; never changed in place
}

// configuredSource is one directory. It is never changed in place.
type configuredSource struct {
	entry   configured.Config // with the settings of the whole site, and defaults
	written configured.Config // without them
	source  directory.Source
	origin  string                // where the file has it, "" for one of the database
	kept    core.ConfiguredSource // of the database
}

// readDirectories reads the list of the configuration, strictly, and then the database's.
func readDirectories(ctx context.Context, d *directories) error {
	if err := d.readFile(); err != nil {
		return err
	}
	return d.readDatabase(ctx)
}

func (d *directories) readFile() error {
	if d.cfg.Directories == nil {
		return nil
	}
	var entries, written []configured.Config
	var origins []string
	for _, node := range d.cfg.Directories.Content {
		origin := fmt.Sprintf("%s:%d", d.cfg.File, node.Line)
		text, err := yaml.Marshal(node)
		if err != nil {
			return fmt.Errorf("%s: directories: %w", origin, err)
		}
		dec := yaml.NewDecoder(strings.NewReader(string(text)))
		dec.KnownFields(true)
		var entry configured.Config
		if err := dec.Decode(&entry); err != nil {
			return fmt.Errorf("%s: directories, the entry that begins here: %w", origin, err)
		}
		entry = entry.Relative(filepath.Dir(d.cfg.File))
		entries, written, origins = append(entries, d.ofSite(entry)), append(written, entry), append(origins, origin)
	}
	sources, err := configured.Build(entries, nil, d.logger, d.now)
	if err != nil {
		return err
	}
	for i, source := range sources {
		d.list = append(d.list, &configuredSource{entry: entries[i].WithDefaults(), written: written[i], source: source, origin: origins[i]})
	}
	return nil
}

// readDatabase adds what the database keeps. One that cannot be built, or that the file has too, keeps nobody from starting.
func (d *directories) readDatabase(ctx context.Context) error {
	var kept []core.ConfiguredSource
	err := d.db.View(ctx, func(tx store.Tx) (err error) {
		kept, err = tx.ConfiguredSources(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range kept {
		if c, err := d.find(k.ID); err == nil {
			d.logger.WarnContext(ctx, "a directory stands in the configuration and was added from the command line too; that of the configuration counts, "+
				"remove it there or give it another id", "source", string(k.ID), "configuration", c.origin)
			continue
		}
		c, err := d.build(k)
		if err != nil {
			d.logger.ErrorContext(ctx, "a directory cannot be used as it is set; change it with: platen-server sync set", "source", string(k.ID), "error", err)
			c = &configuredSource{entry: configured.Config{ID: string(k.ID)}.WithDefaults(), source: broken{k.ID, err}, kept: k}
		}
		d.list = append(d.list, c)
	}
	return nil
}

// ofSite gives an entry the settings of the whole site where it has none of its own.
func (d *directories) ofSite(e configured.Config) configured.Config {
	// username: says the same more clearly, so it goes before.
	if e.Type == configured.TypeLDAP && e.UPNAsUsername == nil && e.Username == "" {
		e.UPNAsUsername = d.cfg.Compat.UPNAsUsername
	}
	if e.Type == configured.TypeEntra && e.UpdateCardID == nil {
		e.UpdateCardID = d.cfg.Compat.UpdateCardID
	}
	if e.Type == configured.TypeGoogle && e.WatchURL == "" && d.cfg.PublicURL != nil {
		e.WatchURL = d.cfg.PublicURL.String()
	}
	return e
}

// build makes the source of an entry of the database.
func (d *directories) build(k core.ConfiguredSource) (*configuredSource, error) {
	entry, err := configured.Decode(k.Config)
	if err != nil {
		return nil, err
	}
	whole := d.ofSite(entry)
	source, err := configured.One(whole, d.unsealed(k), d.logger, d.now)
	if err != nil {
		return nil, err
	}
	return &configuredSource{entry: whole.WithDefaults(), written: entry, source: source, kept: k}, nil
}

// unsealed gives out the secrets of an entry of the database.
func (d *directories) unsealed(k core.ConfiguredSource) configured.Secrets {
	return func(source core.SourceID, key string) directory.Secret {
		sealed := k.Secrets[key]
		if source != k.ID || sealed == nil {
			return nil
		}
		return func() (secret.String, error) {
			plain, err := d.keys.Open(sealedSecrets, sealedAt(source, key), sealed)
			if err != nil {
				return secret.String{}, fmt.Errorf("the kept %s of directory %q: %w; give it again with: platen-server sync set %s", key, source, err, source)
			}
			return secret.New(string(plain)), nil
		}
	}
}

const sealedSecrets = "directory secrets"

// sealedAt is the place that a secret is sealed for.
func sealedAt(source core.SourceID, key string) string {
	return "directory_source_secrets/" + string(source) + "/" + key
}

// broken is a source that cannot be built.
type broken struct {
	id  core.SourceID
	err error
}

func (b broken) ID() core.SourceID { return b.id }

func (b broken) Read(context.Context, directory.Request, directory.Sink) (directory.Reading, error) {
	return directory.Reading{}, b.err
}

func (b broken) Check(context.Context) (string, error) { return "", b.err }

// all is the list as it is now.
func (d *directories) all() []*configuredSource {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.list
}

func (d *directories) entries() []configured.Config { return entriesOf(d.all()) }

func entriesOf(list []*configuredSource) []configured.Config {
	entries := make([]configured.Config, 0, len(list))
	for _, c := range list {
		entries = append(entries, c.entry)
	}
	return entries
}

func (d *directories) find(id core.SourceID) (*configuredSource, error) {
	list := d.all()
	i := slices.IndexFunc(list, func(c *configuredSource) bool { return c.source.ID() == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: there is no directory %q; platen-server sync list shows those there are", core.ErrNotFound, id)
	}
	return list[i], nil
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

// replace makes a list without the source of that id, and with c at its place unless c is nil.
func (d *directories) replace(id core.SourceID, c *configuredSource) []*configuredSource {
	list := slices.DeleteFunc(slices.Clone(d.all()), func(have *configuredSource) bool { return have.source.ID() == id })
	if c == nil {
		return list
	}
	at := slices.IndexFunc(list, func(have *configuredSource) bool { return have.origin == "" && have.source.ID() > id })
	if at < 0 {
		at = len(list)
	}
	return slices.Insert(list, at, c)
}

// take makes a changed list count: first other rooms, which may refuse it, then the database by keep, then this one.
func (d *directories) take(ctx context.Context, list []*configuredSource, keep func(store.Tx) error) error {
	if err := d.reconfigure(list); err != nil {
		return err
	}
	if err := d.db.Update(ctx, keep); err != nil {
		if back := d.reconfigure(d.all()); back != nil {
			d.logger.ErrorContext(ctx, "directories are not as they are kept until the next start", "error", back)
		}
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = list
	return nil
}

// changeable returns a source of the database.
func (d *directories) changeable(id core.SourceID) (*configuredSource, error) {
	c, err := d.find(id)
	if err == nil && c.origin != "" {
		err = fmt.Errorf("%w: the directory %q stands in the configuration, at %s: change it there, and restart the server", core.ErrForbidden, id, c.origin)
	}
	return c, err
}
