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

	mu    sync.RWMutex
	index *Index         // nil while there is none
	seen  uint64         // the commits that the index has
	mark  store.NameMark // where to read on
}

// Follow returns an index of the database's names. Until Prepare has read them the database is asked.
func Follow(db Database) *Live { return &Live{db: db} }

// Prepare reads all names: a second for some 50,000 people. Where the database cannot be followed it does nothing.
func (l *Live) Prepare(ctx context.Context) error {
	commits := l.db.Commits() // first: what comes in between is read twice at worst
	err := l.db.View(ctx, func(tx store.Tx) error {
		mark, ok, err := tx.NameMark(ctx)
		if err != nil || !ok {
			return err
		}
		x, err := Load(ctx, tx)
		if err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.index, l.seen, l.mark = x, commits, mark
		return nil
	})
	if err != nil {
		return fmt.Errorf("read all names into the index: %w", err)
	}
	return nil
}

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
	if l.index != nil && l.seen != commits {
		l.mu.RUnlock()
		if err := l.catchUp(ctx, commits); err != nil {
			return names.Known{}, false, fmt.Errorf("bring the index of names up to date: %w", err)
		}
		l.mu.RLock() // it has these commits, and maybe later ones by now
	}
	defer l.mu.RUnlock()
	if l.index == nil {
		return names.Known{}, false, nil
	}
	return l.index.Known(asked.Folds()), true, nil
}

// catchUp reads what changed, until the index has at least that many commits.
func (l *Live) catchUp(ctx context.Context, atLeast uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.index == nil || l.seen >= atLeast {
		return nil // somebody else was here
	}
	commits := l.db.Commits() // before anything is read, as in Prepare
	return l.db.View(ctx, func(tx store.Tx) error {
		mark, _, err := tx.NameMark(ctx)
		if err != nil {
			return err
		}
		if mark != l.mark {
			if err := l.update(ctx, tx); err != nil {
				return err
			}
		}
		l.seen, l.mark = commits, mark
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

// update reads the people anew whose names changed. Nothing is changed before everything is read.
func (l *Live) update(ctx context.Context, tx store.Tx) error {
	var ids []core.UserID
	if err := tx.NamesSince(ctx, l.mark, func(id core.UserID) { ids = append(ids, id) }); err != nil {
		return err
	}
	all, err := namesOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := l.index.Put(id, all[id]); err != nil {
			l.index = nil // a name that it cannot keep: the database is asked from now on
			return nil
		}
	}
	if err := l.index.tidy(); err != nil {
		l.index = nil
	}
	return nil
}

// few people are read one by one: what reads many at once costs as much for one as for two hundred.
const few = 20

// namesOf returns all names of people who are not erased.
func namesOf(ctx context.Context, tx store.Tx, ids []core.UserID) (map[core.UserID][]core.NameHolder, error) {
	people, all := make(map[core.UserID]core.User, len(ids)), make(map[core.UserID][]core.NameHolder, len(ids))
	add := func(n core.LoginName) {
		if u, there := people[n.UserID]; there {
			all[n.UserID] = append(all[n.UserID], core.NameHolder{LoginName: n, Active: u.Active(), UserSource: u.Source})
		}
	}
	if len(ids) > few {
		if err := tx.UsersOf(ctx, ids, func(u core.User) { people[u.ID] = u }); err != nil {
			return nil, err
		}
		return all, tx.NamesOf(ctx, ids, add)
	}
	for _, id := range ids {
		u, err := tx.User(ctx, id)
		if err != nil {
			return nil, err
		}
		if !u.ErasedAt.IsZero() {
			continue
		}
		people[id] = u
		list, err := tx.UserNames(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			add(n)
		}
	}
	return all, nil
}

// Size tells of how many people the index has names, and how many bytes it takes; zero where there is none.
func (l *Live) Size() (people, bytes int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.index == nil {
		return 0, 0
	}
	return l.index.People(), l.index.Bytes()
}
