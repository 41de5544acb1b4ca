package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// changedClasses are the kinds of entries whose changes matter: people, groups, and what they stand in. Deleted ones keep their
// objectClass, but not their objectCategory.
const changedClasses = "(|(objectClass=user)(objectClass=group)(objectClass=organizationalUnit)(objectClass=container))"

// containers are what people and groups stand in. When one is moved, all in it is, and none of that is listed as changed.
const containers = "(|(objectClass=organizationalUnit)(objectClass=container))"

const (
	maxChanges = 20_000 // with more, reading everything is faster
	batch      = 50     // ids in one filter
)

// changes are the entries that changed, by objectGUID, and whether their primary group may have.
type changes map[id]bool

// errTooMany: see maxChanges.
var errTooMany = errors.New("too many changes")

func (c changes) add(e *wire.Entry, primary bool) error {
	guid, err := guidText(e.Value(attributeGUID))
	if err != nil {
		return nil // nothing that could be known
	}
	who, _ := idOf(guid)
	c[who] = c[who] || primary
	if len(c) > maxChanges {
		return errTooMany
	}
	return nil
}

// readSince reads what changed since a bookmark: first who, then each whole, as people and groups are read. Whoever changed and
// is not found that way is gone: deleted, or moved to where this source does not look.
func (s *Source) readSince(ctx context.Context, se *session, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	b, ok := s.decode(se, r)
	if !ok {
		return directory.Reading{}, s.errorf("read what changed: %w", directory.ErrStartOver)
	}
	way, _, err := s.incremental(ctx, se)
	if err != nil {
		return directory.Reading{}, err
	}
	if way != b.Way {
		return directory.Reading{}, s.errorf("read what changed: %w", directory.ErrStartOver)
	}
	changed := changes{}
	if way == IncrementalUSN {
		err = s.changedByUSN(ctx, se, &b, changed)
	} else {
		b.Cookie, err = s.dirSync(ctx, se, b.Cookie, changedClasses, func(e *wire.Entry) error {
			return changed.add(e, len(e.Value(attributePrimaryGroup)) > 0)
		})
	}
	switch {
	case ctx.Err() != nil:
		return directory.Reading{}, s.errorf("read what changed: %w", ctx.Err())
	case refused(err), errors.Is(err, errTooMany), errors.Is(err, directory.ErrStartOver):
		return directory.Reading{}, s.errorf("read what changed: %w (%w)", directory.ErrStartOver, err)
	case err != nil:
		return directory.Reading{}, s.errorf("%w: read what changed: %w%s", core.ErrUnavailable, err, readRemedy(err))
	}
	rd := newReader(s, se, r.Groups, sink)
	rd.since = true
	if err := rd.changed(ctx, changed); err != nil {
		return directory.Reading{}, err
	}
	next, err := b.encode()
	return directory.Reading{Next: next}, err
}

