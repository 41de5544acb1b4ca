package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

var _ admin.Directories = (*directories)(nil)

// checkWithin is how long a directory may take to answer before it is kept.
const checkWithin = time.Minute

// notYetApplied is why a directory that was just added is not read by the clock.
const notYetApplied = "it was added and nothing of it was applied yet"

// IDs implements admin.Directories.
func (d *directories) IDs() []core.SourceID {
	var ids []core.SourceID
	for _, c := range d.all() {
		ids = append(ids, c.source.ID())
	}
	return ids
}

// Check implements admin.Directories.
func (d *directories) Check(ctx context.Context, id core.SourceID) (string, error) {
	c, err := d.find(id)
	if err != nil {
		return "", err
	}
	return check(ctx, c.source)
}

func check(ctx context.Context, source directory.Source) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return source.Check(ctx)
}

// Add implements admin.Directories.
func (d *directories) Add(ctx context.Context, actor string, in admin.DirectoryAdd) (admin.DirectoryAdded, error) {
	d.change.Lock()
	defer d.change.Unlock()
	id := core.SourceID(in.ID)
	if c, err := d.find(id); err == nil {
		where := "it was added from the command line; change it with: platen-server sync set " + in.ID
		if c.origin != "" {
			where = "it stands in the configuration, at " + c.origin
		}
		return admin.DirectoryAdded{}, fmt.Errorf("%w: there is a directory %q already: %s", core.ErrConflict, in.ID, where)
	}
	entry, err := assign(configured.Config{ID: in.ID, Type: in.Type}, in.Set)
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	now := d.now()
	kept := core.ConfiguredSource{ID: id, CreatedAt: now, ChangedAt: now, ChangedBy: actor}
	c, says, err := d.prepare(ctx, kept, entry, in.Secrets, in.Untested)
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	err = d.take(ctx, d.replace(id, c), func(tx store.Tx) error {
		if err := tx.PutConfiguredSource(ctx, c.kept); err != nil {
			return err
		}
		if entry.Type != configured.TypeSCIM {
			if err := pause(ctx, tx, id, now, notYetApplied); err != nil {
				return err
			}
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "directory.add", Target: "directory:" + in.ID, Detail: in.Type})
	})
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	d.schedule.Set(d.job(c))
	out := admin.DirectoryAdded{Says: says, Note: d.nextStart(c)}
	if entry.Type == configured.TypeSCIM {
		token, _, err := d.tokens.Issue(ctx, actor, id, scim.TokenOptions{})
		if err != nil {
			return out, fmt.Errorf("the directory %q is added, but has no token: %w; make one with: platen-server sync token %s --rotate", id, err, id)
		}
		out.Token = token.Reveal()
	}
	out.Directory, err = d.Show(ctx, id)
	return out, err
}

// nextStart says what of a new directory is not so before the server starts again, "" for nothing.
func (d *directories) nextStart(c *configuredSource) string {
	if _, checks := c.source.(directory.PasswordChecker); checks && d.cfg.DeviceListen != "" && !slices.Contains(d.cfg.SignIn.Modes, api.MethodTrust) {
		return "Enrolled computers vouch for its people from the server's next start on, or once trust stands in sign_in.modes."
	}
	return ""
}

// Set implements admin.Directories.
func (d *directories) Set(ctx context.Context, actor string, in admin.DirectorySet) (admin.DirectoryAdded, error) {
	d.change.Lock()
	defer d.change.Unlock()
	id := core.SourceID(in.ID)
	have, err := d.changeable(id)
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	entry, err := configured.Decode(have.kept.Config)
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	if entry, err = assign(entry, in.Set); err != nil {
		return admin.DirectoryAdded{}, err
	}
	kept := have.kept
	kept.ChangedAt, kept.ChangedBy = d.now(), actor
	c, says, err := d.prepare(ctx, kept, entry, in.Secrets, in.Untested || onlyHere(in))
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	err = d.take(ctx, d.replace(id, c), func(tx store.Tx) error {
		if err := tx.PutConfiguredSource(ctx, c.kept); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: kept.ChangedAt, Actor: actor, Action: "directory.set", Target: "directory:" + in.ID, Detail: strings.Join(changedKeys(in), ",")})
	})
	if err != nil {
		return admin.DirectoryAdded{}, err
	}
	job := d.job(c)
	job.First = job.Interval // an administrator looks at a plan before what was changed acts by itself
	d.schedule.Set(job)
	shown, err := d.Show(ctx, id)
	return admin.DirectoryAdded{Directory: shown, Says: says}, err
}

// ours are keys that the directory has no part in: it need not answer for them to change.
var ours = []string{"interval", "manual", "notify", "auto_delete", "replaces", "brake", "lockout", "upn_suffixes", "auto_create", "auto_update"}

func onlyHere(in admin.DirectorySet) bool {
	for _, key := range changedKeys(in) {
		first, _, _ := strings.Cut(key, ".")
		if !slices.Contains(ours, first) {
			return false
		}
	}
	return true
}

