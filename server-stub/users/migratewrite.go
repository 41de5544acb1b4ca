package users

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// migrated is what the journal keeps of one person's migration: how to take it back.
type migrated struct {
	Old   string      `json:"old"`
	New   string      `json:"new"`
	Keeps bool        `json:"keeps,omitempty"` // core.User.KeepsUsername before
	Ended []namedOnce `json:"ended,omitempty"` // names that ended
	Put   []namedOnce `json:"put,omitempty"`   // names that were not in force before
}

// namedOnce is a name of one person.
type namedOnce struct {
	Name   string        `json:"name"`
	Kind   core.NameKind `json:"kind"`
	Domain auth.Folded   `json:"domain,omitempty"`
	Source core.SourceID `json:"source"`
	From   time.Time     `json:"from"`
}

func once(n core.LoginName) namedOnce {
	return namedOnce{n.Name, n.Kind, n.Domain, n.Source, n.ValidFrom}
}

// writes is what a migration gathered, to be written together.
type writes struct {
	users         []core.User
	release, ends []core.LoginName // with the time of their end
	puts          []core.LoginName
	events        []core.AuditEvent
	journal       []store.JournalRow
}

// note gathers the rename of the person. The names are those that a synchronisation of a directory that names people so would leave.
func (m *migration) note(target string, folded auth.Folded, have []core.LoginName) error {
	u := m.user
	was := migrated{Old: u.Username, New: target, Keeps: u.KeepsUsername}
	old, err := auth.Canon(u.Username)
	if err != nil {
		return fmt.Errorf("the present username: %w", err)
	}
	inForce := func(kind core.NameKind, name auth.Folded) bool {
		return slices.ContainsFunc(have, func(n core.LoginName) bool {
			return n.ValidTo.IsZero() && n.Kind == kind && n.Folded == name && n.Domain == ""
		})
	}
	put := func(kind core.NameKind, name string, as auth.Folded) {
		if !inForce(kind, as) {
			n := core.LoginName{UserID: u.ID, Name: name, Folded: as, Kind: kind, Source: u.Source, ValidFrom: m.now}
			was.Put = append(was.Put, once(n))
			m.todo.puts = append(m.todo.puts, n)
		}
	}
	if !inForce(core.NameUPN, folded) {
		put(core.NameUsername, target, folded)
	}
	if folded != old {
		for _, n := range have {
			if n.ValidTo.IsZero() && n.Folded == old && (n.Kind == core.NameUsername || n.Kind == core.NameUPN && n.Source == core.LocalSource) {
				was.Ended = append(was.Ended, once(n))
				n.ValidTo = m.now
				m.todo.ends = append(m.todo.ends, n)
			}
		}
		if !inForce(core.NameUPN, old) || len(was.Ended) > 0 {
			put(core.NameAlias, u.Username, old)
		}
	}
	u.Username, u.KeepsUsername, u.UpdatedAt = target, false, m.now
	m.todo.users = append(m.todo.users, u)
	data, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	m.todo.journal = append(m.todo.journal, store.JournalRow{User: u.ID, At: m.now, Data: data})
	m.todo.events = append(m.todo.events, core.AuditEvent{At: m.now, Actor: m.actor, Action: "user.rename", Target: fmt.Sprintf("user:%d", u.ID), Detail: "username,names"})
	return nil
}

// finish writes what was gathered, and the record of the run.
func (m *migration) finish() error {
	run := core.SyncRun{
		Source: migrationSource, Kind: core.RunRename, StartedAt: m.now, FinishedAt: m.now, Outcome: "ok",
		Read: m.out.People, Renamed: m.Count(MigrateRename), Updated: m.Count(MigrateFollow), Conflicts: m.Count(MigrateConflict),
		Message: "usernames changed to the " + m.To,
	}
	if m.Source != nil && *m.Source != core.LocalSource {
		run.Source = *m.Source
	}
	var err error
	if m.out.Run, err = m.tx.CreateSyncRun(m.ctx, run); err != nil {
		return err
	}
	for i := range m.todo.journal {
		m.todo.journal[i].Run = m.out.Run
	}
	return m.todo.flush(&m.change)
}

// flush writes. Names end before others begin, so that one that changes hands is never held twice.
func (w writes) flush(c *change) error {
	for _, u := range w.users {
		if err := c.tx.UpdateUser(c.ctx, u); err != nil {
			return err
		}
	}
	for _, n := range slices.Concat(w.release, w.ends) {
		if err := c.tx.EndName(c.ctx, n.ID, n.ValidTo); err != nil {
			return err
		}
	}
	if err := c.tx.PutName(c.ctx, w.puts...); err != nil {
		return err
	}
	if err := c.tx.AppendJournal(c.ctx, w.journal...); err != nil {
		return err
	}
	return c.tx.AppendAudit(c.ctx, w.events...)
}