// dirSync asks for what changed since the cookie and returns the next one (MS-ADTS 3.1.1.3.4.1.3). Only entries with a change in
// what is read are given, and of those only what changed.
func (s *Source) dirSync(ctx context.Context, se *session, cookie []byte, filter string, entry func(*wire.Entry) error) ([]byte, error) {
	q := wire.Search{Base: se.root.base, Scope: wire.Subtree, Filter: filter}
	// name changes with a rename and with a move.
	q.Attributes = append(se.mapping.attributes(), attributeGUID, "name", "isDeleted", attributeMember, attributeSAM, attributeCommonName)
	slices.Sort(q.Attributes)
	q.Attributes = slices.Compact(q.Attributes)
	for more := true; more; {
		q.Controls = []wire.Control{wire.DirSync(cookie)}
		err := se.within(ctx, s.cfg.PageTimeout, func() error {
			answer, err := se.wire.Search(q, entry)
			if err != nil {
				return err
			}
			cookie, more, err = wire.AfterDirSync(answer)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return cookie, nil
}

// changedByUSN asks this domain controller for what it changed since it counted as far as b says, and moves b on.
func (s *Source) changedByUSN(ctx context.Context, se *session, b *bookmark, changed changes) error {
	invocation, err := s.invocation(ctx, se)
	switch {
	case err != nil:
		return err
	case !slices.Equal(invocation, b.Invocation), se.root.usn < b.USN:
		return fmt.Errorf("%w: %s is another domain controller, or was restored", directory.ErrStartOver, se.host)
	}
	from := "(uSNChanged>=" + strconv.FormatInt(b.USN+1, 10) + ")"
	b.USN = se.root.usn // asked before: what is changed from then on is read once more
	return s.pages(ctx, se, listing{
		what: "changes", size: s.cfg.PageSize,
		search: wire.Search{Base: se.root.base, Scope: wire.Subtree, Filter: both(from, changedClasses), Attributes: []string{attributeGUID}, Controls: []wire.Control{wire.ShowDeleted()}},
		entry:  func(e *wire.Entry) error { return changed.add(e, true) },
	})
}

// changed reads each of the entries.
func (rd *reader) changed(ctx context.Context, changed changes) error {
	if rd.members != nil {
		rd.members.moved = changed
	}
	all := make([]id, 0, len(changed))
	for who := range changed {
		all = append(all, who)
	}
	for ids := range slices.Chunk(all, batch) {
		moved, err := rd.which(ctx, ids, rd.se.root.base, containers)
		if err != nil {
			return err
		}
		if len(moved) > 0 {
			return rd.errorf("read what changed: %w (an organisational unit did)", directory.ErrStartOver)
		}
	}
	for ids := range slices.Chunk(all, batch) {
		if err := rd.changedBatch(ctx, ids); err != nil {
			return err
		}
	}
	if rd.members == nil {
		return nil
	}
	return rd.newPrimary(ctx)
}

func (rd *reader) changedBatch(ctx context.Context, ids []id) error {
	among := oneOf(ids)
	if err := rd.people(ctx, both(rd.se.mapping.filter, among), rd.person); err != nil {
		return err
	}
	if rd.members != nil {
		if err := rd.groups(ctx, both(rd.groupFilter(), among)); err != nil {
			return err
		}
	} else {
		groups, err := rd.which(ctx, ids, rd.groupBase(), rd.groupFilter())
		if err != nil {
			return err
		}
		for who := range groups { // nobody asked for them: neither changed nor gone
			rd.seen[who] = struct{}{}
		}
	}
	for _, who := range ids {
		if _, there := rd.seen[who]; there {
			continue
		}
		if err := rd.sink.Gone(directory.Key{Kind: rd.se.mapping.keyKind, ID: who.uuidText()}); err != nil {
			return rd.errorf("hand over that %s is gone: %w", who.uuidText(), err)
		}
	}
	return nil
}

// which tells which of the entries a filter finds.
func (rd *reader) which(ctx context.Context, ids []id, base, filter string) (map[id]struct{}, error) {
	found := map[id]struct{}{}
	err := rd.pages(ctx, rd.se, listing{
		what: "changed entries", size: rd.cfg.PageSize,
		search: wire.Search{Base: base, Scope: wire.Subtree, Filter: both(filter, oneOf(ids)), Attributes: []string{attributeGUID}},
		entry: func(e *wire.Entry) error {
			if guid, err := guidText(e.Value(attributeGUID)); err == nil {
				who, _ := idOf(guid)
				found[who] = struct{}{}
			}
			return nil
		},
	})
	return found, err
}

// oneOf is the filter of entries that have one of the objectGUIDs.
func oneOf(ids []id) string {
	var b strings.Builder
	for _, who := range ids {
		if raw, err := guidBytes(who.uuidText()); err == nil { // always
			b.WriteString(equal(attributeGUID, string(raw)))
		}
	}
	return "(|" + b.String() + ")"
}

// primaryMembers asks who has the group as the primary group, when not everybody was read.
func (rd *reader) primaryMembers(ctx context.Context, g *group) error {
	if !rd.since || g.SID == "" {
		return nil
	}
	rid := g.SID[strings.LastIndex(g.SID, "-")+1:]
	var own []id
	err := rd.pages(ctx, rd.se, listing{
		what: "people", size: rd.cfg.PageSize,
		search: wire.Search{
			Base: rd.se.base, Scope: wire.Subtree, Filter: both(rd.se.mapping.filter, equal(attributePrimaryGroup, rid)),
			Attributes: []string{attributeGUID, attributeSID, attributePrimaryGroup},
		},
		entry: func(e *wire.Entry) error {
			if guid, err := guidText(e.Value(attributeGUID)); err == nil && rd.members.primaryGroup(e) == g.sid {
				who, _ := idOf(guid)
				own = append(own, who)
			}
			return nil
		},
	})
	rd.members.primary[g.sid] = own
	return err
}

// newPrimary hands over who came into a group by its being the primary one: the group itself does not change by that.
func (rd *reader) newPrimary(ctx context.Context) error {
	for sid, people := range rd.members.primary {
		text, err := sidText([]byte(sid))
		if err != nil {
			continue
		}
		var found []*group
		err = rd.pages(ctx, rd.se, listing{
			what: "groups", size: groupPage,
			search: wire.Search{
				Base: rd.groupBase(), Scope: wire.Subtree, Filter: both(rd.groupFilter(), equal(attributeSID, sid)),
				Attributes: []string{attributeGUID, attributeSID, attributeSAM, attributeCommonName}, Controls: []wire.Control{wire.ExtendedDN()},
			},
			entry: func(e *wire.Entry) error {
				g, err := rd.groupOf(e)
				found = append(found, g)
				return err
			},
		})
		if err != nil {
			return err
		}
		for _, g := range found {
			who, _ := idOf(g.Key.ID)
			if _, whole := rd.seen[who]; whole || g.SID != text {
				continue
			}
			g.Changed = true
			for _, member := range people {
				g.Members = append(g.Members, rd.members.key(member))
			}
			if err := rd.sink.Group(g.Group); err != nil {
				return rd.errorf("hand over %q: %w", g.Where, err)
			}
		}
	}
	return nil
}