func changedKeys(in admin.DirectorySet) []string {
	keys := slices.Sorted(maps.Keys(in.Secrets))
	for _, assignment := range in.Set {
		key, _, _ := strings.Cut(assignment, "=")
		keys = append(keys, strings.TrimSpace(key))
	}
	return keys
}

func assign(entry configured.Config, assignments []string) (configured.Config, error) {
	for _, assignment := range assignments {
		var err error
		if entry, err = entry.Set(assignment); err != nil {
			return entry, err
		}
	}
	return entry, nil
}

// prepare builds a source of the database, seals its secrets and asks the directory whether it answers.
func (d *directories) prepare(ctx context.Context, kept core.ConfiguredSource, entry configured.Config, secrets map[string]string, untested bool) (*configuredSource, string, error) {
	sealed := maps.Clone(kept.Secrets)
	if sealed == nil {
		sealed = map[string][]byte{}
	}
	for key, value := range secrets {
		if !slices.Contains(configured.SecretKeys(entry.Type), key) {
			return nil, "", fmt.Errorf("%w: a directory of type %s has no secret %q", core.ErrInvalid, entry.Type, key)
		}
		if delete(sealed, key); value != "" {
			sealed[key] = d.keys.Seal(sealedSecrets, sealedAt(kept.ID, key), []byte(value))
		}
	}
	text, err := configured.Encode(entry)
	if err != nil {
		return nil, "", err
	}
	kept.Config, kept.Secrets = text, sealed
	c, err := d.build(kept)
	if err != nil {
		return nil, "", err
	}
	if untested {
		return c, "", nil
	}
	says, err := check(ctx, c.source)
	if err != nil {
		return nil, "", fmt.Errorf("nothing was changed, as the directory does not answer as it should: %w", err)
	}
	return c, says, nil
}

// Remove implements admin.Directories.
func (d *directories) Remove(ctx context.Context, actor string, id core.SourceID) (int, error) {
	d.change.Lock()
	defer d.change.Unlock()
	if _, err := d.changeable(id); err != nil {
		return 0, err
	}
	list := d.replace(id, nil)
	if err := checkSources(d.cfg, entriesOf(list)); err != nil {
		return 0, fmt.Errorf("%w; take it out of there first", err)
	}
	stays := 0
	err := d.take(ctx, list, func(tx store.Tx) (err error) {
		if err := tx.DeleteConfiguredSource(ctx, id); err != nil {
			return err
		}
		if err := dirsync.Forget(ctx, tx, id); err != nil {
			return err
		}
		if stays, err = tx.CountUsers(ctx, store.UserFilter{Source: &id}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: d.now(), Actor: actor, Action: "directory.remove", Target: "directory:" + string(id)})
	})
	if err != nil {
		return 0, err
	}
	d.schedule.Remove(id)
	if _, err := d.tokens.Revoke(ctx, actor, id, ""); err != nil && !errors.Is(err, core.ErrNotFound) {
		return stays, fmt.Errorf("the directory %q is removed, but its tokens are still there: %w", id, err)
	}
	return stays, nil
}

// Schedule implements admin.Directories.
func (d *directories) Schedule(ctx context.Context, actor string, in admin.DirectorySchedule) (admin.Directory, error) {
	id := core.SourceID(in.ID)
	c, err := d.find(id)
	if err != nil {
		return admin.Directory{}, err
	}
	if c.entry.Type == configured.TypeSCIM && (in.Every != "" || in.Manual) {
		return admin.Directory{}, fmt.Errorf("%w: the directory %q sends its changes by itself; its provisioning interval is set there", core.ErrInvalid, id)
	}
	var set []string
	switch {
	case in.Every != "":
		set = []string{"interval=" + in.Every, "manual="}
	case in.Manual:
		set = []string{"manual=yes"}
	}
	if set != nil {
		if _, err := d.Set(ctx, actor, admin.DirectorySet{ID: in.ID, Set: set, Untested: true}); err != nil {
			return admin.Directory{}, err
		}
	}
	if in.Pause != "" || in.Resume {
		now := d.now()
		err := d.db.Update(ctx, func(tx store.Tx) error {
			action := "directory.pause"
			if in.Resume {
				now, action = time.Time{}, "directory.resume"
			}
			if err := pause(ctx, tx, id, now, in.Pause); err != nil {
				return err
			}
			return tx.AppendAudit(ctx, core.AuditEvent{At: d.now(), Actor: actor, Action: action, Target: "directory:" + in.ID})
		})
		if err != nil {
			return admin.Directory{}, err
		}
		if in.Resume {
			d.schedule.Kick(id)
		}
	}
	return d.Show(ctx, id)
}

// pause stops the clock for a directory, or with a zero time lets it go on.
func pause(ctx context.Context, tx store.Tx, id core.SourceID, at time.Time, why string) error {
	state, err := tx.SourceState(ctx, id)
	if err != nil {
		return err
	}
	state.PausedAt, state.PausedWhy = at, why
	return tx.PutSourceState(ctx, state)
}

