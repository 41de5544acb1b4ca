package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// seen is what a fingerprint is kept as: NULL for none.
func seen(fingerprint [16]byte) any {
	if fingerprint == ([16]byte{}) {
		return nil
	}
	return fingerprint[:]
}

func scanSeen(row scanner) (store.DirectoryEntry, error) {
	var e store.DirectoryEntry
	err := row.Scan(&e.Source, &e.Key.Kind, &e.Key.ID, bytesOf{e.Fingerprint[:]}, &e.User)
	return e, err
}

// DirectoryEntries implements store.Entries.
func (t *tx) DirectoryEntries(ctx context.Context, source core.SourceID, yield func(store.DirectoryEntry)) error {
	return each(ctx, t, scanSeen, fmt.Sprintf("read what was seen of %q", source), `SELECT source, kind, immutable_id, fingerprint, user_id
		FROM directory_entries WHERE source = $1 ORDER BY kind, immutable_id`, yield, source)
}

// EntriesOf implements store.Entries.
func (t *tx) EntriesOf(ctx context.Context, ids []core.UserID, yield func(store.DirectoryEntry)) error {
	return eachOf(ctx, t, scanSeen, "read what was seen of users", `SELECT source, kind, immutable_id, fingerprint, user_id
		FROM directory_entries WHERE user_id IN (%s) ORDER BY user_id, source, kind, immutable_id`, ids, yield)
}

// PutDirectoryEntries implements store.Entries.
func (t *tx) PutDirectoryEntries(ctx context.Context, entries ...store.DirectoryEntry) error {
	if len(entries) == 0 {
		return nil
	}
	_, err := execMany(ctx, t, fmt.Sprintf("note what was seen of %q", entries[0].Source), insert{
		`INSERT INTO directory_entries (source, kind, immutable_id, fingerprint, user_id) VALUES`, 5,
		`ON CONFLICT (source, kind, immutable_id) DO UPDATE SET fingerprint = excluded.fingerprint, user_id = excluded.user_id`,
	}, entries, func(e store.DirectoryEntry) []any {
		return []any{e.Source, e.Key.Kind, e.Key.ID, seen(e.Fingerprint), e.User}
	})
	return err
}

// DeleteDirectoryEntries implements store.Entries.
func (t *tx) DeleteDirectoryEntries(ctx context.Context, source core.SourceID, keys ...store.Key) error {
	for _, k := range keys {
		if _, err := t.exec(ctx, fmt.Sprintf("forget what was seen of %q", source),
			`DELETE FROM directory_entries WHERE source = $1 AND kind = $2 AND immutable_id = $3`, source, k.Kind, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// LookAgain implements store.Entries.
func (t *tx) LookAgain(ctx context.Context, source core.SourceID) error {
	for _, text := range []string{
		`UPDATE directory_entries SET fingerprint = NULL WHERE source = $1 AND fingerprint IS NOT NULL`,
		`UPDATE directory_groups SET fingerprint = NULL WHERE source = $1 AND fingerprint IS NOT NULL`,
	} {
		if _, err := t.exec(ctx, fmt.Sprintf("look again at %q", source), text, source); err != nil {
			return err
		}
	}
	return nil
}

// LookAgainAt implements store.Entries.
func (t *tx) LookAgainAt(ctx context.Context, id core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("look again at user %d", id),
		`UPDATE directory_entries SET fingerprint = NULL WHERE user_id = $1 AND fingerprint IS NOT NULL`, id)
	return err
}

const stateColumns = `source, bookmark, last_attempt, last_success, last_full, failures, problem, told, paused_at, paused_why`

func scanState(row scanner) (core.SourceState, error) {
	var s core.SourceState
	err := row.Scan(&s.Source, &s.Bookmark, timeOf{&s.LastAttempt}, timeOf{&s.LastSuccess}, timeOf{&s.LastFull}, &s.Failures, &s.Problem,
		&s.Told, timeOf{&s.PausedAt}, &s.PausedWhy)
	return s, err
}

// SourceState implements store.Directories.
func (t *tx) SourceState(ctx context.Context, source core.SourceID) (core.SourceState, error) {
	s, err := one(ctx, t, scanState, fmt.Sprintf("read how %q stands", source), `SELECT `+stateColumns+` FROM directory_states WHERE source = $1`, source)
	if errors.Is(err, core.ErrNotFound) {
		return core.SourceState{Source: source}, nil
	}
	return s, err
}

// SourceStates implements store.Directories.
func (t *tx) SourceStates(ctx context.Context) ([]core.SourceState, error) {
	return all(ctx, t, scanState, "read how the directories stand", `SELECT `+stateColumns+` FROM directory_states ORDER BY source`)
}

// PutSourceState implements store.Directories.
func (t *tx) PutSourceState(ctx context.Context, s core.SourceState) error {
	var bookmark any
	if s.Bookmark != nil {
		bookmark = s.Bookmark
	}
	_, err := t.exec(ctx, fmt.Sprintf("note how %q stands", s.Source), `INSERT INTO directory_states (`+stateColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (source) DO UPDATE SET bookmark = excluded.bookmark, last_attempt = excluded.last_attempt,
			last_success = excluded.last_success, last_full = excluded.last_full, failures = excluded.failures,
			problem = excluded.problem, told = excluded.told, paused_at = excluded.paused_at, paused_why = excluded.paused_why`,
		s.Source, bookmark, s.LastAttempt, s.LastSuccess, s.LastFull, s.Failures, s.Problem, s.Told, s.PausedAt, s.PausedWhy)
	return err
}

// ForgetInDirectories implements store.Directories. A group that loses a member here is looked at again: the directory may list
// the person still.
func (t *tx) ForgetInDirectories(ctx context.Context, id core.UserID) error {
	doing := fmt.Sprintf("forget what directories listed of user %d", id)
	identities, err := t.UserIdentities(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range identities {
		const groups = `(SELECT e.group_id FROM directory_edges e JOIN directory_groups g ON g.id = e.group_id
			WHERE g.source = $1 AND e.member_kind = $2 AND e.member_id = $3)`
		for _, text := range []string{
			`UPDATE directory_groups SET fingerprint = NULL WHERE id IN ` + groups,
			`DELETE FROM directory_edges WHERE group_id IN (SELECT id FROM directory_groups WHERE source = $1) AND member_kind = $2 AND member_id = $3`,
		} {
			if _, err := t.exec(ctx, doing, text, e.Source, e.Kind, e.ImmutableID); err != nil {
				return err
			}
		}
	}
	for _, text := range []string{
		`DELETE FROM directory_entries WHERE user_id = $1`,
		`DELETE FROM directory_journal WHERE user_id = $1`,
	} {
		if _, err := t.exec(ctx, doing, text, id); err != nil {
			return err
		}
	}
	for _, text := range []string{`DELETE FROM directory_plan_parts`, `DELETE FROM directory_plans`} {
		if _, err := t.exec(ctx, doing, text); err != nil {
			return err
		}
	}
	return nil
}
