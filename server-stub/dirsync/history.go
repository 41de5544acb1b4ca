package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Past is what a run did to a person.
type Past struct {
	Run    int64         `json:"run"`
	Source core.SourceID `json:"source"`
	Kind   core.RunKind  `json:"kind"`
	At     time.Time     `json:"at"`
	Change Change        `json:"change"`
}

// History returns what runs did to a person in the last 30 days, newest first. That somebody was made is the user's CreatedAt.
func (s *Syncer) History(ctx context.Context, id core.UserID) ([]Past, error) {
	var list []Past
	err := s.store.View(ctx, func(tx store.Tx) error {
		list = nil
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		rows, err := tx.UserJournal(ctx, id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			p, err := s.openPage(row)
			if err != nil {
				return err
			}
			run, err := tx.SyncRun(ctx, row.Run)
			if err != nil && !errors.Is(err, core.ErrNotFound) {
				return err
			}
			list = append(list, Past{Run: row.Run, Source: run.Source, Kind: run.Kind, At: row.At, Change: p.change(u)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what synchronisations did to user %d: %w", id, err)
	}
	return list, nil
}

// change is a page as a Change.
func (p page) change(u core.User) Change {
	c := Change{User: u.ID, Username: u.Username, Actions: p.Actions}
	for _, f := range p.Fields {
		if f.Field != "deleted_at" {
			c.Fields = append(c.Fields, f)
		}
	}
	for _, n := range p.Ended {
		c.Fields = append(c.Fields, FieldChange{Field: nameField(n.Kind), Old: n.Name})
	}
	for _, n := range p.Put {
		c.Fields = append(c.Fields, FieldChange{Field: nameField(n.Kind), New: n.Name})
	}
	if len(p.Credentials) > 0 {
		c.Details = append(c.Details, "cards or codes changed")
	}
	return c
}

func nameField(kind core.NameKind) string { return "login name (" + string(kind) + ")" }
