package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/names/index"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// resolvePeople is how many people the group resolve has, each with four names.
const resolvePeople = 500_000

// resolve measures how many job owners are found in a second: from the index, and from SQLite, which is the peer.
func (r *rig) resolve(ctx context.Context) (err error) {
	folder, err := os.MkdirTemp("", "platen-resolve-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	db, err := sqlstore.Open(ctx, sqlstore.Config{Path: filepath.Join(folder, "platen.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := fillNames(ctx, db); err != nil {
		return err
	}
	rules, err := resolveRules()
	if err != nil {
		return err
	}
	before := heap()
	live := index.Follow(db)
	began := time.Now()
	if err := live.Prepare(ctx); err != nil {
		return err
	}
	people, bytes := live.Size()
	fmt.Printf("  %-46s %.1f s, %.0f MiB on the heap (%d bytes a person with 4 names)\n", fmt.Sprintf("index of %d people read", people),
		time.Since(began).Seconds(), mib(heap()-before), bytes/people)

	forms := []struct{ name, form string }{{"alex", "user%d.test"}, {`CORP\alex`, `CORP\u%d`}, {"alex@example.org", "user%d.test@example.org"}}
	for _, f := range forms {
		fromIndex := func(at time.Time, person int) (names.Answer, error) {
			return live.FindOwner(ctx, names.Job{Owner: fmt.Sprintf(f.form, person)}, rules, nil, at)
		}
		fromSQLite := func(at time.Time, person int) (a names.Answer, err error) {
			err = db.View(ctx, func(tx store.Tx) (err error) {
				a, err = names.FindOwner(ctx, tx, names.Job{Owner: fmt.Sprintf(f.form, person)}, rules, nil, at)
				return err
			})
			return a, err
		}
		var one, all, sql []float64
		for range max(3, r.rounds) { // in turn: whatever else the computer does, all three suffer
			for _, way := range []struct {
				ask   ask
				cores int
				to    *[]float64
			}{{fromIndex, 1, &one}, {fromSQLite, runtime.NumCPU(), &sql}, {fromIndex, runtime.NumCPU(), &all}} {
				perSecond, err := rate(way.ask, way.cores)
				if err != nil {
					return err
				}
				*way.to = append(*way.to, perSecond)
			}
		}
		cores := fmt.Sprintf("%d cores", runtime.NumCPU())
		quartiles(f.name+", index, one core", "%.0f/s", one)
		quartiles(f.name+", index, "+cores, "%.0f/s", all)
		quartiles(f.name+", SQLite, "+cores, "%.0f/s", sql)
		goal(f.name+" >= 50,000/s in the process", quantile(all, 0.5) >= 50_000, "%.0f/s, %.1fx SQLite", quantile(all, 0.5), quantile(all, 0.5)/quantile(sql, 0.5))
	}
	return r.resolveBesideWrites(ctx, db, live, rules)
}

// resolveBesideWrites asks while names change all the time, so that the index must catch up.
func (r *rig) resolveBesideWrites(ctx context.Context, db *sqlstore.Store, live *index.Live, rules names.Rules) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan int, 1)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			name := fmt.Sprintf("nick%d", n)
			if db.Update(ctx, func(tx store.Tx) error {
				return tx.PutName(ctx, core.LoginName{UserID: core.UserID(n%resolvePeople + 1), Name: name, Folded: auth.Folded(name), Kind: core.NameAlias, Source: "corp", ValidFrom: time.Now()})
			}) != nil {
				break
			}
		}
		done <- n
	}()
	began := time.Now()
	perSecond, err := rate(func(at time.Time, person int) (names.Answer, error) {
		return live.FindOwner(ctx, names.Job{Owner: fmt.Sprintf("user%d.test", person)}, rules, nil, at)
	}, 1)
	took := time.Since(began)
	stop()
	writes := <-done
	if err == nil {
		fmt.Printf("  %-46s %.0f/s beside %.0f commits/s of names\n", "alex, index, while names change", perSecond, float64(writes)/took.Seconds())
	}
	return err
}

// ask asks for a job of a person.
type ask func(at time.Time, person int) (names.Answer, error)

// rate asks for random people for a second, so many at once, and tells how many answers there were. Everybody must be found.
func rate(a ask, together int) (float64, error) {
	var group errgroup.Group
	var answers atomic.Int64
	began := time.Now()
	for range together {
		group.Go(func() error {
			for time.Since(began) < time.Second {
				now := time.Now()
				for range 100 {
					person := rand.IntN(resolvePeople) //nolint:gosec // whom to ask for
					got, err := a(now, person)
					if err != nil {
						return err
					}
					if got.User != core.UserID(person+1) {
						return fmt.Errorf("person %d was answered by %v, user %d: %v", person, got.Outcome, got.User, got.Why)
					}
				}
				answers.Add(100)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(answers.Load()) / time.Since(began).Seconds(), err
}

func resolveRules() (names.Rules, error) {
	suffix, err := usermap.ParseRules("example.org")
	return names.Rules{Suffix: suffix, Domains: []names.Domain{{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "corp"}}}, err
}

// fillNames makes people with a UPN, a sAMAccountName, a nickname and an e-mail address.
func fillNames(ctx context.Context, db *sqlstore.Store) error {
	const together = 20_000
	for first := 0; first < resolvePeople; first += together {
		err := db.Update(ctx, func(tx store.Tx) error {
			var all []core.LoginName
			for i := first; i < first+together; i++ {
				local := fmt.Sprintf("user%d.test", i)
				id, err := tx.CreateUser(ctx, core.User{Username: local + "@example.org", Source: "corp"})
				if err != nil {
					return err
				}
				for _, n := range []core.LoginName{
					{Name: local + "@example.org", Kind: core.NameUPN},
					{Name: fmt.Sprintf("u%d", i), Kind: core.NameSAM, Domain: "corp"},
					{Name: local, Kind: core.NameNickname},
					{Name: fmt.Sprintf("User%d.Test@mail.example.org", i), Kind: core.NameEmail},
				} {
					n.UserID, n.Source, n.ValidFrom = id, "corp", time.Unix(1_700_000_000, 0)
					if n.Folded, err = auth.Canon(n.Name); err != nil {
						return err
					}
					all = append(all, n)
				}
			}
			return tx.PutName(ctx, all...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heap is what is in use on the heap once everything else was given back.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below
}
