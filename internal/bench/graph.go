package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/platenprint/platen/internal/clock"
	entraemu "github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/entra"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// The tenant of the graph group.
const (
	graphPeople  = 100_000
	graphGroups  = 1_000
	graphChanges = 100
	graphTenant  = "11111111-2222-3333-4444-555555555555"
	graphClient  = "66666666-7777-8888-9999-000000000000"
)

// The goals of the graph group.
const (
	goalWhole   = time.Minute
	goalChanges = 2 * time.Second
)

// counted is a sink that keeps nothing: what remains is the time of the source and of the emulator.
type counted struct{ people, groups, members int }

func (*counted) Unchanged(directory.Key, directory.Fingerprint) bool { return false }
func (c *counted) Person(directory.Record) error                     { c.people++; return nil }
func (c *counted) Gone(directory.Key) error                          { return nil }
func (c *counted) Group(g directory.Group) error {
	c.groups, c.members = c.groups+1, c.members+len(g.Members)
	return nil
}

// graph measures a large tenant: read whole into a new database, compared whole, and a hundred changes. Beside each whole
// run the same is read and thrown away, which is what the emulator and the lines cost. Both are in this one process.
func (r *rig) graph(ctx context.Context) (err error) {
	folder, err := os.MkdirTemp("", "platen-bench-graph")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	people := graph.Synced(graphPeople)
	tenant, source, err := graphSource(ctx, folder, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.Close()) }()
	rate, err := durable(folder)
	if err != nil {
		return err
	}
	fmt.Printf("  %d people, %d groups; the disk makes %.0f pages a second durable\n", graphPeople, graphGroups, rate)

	var first, again, thrown, some []time.Duration
	for round := range r.rounds {
		var seen counted
		took, err := timed(func() error {
			_, err := source.Read(ctx, directory.Request{Groups: true}, &seen)
			return err
		})
		if err != nil || seen.people != graphPeople || seen.groups != graphGroups {
			return fmt.Errorf("read and thrown away: %+v: %w", seen, err)
		}
		thrown = append(thrown, took)
		site, err := newGraphSite(ctx, filepath.Join(folder, fmt.Sprintf("round-%d.db", round)))
		if err != nil {
			return err
		}
		if err := site.round(ctx, tenant, source, round, &first, &again, &some); err != nil {
			return errors.Join(err, site.db.Close())
		}
		if err := site.db.Close(); err != nil {
			return err
		}
	}
	quartiles("everything, read and thrown away", "%.1f s", seconds(thrown))
	quartiles("everything, into a new database", "%.1f s", seconds(first))
	quartiles("everything, compared again", "%.1f s", seconds(again))
	quartiles(fmt.Sprintf("%d changes", graphChanges), "%.2f s", seconds(some))
	goal("everything", quantile(first, 0.5) <= goalWhole, "%.1f s, at most %s", quantile(first, 0.5).Seconds(), goalWhole)
	goal(fmt.Sprintf("%d changes", graphChanges), quantile(some, 0.5) <= goalChanges, "%.2f s, at most %s", quantile(some, 0.5).Seconds(), goalChanges)
	return nil
}

// graphSource starts the emulated tenant and makes a source that reads it.
func graphSource(ctx context.Context, folder string, people []graph.Person) (*graph.Tenant, *entra.Source, error) {
	tenant, err := graph.StartTenant(ctx, "127.0.0.1:0", tls.Certificate{}, entraemu.Config{
		Tenant: graphTenant, Apps: []entraemu.App{{ID: graphClient, Name: "bench", Secret: "bench"}},
	}, graph.Options{People: people, Groups: graph.Nested(graphGroups, people), Permissions: []string{graph.PermissionUsers, graph.PermissionGroups}})
	if err != nil {
		return nil, nil, err
	}
	ca := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tenant.Certificate().Raw}), 0o600); err != nil {
		return nil, nil, errors.Join(err, tenant.Close())
	}
	source, err := entra.New(entra.Config{
		ID: "cloud", Tenant: graphTenant, ClientID: graphClient, Authority: tenant.URL(), GraphURL: tenant.URL(), AllowAnyAuthority: true, CAFile: ca,
		ClientSecret: func() (secret.String, error) { return secret.New("bench"), nil }, Domain: "CORP",
	}, slog.New(slog.DiscardHandler), clock.System)
	if err != nil {
		return nil, nil, errors.Join(err, tenant.Close())
	}
	return tenant, source, nil
}

// graphSite is a server's database and what synchronises it.
type graphSite struct {
	db   *sqlstore.Store
	sync *dirsync.Syncer
}

func newGraphSite(ctx context.Context, path string) (*graphSite, error) {
	db, err := sqlstore.Open(ctx, sqlstore.Config{Path: path})
	if err != nil {
		return nil, err
	}
	return &graphSite{db, dirsync.New(db, clock.System, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})}, nil
}

// round times a first synchronisation, one that compares everything, and one of a hundred changes.
func (g *graphSite) round(ctx context.Context, tenant *graph.Tenant, source *entra.Source, round int, first, again, some *[]time.Duration) error {
	run := func(times *[]time.Duration, full bool, right func(core.SyncRun) bool) error {
		var done core.SyncRun
		took, err := timed(func() (err error) {
			done, err = g.sync.Run(ctx, source, dirsync.Settings{Full: full})
			return err
		})
		if err != nil || !right(done) {
			return fmt.Errorf("a synchronisation did not what was expected: %+v: %w", done, err)
		}
		*times = append(*times, took)
		return nil
	}
	if err := run(first, false, func(done core.SyncRun) bool { return done.Created == graphPeople }); err != nil {
		return err
	}
	if err := run(again, true, func(done core.SyncRun) bool { return done.Created+done.Updated == 0 }); err != nil {
		return err
	}
	for i := range graphChanges {
		name := fmt.Sprintf("person%d", i*997)
		tenant.Graph.Change(graph.GUID(name), graph.Person{"department": fmt.Sprintf("Department %d of round %d", i, round)})
		tenant.Graph.Join(graph.GUID(fmt.Sprintf("Group %d", i)), []string{graph.GUID(fmt.Sprintf("person%d", i*31+round*7))}, nil)
	}
	return run(some, false, func(done core.SyncRun) bool { return done.Updated == graphChanges })
}

// timed is how long something took.
func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

func seconds(list []time.Duration) []float64 {
	out := make([]float64, len(list))
	for i, d := range list {
		out[i] = d.Seconds()
	}
	return out
}

// durable is how many appended pages of 4 KiB a second a folder's disk keeps for good.
func durable(folder string) (float64, error) {
	f, err := os.Create(filepath.Join(folder, "pages"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page, n := make([]byte, 4096), 0
	took, err := timed(func() error {
		for ; n < 200; n++ {
			if _, err := f.Write(page); err != nil {
				return err
			}
			if err := f.Sync(); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(n) / took.Seconds(), err
}
