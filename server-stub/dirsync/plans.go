package dirsync

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// keepPlan is how long a plan waits; keepPlans how many of a source do.
const (
	keepPlan  = 7 * 24 * time.Hour
	keepPlans = 3
)

// planHead is what is kept of a plan beside its parts.
type planHead struct {
	Head       PlanHead           `json:"head"`
	Settings   Settings           `json:"settings"`
	Same       []byte             `json:"same"` // ids, each as its distance from the one before
	Doubled    []directory.Key    `json:"doubled,omitempty"`
	Gone       []directory.Key    `json:"gone,omitempty"`
	Out        []core.UserID      `json:"out,omitempty"`
	GroupsGone []int64            `json:"groups_gone,omitempty"`
	Bookmark   directory.Bookmark `json:"bookmark,omitempty"`
	First      bool               `json:"first,omitempty"`
	Compared   bool               `json:"compared,omitempty"`
	People     int                `json:"people_segments"` // parts that hold people; those behind them hold groups
	Groups     int                `json:"groups_segments"`
	PeopleN    int                `json:"people_n"`
	GroupsN    int                `json:"groups_n"`
}

// newPlanID is short enough to be typed, and not to be guessed by mistake.
func newPlanID() string { return "p-" + strings.ToLower(rand.Text()[:8]) }

func planPlace(id string, part int) string { return fmt.Sprintf("plan/%s/%d", id, part) }

// keepListing stores a listing as a plan, in place of older ones of its source.
func (s *Syncer) keepListing(ctx context.Context, l *listing, head PlanHead) error {
	kept := planHead{
		Head: head, Settings: l.settings, Same: packIDs(l.same), Doubled: l.doubled, Gone: l.gone, Out: l.out, GroupsGone: l.groupsGone,
		Bookmark: l.bookmark, First: l.first, Compared: l.compared, People: len(l.people.segments), Groups: len(l.groups.segments), PeopleN: l.people.n, GroupsN: l.groups.n,
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("keep a plan: %w", err)
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		older, err := tx.Plans(ctx, l.source)
		if err != nil {
			return err
		}
		for i, p := range older {
			if i >= keepPlans-1 {
				if err := tx.DeletePlan(ctx, p.ID); err != nil {
					return err
				}
			}
		}
		if err := tx.CreatePlan(ctx, store.DirectoryPlan{
			ID: head.ID, Source: l.source, Head: s.seals.seal(planPlace(head.ID, -1), deflate(text)), CreatedAt: head.CreatedAt, ExpiresAt: head.ExpiresAt,
		}); err != nil {
			return err
		}
		part := 0
		for _, segments := range [][]segment{l.people.segments, l.groups.segments} {
			for _, segment := range segments {
				data := segment.data
				if !segment.packed {
					data = deflate(data)
				}
				if err := tx.PutPlanPart(ctx, head.ID, part, s.seals.seal(planPlace(head.ID, part), data)); err != nil {
					return err
				}
				part++
			}
		}
		return nil
	})
}

// openPlan reads a plan that is kept. core.ErrNotFound: there is none, or no more.
func (s *Syncer) openPlan(ctx context.Context, tx store.Tx, id string) (*listing, PlanHead, error) {
	kept, err := s.openHead(ctx, tx, id)
	if err != nil {
		return nil, PlanHead{}, err
	}
	l := &listing{
		source: kept.Head.Source, settings: kept.Settings, complete: kept.Head.Full, read: kept.Head.Read, doubled: kept.Doubled, gone: kept.Gone,
		out: kept.Out, groupsGone: kept.GroupsGone, bookmark: kept.Bookmark, first: kept.First, compared: kept.Compared,
	}
	if l.same, err = unpackIDs(kept.Same); err != nil {
		return nil, PlanHead{}, err
	}
	l.people.n, l.groups.n = kept.PeopleN, kept.GroupsN
	for part := range kept.People + kept.Groups {
		sealed, err := tx.PlanPart(ctx, id, part)
		if err != nil {
			return nil, PlanHead{}, err
		}
		data, err := s.unseal(id, part, sealed)
		if err != nil {
			return nil, PlanHead{}, err
		}
		if part < kept.People {
			l.people.segments = append(l.people.segments, segment{data: data, packed: true})
		} else {
			l.groups.segments = append(l.groups.segments, segment{data: data, packed: true})
		}
	}
	return l, kept.Head, nil
}

func (s *Syncer) openHead(ctx context.Context, tx store.Tx, id string) (kept planHead, err error) {
	p, err := tx.Plan(ctx, id)
	if errors.Is(err, core.ErrNotFound) || err == nil && !p.ExpiresAt.After(s.now()) {
		return kept, fmt.Errorf("%w: there is no plan %q (plans are kept for %d days, and the last %d of a source): plan again",
			core.ErrNotFound, id, int(keepPlan.Hours()/24), keepPlans)
	}
	if err != nil {
		return kept, err
	}
	packed, err := s.unseal(id, -1, p.Head)
	if err != nil {
		return kept, err
	}
	var buffer bytes.Buffer
	text, err := segment{data: packed, packed: true}.open(&buffer)
	if err != nil {
		return kept, fmt.Errorf("read plan %q: %w", id, err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return kept, fmt.Errorf("read plan %q: %w", id, err)
	}
	return kept, nil
}

func (s *Syncer) unseal(id string, part int, sealed []byte) ([]byte, error) {
	data, err := s.seals.open(planPlace(id, part), sealed)
	if err != nil {
		return nil, fmt.Errorf("read plan %q: %w: plan again", id, err)
	}
	return data, nil
}

// deflate compresses one text.
func deflate(text []byte) []byte {
	a := arena{segments: []segment{{data: text}}}
	a.pack(0)
	return a.segments[0].data
}

// packIDs packs sorted ids as the distances between them.
func packIDs(ids []core.UserID) (b []byte) {
	last := core.UserID(0)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
	}
	return b
}

func unpackIDs(b []byte) (ids []core.UserID, err error) {
	last := core.UserID(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errGarbled
		}
		last += core.UserID(d)
		ids, b = append(ids, last), b[n:]
	}
	return ids, nil
}
