//go:build linux || darwin

package residents

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

// process is a program of the installation that runs now.
type process interface {
	pid() int
	program() string // the path of the file it was started from
	// current tells whether it runs what is installed now.
	current() bool
	signal(syscall.Signal) error
	ended() bool
	free()
}

// system is what the operating system tells and does.
type system struct {
	// find lists the processes that were started from one of the files, also from one that was replaced since.
	find func(paths ...string) ([]process, error)
	// homes lists the accounts with a home on this computer.
	homes func() (list []home, skipped []string, err error)
	// purge removes what is kept in a home, as its owner, and tells whether there was something.
	purge func(ctx context.Context, program string, h home) (bool, error)
}

// home is an account's home folder.
type home struct {
	path     string
	uid, gid uint32
}

func (c *Clients) path(name string) string { return filepath.Join(c.o.Dir, name) }

// Restart lets all residents go on as what is installed now. Commands that run at the moment take no notice.
func (c *Clients) Restart(ctx context.Context) (Report, error) {
	var r Report
	all, err := c.system.find(c.path(residentName))
	if err != nil {
		return r, err
	}
	defer free(all)
	r.Found = len(all)
	var told []process
	for _, p := range all {
		if err := c.send(p, syscall.SIGUSR1); err == nil {
			told = append(told, p)
		}
	}
	left := c.wait(ctx, told, c.o.Patience, func(p process) bool { return p.ended() || p.current() })
	for _, p := range told {
		switch {
		case p.ended():
			r.Ended++
		case p.current():
			r.Restarted++
		}
	}
	if len(left) > 0 {
		r.problem("restart", errors.New("some go on as the program of before; they change at the next log-on"))
	}
	return r, ctx.Err()
}

// errAtLogOn says why nothing is started: what a session needs to reach its screen, its bus and its keyring is known only there.
var errAtLogOn = fmt.Errorf("start programs in people's sessions: %w on this system; they start at the next log-on, or from the menu", errors.ErrUnsupported)

// Start starts nothing: only a session itself can.
func (*Clients) Start(context.Context) (Report, error) { return Report{}, errAtLogOn }

// Stop ends all programs of people.
func (c *Clients) Stop(ctx context.Context) (Report, error) {
	var r Report
	err := c.end(ctx, &r, syscall.SIGTERM)
	return r, err
}

// Purge removes what is kept of people on this computer and ends their programs.
func (c *Clients) Purge(ctx context.Context) (Report, error) {
	var r Report
	if err := c.end(ctx, &r, syscall.SIGUSR2); err != nil {
		return r, err
	}
	homes, skipped, err := c.system.homes()
	if err != nil {
		return r, err
	}
	r.Skipped = skipped
	for _, h := range homes {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		something, err := c.system.purge(ctx, c.path(residentName), h)
		if err != nil {
			r.problem(h.path, err)
		}
		if something {
			r.Accounts++
		}
	}
	return r, nil
}

// end sends residents (and commands, which end of it, too) the signal, windows SIGTERM, and makes sure that none is left.
func (c *Clients) end(ctx context.Context, r *Report, toResidents syscall.Signal) error {
	all, err := c.system.find(c.path(residentName), c.path(windowName))
	if err != nil {
		return err
	}
	defer free(all)
	r.Found = len(all)
	for _, p := range all {
		if filepath.Base(p.program()) == residentName {
			_ = c.send(p, toResidents)
		} else {
			_ = c.send(p, syscall.SIGTERM)
		}
	}
	left := c.wait(ctx, all, c.o.Patience, process.ended)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Ended, r.Killed = len(all)-len(left), len(left)
	for _, p := range left {
		_ = c.send(p, syscall.SIGKILL)
	}
	left = c.wait(ctx, left, killPatience, process.ended)
	for _, p := range left {
		c.o.Log.Warn("a program does not end", "pid", p.pid())
	}
	if r.Killed -= len(left); len(left) > 0 {
		r.problem("stop", errors.New("some programs do not end"))
	}
	return ctx.Err()
}

// send tells a process. One that is gone already is fine.
func (c *Clients) send(p process, s syscall.Signal) error {
	err := p.signal(s)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		c.o.Log.Warn("a program cannot be told", "pid", p.pid(), "signal", s.String(), "error", err)
	}
	return err
}

// wait waits until all are done, and returns those that are not in time.
func (c *Clients) wait(ctx context.Context, list []process, patience time.Duration, done func(process) bool) []process {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for over := false; ; {
		var left []process
		for _, p := range list {
			if !done(p) {
				left = append(left, p)
			}
		}
		if len(left) == 0 || over {
			return left
		}
		select {
		case <-tick.C:
		case <-end.C:
			over = true
		case <-ctx.Done():
			over = true
		}
	}
}

func free(list []process) {
	for _, p := range list {
		p.free()
	}
}
