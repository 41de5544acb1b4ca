package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http" //nolint:depguard // for the numbers of statuses only

	"github.com/platenprint/platen/server-stub/directory"
)

// changes reads what changed since a bookmark. Graph tells of a person only what changed; who did is therefore read whole, so that
// nothing is put together of pieces.
func (se *session) changes(ctx context.Context, mark bookmark, groups bool, sink directory.Sink) (directory.Bookmark, error) {
	s := se.s
	next := bookmark{Version: bookmarkVersion, For: mark.For, Pages: mark.Pages}
	people, link, err := se.changedPeople(ctx, mark)
	if err != nil {
		return nil, s.expired(err)
	}
	next.Users = link
	all := newGathering()
	if groups {
		q := question{step: stepGroupChanges, permission: permissionGroups, address: mark.Groups}
		if next.Groups, err = se.walk(ctx, q, true, s.taking(all, stepGroupChanges)); err != nil {
			return nil, s.expired(err)
		}
	}
	if n := mark.limit(); len(people.order)+len(all.order) > n {
		return nil, s.tooMany(n)
	}
	if err := se.giveChanged(ctx, people, sink); err != nil {
		return nil, err
	}
	if err := se.giveChangedGroups(ctx, all, sink); err != nil {
		return nil, err
	}
	return next.bytes(), nil
}

// touched are people of whom something was told. there is false for those of whom nothing was told but that they are removed: into
// the bin ("changed") or for good ("deleted").
type touched struct {
	order []guid16
	there map[guid16]bool
}

func (se *session) changedPeople(ctx context.Context, mark bookmark) (touched, string, error) {
	s := se.s
	t := touched{there: map[guid16]bool{}}
	q := question{step: stepChanges, permission: permissionUsers, address: mark.Users}
	link, err := se.walk(ctx, q, true, func(p *page) (bool, error) {
		news := false
		for _, raw := range p.rows {
			var u struct {
				ID      string          `json:"id"`
				Removed json.RawMessage `json:"@removed"`
			}
			err := json.Unmarshal(raw, &u)
			id, ok := parseGUID(u.ID)
			if err == nil && !ok {
				err = fmt.Errorf("somebody has the id %q", u.ID)
			}
			if err != nil {
				return false, s.unavailable(spoilt(stepChanges, err))
			}
			there, known := t.there[id]
			if !known {
				t.order, news = append(t.order, id), true
			}
			t.there[id] = there || u.Removed == nil
		}
		if n := mark.limit(); len(t.order) > n {
			return false, s.tooMany(n)
		}
		return news, nil
	})
	return t, link, err
}

// expired makes ErrStartOver of the answers that say that a link is of no use any more, and leaves all others as they are.
func (s *Source) expired(err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	switch f.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
	case http.StatusUnauthorized:
		if f.code == "" || f.code == codeBadToken {
			return err
		}
	default:
		if !startsOver[f.code] {
			return err
		}
	}
	return s.startOver(f.Error())
}

// startsOver are the codes with which Graph asks to begin anew.
// Source: learn.microsoft.com, "Use delta query to track changes".
var startsOver = map[string]bool{"syncStateNotFound": true, "syncStateInvalid": true, "resyncRequired": true, "Directory_ExpiredPageToken": true}

// codeBadToken is that of an access token that Graph does not take, which is no matter of the link.
const codeBadToken = "InvalidAuthenticationToken"

// giveChanged hands over the people who changed, whole, and says who is gone.
func (se *session) giveChanged(ctx context.Context, people touched, sink directory.Sink) error {
	s := se.s
	var ask []guid16
	for _, id := range people.order {
		if people.there[id] {
			ask = append(ask, id)
			continue
		}
		if err := s.gone(id, sink); err != nil {
			return err
		}
	}
	return se.people(ctx, ask, sink)
}

func (s *Source) gone(id guid16, sink directory.Sink) error {
	if err := sink.Gone(s.key(id)); err != nil {
		return s.errorf("hand over who is gone: %w", err)
	}
	return nil
}

// giveChangedGroups hands over the groups that changed. Their names are asked for: those that did not change are not told.
func (se *session) giveChangedGroups(ctx context.Context, all *gathering, sink directory.Sink) error {
	s := se.s
	var ask []guid16
	for _, id := range all.order {
		if all.groups[id].gone {
			if err := s.gone(id, sink); err != nil {
				return err
			}
			continue
		}
		ask = append(ask, id)
	}
	return se.objects(ctx, stepGroupChanges, permissionGroups, "/groups/", groupProperties, ask, func(id guid16, raw json.RawMessage) error {
		if raw == nil {
			return s.gone(id, sink)
		}
		var now group
		if err := json.Unmarshal(raw, &now); err != nil {
			return s.unavailable(spoilt(stepGroupChanges, err))
		}
		one := all.groups[id]
		if now.Name != nil {
			one.name = *now.Name
		}
		if now.SID != nil {
			one.sid = *now.SID
		}
		joined, left := one.settled()
		g := directory.Group{Key: s.key(id), SID: one.sid, Name: one.name, Members: s.keys(joined), Changed: true, Removed: s.keys(left), Where: where(id, one)}
		if err := sink.Group(g); err != nil {
			return s.errorf("hand over the group %q: %w", one.name, err)
		}
		return nil
	})
}
