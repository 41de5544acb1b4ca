//go:build windows

package residents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/platenprint/platen/printqueue/private"
)

// listFile is where Stop notes in which sessions there were residents, for Restart after an upgrade.
const listFile = "residents.json"

// system has no state: Windows is asked each time.
type system struct{}

func newSystem(Options) system { return system{} }

func programs() (string, error) { return beside() }

// seat is a session of somebody who is logged on.
type seat struct {
	Session uint32 `json:"session"`
	User    string `json:"user"` // SID: a session's number may be somebody else's after a while
}

func (c *Clients) path(name string) string { return filepath.Join(c.o.Dir, name+".exe") }

// Stop ends all programs of people and notes where there were residents.
func (c *Clients) Stop(ctx context.Context) (Report, error) {
	var r Report
	seats, err := c.end(ctx, &r, false, "stop")
	if err == nil && len(seats) > 0 {
		if err := c.note(seats); err != nil {
			r.problem("note in which sessions to start again", err)
		}
	}
	return r, err
}

// Restart starts the resident in the sessions where it ran before Stop, or runs now.
func (c *Clients) Restart(ctx context.Context) (Report, error) {
	var r Report
	now, err := c.end(ctx, &r, false, "stop")
	if err != nil {
		return r, err
	}
	before, err := c.noted()
	if err != nil {
		r.problem("read in which sessions to start again", err)
	}
	for _, s := range before {
		if !slices.Contains(now, s) {
			now = append(now, s)
		}
	}
	for _, s := range now {
		if c.begin(s, &r) {
			r.Restarted++
		}
	}
	return r, c.forget()
}

// Start starts the resident in each session of somebody who is logged on where none runs. It ends at once where the settings do not
// want it at log-on.
func (c *Clients) Start(ctx context.Context) (Report, error) {
	var r Report
	running, err := find(c.path(residentName))
	if err != nil {
		return r, err
	}
	defer func() {
		for _, p := range running {
			p.free()
		}
	}()
	r.Found = len(running)
	people, err := seats()
	if err != nil {
		return r, err
	}
	for _, s := range without(people, running) {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if c.begin(s, &r) {
			r.Started++
		}
	}
	return r, nil
}

// without are the sessions in which none of the programs runs.
func without(people []seat, running []*handle) []seat {
	return slices.DeleteFunc(slices.Clone(people), func(s seat) bool {
		return slices.ContainsFunc(running, func(p *handle) bool { return p.session == s.Session })
	})
}

// begin starts the resident in a session, as a log-on does, and tells whether it did. Who has logged off needs none.
func (c *Clients) begin(at seat, r *Report) bool {
	p, err := start(at, c.path(residentName), "run", "--at-logon")
	switch {
	case errors.Is(err, errNobody):
		return false
	case err != nil:
		r.problem(fmt.Sprintf("start it in session %d", at.Session), err)
		return false
	}
	p.free()
	return true
}

// Purge removes what is kept of people on this computer and ends their programs.
func (c *Clients) Purge(ctx context.Context) (Report, error) {
	var r Report
	if _, err := c.end(ctx, &r, true, "purge", "--yes"); err != nil {
		return r, err
	}
	purgeProfiles(&r)
	return r, c.forget()
}

// end tells the residents what to do, in their sessions (everybody's sessions if all), and ends what is left. It returns the
// sessions in which there were residents.
func (c *Clients) end(ctx context.Context, r *Report, all bool, args ...string) ([]seat, error) {
	running, err := find(c.path(residentName), c.path(windowName))
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, p := range running {
			p.free()
		}
	}()
	r.Found = len(running)
	people, err := seats()
	if err != nil {
		c.o.Log.Warn("sessions cannot be listed", "error", err)
	}
	var at []seat
	told := running[:0:0]
	for _, s := range people {
		here := slices.ContainsFunc(running, func(p *handle) bool { return p.session == s.Session && p.isResident() })
		if here {
			at = append(at, s)
		}
		if !here && !all {
			continue
		}
		p, err := start(s, c.path(residentName), args...)
		if err != nil {
			c.o.Log.Warn("a resident cannot be told", "session", s.Session, "error", err)
			continue
		}
		told = append(told, p)
	}
	wanted := slices.Concat(running, told)
	defer func() {
		for _, p := range told {
			p.free()
		}
	}()
	if len(told) > 0 {
		wait(ctx, wanted, c.o.Patience)
	}
	if ctx.Err() != nil {
		return at, ctx.Err()
	}
	for _, p := range wanted {
		if p.ended() {
			continue
		}
		p.kill()
	}
	wait(ctx, wanted, killPatience)
	for _, p := range running {
		switch {
		case !p.ended():
			r.problem("stop", fmt.Errorf("program %d does not end", p.pid))
		case p.killed:
			r.Killed++
		default:
			r.Ended++
		}
	}
	return at, ctx.Err()
}

func wait(ctx context.Context, list []*handle, patience time.Duration) {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for slices.ContainsFunc(list, func(p *handle) bool { return !p.ended() }) {
		select {
		case <-tick.C:
		case <-end.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (c *Clients) note(seats []seat) error {
	text, err := json.Marshal(seats)
	if err != nil {
		return err
	}
	dir, err := private.Open(c.o.State)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Write(listFile, text)
}

func (c *Clients) noted() ([]seat, error) {
	dir, err := private.Open(c.o.State)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	text, err := dir.Read(listFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []seat
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", listFile, err)
	}
	return list, nil
}

func (c *Clients) forget() error {
	dir, err := private.Open(c.o.State)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Remove(listFile)
}