// List implements admin.Directories.
func (d *directories) List(ctx context.Context) ([]admin.Directory, error) {
	list := []admin.Directory{}
	for _, c := range d.all() {
		shown, err := d.shown(ctx, c)
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	return list, nil
}

// Show implements admin.Directories. It asks the directory when what it signs in with ends.
func (d *directories) Show(ctx context.Context, id core.SourceID) (admin.Directory, error) {
	c, err := d.find(id)
	if err != nil {
		return admin.Directory{}, err
	}
	shown, err := d.shown(ctx, c)
	if err != nil {
		return admin.Directory{}, err
	}
	if shown.Settings, err = configured.Encode(c.written); err != nil {
		return admin.Directory{}, err
	}
	shown.Secrets = slices.Sorted(maps.Keys(c.kept.Secrets))
	ends, err := d.expiries(ctx, c)
	if err != nil {
		shown.Unknown = err.Error()
	}
	shown.Expiries = nil
	for _, e := range ends {
		shown.Expiries = append(shown.Expiries, expiry(e, d.now()))
	}
	return shown, nil
}

// expiries are what a directory, or we for it, must renew some day.
func (d *directories) expiries(ctx context.Context, c *configuredSource) ([]directory.Expiry, error) {
	if c.entry.Type == configured.TypeSCIM {
		return d.tokenExpiries(ctx, c.source.ID())
	}
	expiring, ok := c.source.(directory.Expiring)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return expiring.Expiries(ctx)
}

// tokenExpiries are the ends of the live tokens of a directory that sends by itself.
func (d *directories) tokenExpiries(ctx context.Context, id core.SourceID) ([]directory.Expiry, error) {
	tokens, err := d.tokens.List(ctx, id)
	var ends []directory.Expiry
	for _, t := range tokens {
		if t.RevokedAt.IsZero() && d.now().Before(t.ExpiresAt) {
			ends = append(ends, directory.Expiry{What: fmt.Sprintf("the token %s; make another one with: platen-server sync token %s --rotate", t.ID, id), At: t.ExpiresAt})
		}
	}
	return ends, err
}

func expiry(e directory.Expiry, now time.Time) admin.Expiry {
	return admin.Expiry{What: e.What, At: e.At, Days: int(e.At.Sub(now).Hours() / 24)}
}

// shown is what is known here of a directory.
func (d *directories) shown(ctx context.Context, c *configuredSource) (admin.Directory, error) {
	id := c.source.ID()
	out := admin.Directory{ID: string(id), Type: c.entry.Type, Origin: c.origin, Every: c.entry.Interval.String(), NextRun: optional(d.schedule.Next(id))}
	if out.Origin == "" {
		out.Origin = "command line"
	}
	switch {
	case c.entry.Type == configured.TypeSCIM:
		out.Every = "sends by itself"
	case c.entry.Manual:
		out.Every = "by hand"
	}
	out.Brake, out.Scope = brakeWords(c.entry.Brake), scopeWords(c.entry.Scope)
	if c.entry.Type == configured.TypeSCIM {
		out.TenantURL, out.Scope = d.tenantURL(), "whom the other side assigns"
	}
	err := d.db.View(ctx, func(tx store.Tx) (err error) {
		if out.People, err = tx.CountUsers(ctx, store.UserFilter{Source: &id}); err != nil {
			return err
		}
		state, err := tx.SourceState(ctx, id)
		if err != nil {
			return err
		}
		out.PausedAt, out.PausedWhy = optional(state.PausedAt), state.PausedWhy
		out.LastAttempt, out.LastSuccess, out.LastFull = optional(state.LastAttempt), optional(state.LastSuccess), optional(state.LastFull)
		out.Failures, out.Problem = state.Failures, state.Problem
		return nil
	})
	for _, e := range d.endsOf(id) {
		out.Expiries = append(out.Expiries, expiry(e, d.now()))
	}
	to, why := d.hearers(c)
	if out.Told = strings.Join(to, ", "); why != "" {
		out.Told = why
	}
	if b, ok := c.source.(broken); ok {
		out.Problem = b.err.Error()
	}
	if out.PausedAt != nil {
		out.NextRun = nil
	}
	return out, err
}

func brakeWords(b configured.Brake) string {
	or := func(n, standard int) string {
		if n == 0 {
			n = standard
		}
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("stops at more than %s %% disabled or %s %% renamed, and more than %s people", or(b.Disabled, 5), or(b.Renamed, 20), or(b.Floor, 10))
}

func scopeWords(s configured.Scope) string {
	if len(s.Groups) == 0 {
		return "everybody"
	}
	words := "members of " + strings.Join(s.Groups, ", ")
	if s.Direct {
		return words + ", not of groups within"
	}
	return words + ", and of groups within"
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
