package index

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// Database is a store that counts its commits; see the package comment.
type Database interface {
	store.Store

	// Commits is another number once anything may have been committed, before whoever wrote it is told.
	Commits() uint64
}

// Live is an index that follows its database. Safe for concurrent use.
type Live struct {
	db Database

	mu     sync.RWMutex
	index  *Index // nil where the database cannot be followed
	loaded bool
	seen   uint64         // the commits that the index has
	mark   store.NameMark // where to read on
}

// Follow returns an index of the database's names. Nothing is read before the first Find.
func Follow(db Database) *Live { return &Live{db: db} }

// Find is names.Find.
func (l *Live) Find(ctx context.Context, q names.Query, r names.Rules, now time.Time) (names.Answer, error) {
	return l.answer(ctx, names.Ask(q, r), q, r, now)
}

// FindOwner is names.FindOwner.
func (l *Live) FindOwner(ctx context.Context, j names.Job, r names.Rules, ps names.Providers, now time.Time) (names.Answer, error) {
	q, rules, p, err := j.Question(r, ps)
	if err != nil {
		return names.Answer{}, err
	}
	answer, err := l.Find(ctx, q, rules, now)
	if err == nil && p != nil {
		answer.Why = append([]string{p.Via()}, answer.Why...)
	}
	return answer, err
}

func (l *Live) answer(ctx context.Context, asked names.Asked, q names.Query, r names.Rules, now time.Time) (a names.Answer, err error) {
	if len(asked.IDs()) == 0 {
		known, ok, err := l.known(ctx, asked)
		if err != nil || ok {
			return asked.Resolve(known, now), err
		}
	}
	err = l.db.View(ctx, func(tx store.Tx) (err error) {
		a, err = names.Find(ctx, tx, q, r, now)
		return err
	})
	return a, err
}

// known asks the index, which has everything that was committed before. ok is false where there is no index.
func (l *Live) known(ctx context.Context, asked names.Asked) (known names.Known, ok bool, err error) {
	commits := l.db.Commits()
	l.mu.RLock()
	for !l.loaded || l.index != nil && l.seen != commits {
		l.mu.RUnlock()
		if err := l.catchUp(ctx); err != nil {
			return names.Known{}, false, fmt.Errorf("bring the index of names up to date: %w", err)
		}
		l.mu.RLock()
		if l.seen >= commits {
			break
		}
	}
	defer l.mu.RUnlock()
	if l.index == nil {
		return names.Known{}, false, nil
	}
	return l.index.Known(asked.Folds()), true, nil
}

// catchUp reads what changed. Commits are counted first: what comes in between is read twice at worst.
func (l *Live) catchUp(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	commits := l.db.Commits()
	if l.loaded && (l.index == nil || l.seen == commits) {
		return nil // somebody else was here
	}
	return l.db.View(ctx, func(tx store.Tx) error {
		mark, ok, err := tx.NameMark(ctx)
		switch {
		case err != nil:
			return err
		case !ok:
			l.loaded = true
			return nil
		case l.index == nil:
			if l.index, err = Load(ctx, tx); err != nil {
				l.index = nil
				return err
			}
		case mark != l.mark:
			if err := l.update(ctx, tx); err != nil {
				l.index, l.loaded = nil, false // half of it is new: it is read anew
				return err
			}
		}
		l.loaded, l.seen, l.mark = true, commits, mark
		return nil
	})
}

// Load reads all names.
func Load(ctx context.Context, tx store.NameIndex) (*Index, error) {
	x := New()
	var person []core.NameHolder
	var failed error
	put := func() {
		if len(person) > 0 && failed == nil {
			failed = x.Put(person[0].UserID, person)
		}
		person = person[:0]
	}
	err := tx.AllNames(ctx, func(h core.NameHolder) {
		if len(person) > 0 && person[0].UserID != h.UserID {
			put()
		}
		person = append(person, h)
	})
	put()
	if err == nil {
		err = failed
	}
	return x, err
}

// update reads the people anew whose names changed.
func (l *Live) update(ctx context.Context, tx store.Tx) error {
	var ids []core.UserID
	if err := tx.NamesSince(ctx, l.mark, func(id core.UserID) { ids = append(ids, id) }); err != nil {
		return err
	}
	people, all := map[core.UserID]core.User{}, map[core.UserID][]core.NameHolder{}
	if err := tx.UsersOf(ctx, ids, func(u core.User) { people[u.ID] = u }); err != nil {
		return err
	}
	err := tx.NamesOf(ctx, ids, func(n core.LoginName) {
		if u, there := people[n.UserID]; there { // an erased person is not
			all[n.UserID] = append(all[n.UserID], core.NameHolder{LoginName: n, Active: u.Active(), UserSource: u.Source})
		}
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := l.index.Put(id, all[id]); err != nil {
			return err
		}
	}
	return l.index.tidy()
}

// Size tells of how many people the index has names, and how many bytes it takes; zero before the first Find and where there is
// none.
func (l *Live) Size() (people, bytes int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.index == nil {
		return 0, 0
	}
	return l.index.People(), l.index.Bytes()
}
