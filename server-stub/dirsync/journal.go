package dirsync

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// keepJournal is how long a run can be undone.
const keepJournal = 30 * 24 * time.Hour

// page is what a row of the journal says: what a run did to one person, or whom it made.
type page struct {
	Made        []core.UserID           `json:"made,omitempty"`
	Actions     []Action                `json:"actions,omitempty"`
	Fields      []FieldChange           `json:"fields,omitempty"`
	Ended       []pastName              `json:"ended,omitempty"` // names that ended
	Put         []pastName              `json:"put,omitempty"`   // names that began, with when they had ended before
	Identities  []core.ExternalIdentity `json:"identities,omitempty"`
	Credentials []byte                  `json:"credentials,omitempty"`
	// Removed and Untied are names and identities that an undo took back.
	Removed []pastName              `json:"removed,omitempty"`
	Untied  []core.ExternalIdentity `json:"untied,omitempty"`
}

// pastName is a login name in the journal.
type pastName struct {
	Name    string        `json:"name"`
	Folded  auth.Folded   `json:"folded"`
	Kind    core.NameKind `json:"kind"`
	Domain  auth.Folded   `json:"domain,omitempty"`
	Source  core.SourceID `json:"source,omitempty"`
	Was     bool          `json:"was,omitempty"` // the row was there before
	EndedAt time.Time     `json:"ended_at,omitzero"`
	OldText string        `json:"old_text,omitempty"`
	OldFrom core.SourceID `json:"old_from,omitempty"`
}

func journalPlace(run int64, user core.UserID) string { return fmt.Sprintf("journal/%d/%d", run, user) }

// journalCreated is the row that names whom a run made.
func (s *Syncer) journalCreated(run int64, at time.Time, ids []core.UserID) (store.JournalRow, error) {
	return s.journalRow(run, 0, at, page{Made: ids})
}

func (s *Syncer) journalRow(run int64, user core.UserID, at time.Time, p page) (store.JournalRow, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return store.JournalRow{}, fmt.Errorf("write the journal: %w", err)
	}
	return store.JournalRow{Run: run, User: user, At: at, Data: s.seals.seal(journalPlace(run, user), text)}, nil
}

func (s *Syncer) openPage(row store.JournalRow) (p page, err error) {
	text, err := s.seals.open(journalPlace(row.Run, row.User), row.Data)
	if err != nil {
		return p, fmt.Errorf("read the journal of synchronisation %d: %w", row.Run, err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("read the journal of synchronisation %d: %w", row.Run, err)
	}
	return p, nil
}

// journalled gathers the row of one edit; person is how the user was, nil where only names of somebody else end.
func (w *writer) journalled(c *edit, person *Person, undo []byte) error {
	p := pageOf(c, person)
	p.Credentials = undo
	return w.keep(c.User.ID, p)
}

// keep gathers a row of the journal.
func (w *writer) keep(id core.UserID, p page) error {
	row, err := w.s.journalRow(w.run, id, w.now, p)
	w.journal = append(w.journal, row)
	return err
}

// pageOf says what an edit does to a person.
func pageOf(c *edit, person *Person) page {
	p := page{Actions: c.Actions, Identities: c.Identities}
	if c.has(ActionCreate) {
		p.Made = []core.UserID{c.User.ID}
		return p
	}
	if person != nil {
		p.Fields = fieldChanges(person.User, c)
	}
	for _, n := range c.EndNames {
		p.Ended = append(p.Ended, past(n))
	}
	for _, n := range c.PutNames {
		put := past(n)
		put.EndedAt = time.Time{}
		if person != nil {
			if i := slices.IndexFunc(person.Names, func(have core.LoginName) bool { return sameName(have, n) }); i >= 0 {
				put.Was, put.EndedAt = true, person.Names[i].ValidTo
				put.OldText, put.OldFrom = person.Names[i].Name, person.Names[i].Source
			}
		}
		p.Put = append(p.Put, put)
	}
	return p
}

func past(n core.LoginName) pastName {
	return pastName{Name: n.Name, Folded: n.Folded, Kind: n.Kind, Domain: n.Domain, Source: n.Source, EndedAt: n.ValidTo}
}

// fieldChanges are the details that an edit changes.
func fieldChanges(before core.User, c *edit) (list []FieldChange) {
	for _, field := range c.Fields {
		if old, new := fieldText(before, field), fieldText(c.User, field); old != new {
			list = append(list, FieldChange{Field: field, Old: old, New: new})
		}
	}
	return list
}
