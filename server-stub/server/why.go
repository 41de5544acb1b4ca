package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/store"
)

// Records implements admin.Directories.
func (d *directories) Records(ctx context.Context, id core.SourceID, keys []core.ExternalIdentity, name string) ([]admin.WhyRecord, error) {
	list := []admin.WhyRecord{}
	for _, c := range d.all() {
		if id != "" && c.source.ID() != id {
			continue
		}
		var mine []directory.Key
		for _, k := range keys {
			if k.Source == c.source.ID() && k.Kind != core.IdentitySID {
				mine = append(mine, directory.Key{Kind: k.Kind, ID: k.ImmutableID})
			}
		}
		if len(keys) > 0 && len(mine) == 0 && id == "" {
			continue // a person of other directories
		}
		record, err := d.record(ctx, c, mine, name)
		if err != nil {
			return nil, err
		}
		list = append(list, record)
	}
	return list, nil
}

// record is what one directory says.
func (d *directories) record(ctx context.Context, c *configuredSource, keys []directory.Key, name string) (admin.WhyRecord, error) {
	out := admin.WhyRecord{Source: string(c.source.ID())}
	if c.entry.Type == configured.TypeSCIM {
		out.Says = "it sends its changes by itself and cannot be asked; platen-server sync log " + out.Source + " shows what it sent"
		return out, nil
	}
	found, err := lookUp(ctx, c.source, keys, name)
	switch {
	case err != nil && ctx.Err() != nil:
		return out, ctx.Err()
	case err != nil:
		out.Says = "it could not be asked: " + err.Error()
		return out, nil
	case found == nil && len(keys) > 0:
		out.Says = "it does not list this person any more"
		return out, nil
	case found == nil:
		out.Says = fmt.Sprintf("it lists nobody called %s (its filter or base may leave them out)", name)
		return out, nil
	}
	out.Where, out.Details = found.Where, details(*found)
	out.Says = "it lists this person"
	if found.Disabled {
		out.Says += ", as disabled"
	}
	if len(c.entry.Scope.Groups) > 0 {
		out.Says += "; people count who are " + scopeWords(c.entry.Scope)
	}
	out.Left, err = d.leftOut(ctx, c.source.ID(), found.Where)
	return out, err
}

// lookUp asks for a person by the keys, or reads everybody until one has the name.
func lookUp(ctx context.Context, source directory.Source, keys []directory.Key, name string) (*directory.Record, error) {
	var found *directory.Record
	if looker, ok := source.(directory.Looker); ok && len(keys) > 0 {
		err := looker.Lookup(ctx, keys, firstPerson{func(r directory.Record) { found = &r }})
		return found, err
	}
	enough := errors.New("found")
	err := directory.People(ctx, source, func(r directory.Record) error {
		if slices.Contains(keys, directory.Key{Kind: r.KeyKind, ID: r.Key}) || len(keys) == 0 && called(r, name) {
			found = &r
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return found, err
}

// firstPerson is a sink for one person.
type firstPerson struct{ take func(directory.Record) }

func (firstPerson) Unchanged(directory.Key, directory.Fingerprint) bool { return false }
func (f firstPerson) Person(r directory.Record) error                   { f.take(r); return nil }
func (firstPerson) Group(directory.Group) error                         { return nil }
func (firstPerson) Gone(directory.Key) error                            { return nil }

func called(r directory.Record, name string) bool {
	_, short, qualified := strings.Cut(name, `\`)
	for _, has := range append([]string{r.Username, r.UPN, r.SAM, r.Nickname, r.Email, r.DisplayName}, r.Aliases...) {
		if has != "" && (auth.Same(has, name) || qualified && auth.Same(has, short)) {
			return true
		}
	}
	return false
}

// details are what a record says, without secrets.
func details(r directory.Record) map[string]string {
	out := map[string]string{}
	for name, value := range map[string]string{
		"id": r.Key, "sid": r.SID, "username": r.Username, "upn": r.UPN, "short_name": r.SAM, "domain": r.Domain, "nickname": r.Nickname, "email": r.Email,
		"name": r.DisplayName, "department": r.Department, "office": r.Office, "language": r.Language, "aliases": strings.Join(r.Aliases, ", "),
	} {
		if value != "" {
			out[name] = value
		}
	}
	if len(r.Credentials) > 0 {
		out["cards"] = fmt.Sprint(len(r.Cards))
		out["access_code"] = "no"
		if !r.AccessCode.Empty() {
			out["access_code"] = "yes"
		}
	}
	return out
}

// leftOut is what the latest run said of the record.
func (d *directories) leftOut(ctx context.Context, id core.SourceID, where string) ([]string, error) {
	var left []string
	err := d.db.View(ctx, func(tx store.Tx) error {
		runs, err := tx.SyncRuns(ctx, id, 1)
		for _, run := range runs {
			for line := range strings.Lines(run.Message) {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(line), where+" "); ok && where != "" {
					left = append(left, rest)
				}
			}
		}
		return err
	})
	return left, err
}
