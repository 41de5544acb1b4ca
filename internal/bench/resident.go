package main

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/stage"
)

// resident measures what the signed-in resident costs while nothing happens.
func (r *rig) resident(ctx context.Context) error {
	var ours, theirs, ratios []float64
	for n := range r.rounds {
		pssOurs, pssSwing, err := r.memoryRound(ctx, n)
		if err != nil {
			return err
		}
		ours, theirs, ratios = append(ours, mib(pssOurs)), append(theirs, mib(pssSwing)), append(ratios, float64(pssOurs)/float64(pssSwing))
	}
	quartiles("resident, signed in, stream open: PSS MiB", "%.1f", ours)
	quartiles("Java Swing window: PSS MiB", "%.1f", theirs)
	quartiles("ratio", "%.2f", ratios)
	goal("resident <= 0.25 x Swing", quantile(ratios, 0.5) <= 0.25, "%.2f", quantile(ratios, 0.5))
	goal("resident 14 MB", quantile(ours, 0.5) <= 14, "%.1f MiB", quantile(ours, 0.5))
	if err := r.idleCost(ctx); err != nil {
		return err
	}
	return r.manyResidents(ctx, 20)
}

// settle is how long a program has after its start before its memory is looked at; the same for both.
const settle = 20 * time.Second

// memoryRound measures both, once each has settled; the order changes with every round.
func (r *rig) memoryRound(ctx context.Context, n int) (ours, theirs int64, err error) {
	us := func() error {
		prog, _, err := r.signedIn(ctx, 0)
		if err != nil {
			return err
		}
		defer func() { _ = prog.Stop() }()
		ours, err = pssAfter(ctx, prog)
		return err
	}
	them := func() error {
		prog, err := r.here.Start(ctx, r.env, "swing", r.swing[0], r.swing[1:]...)
		if err != nil {
			return err
		}
		defer func() { _ = prog.Stop() }()
		theirs, err = pssAfter(ctx, prog)
		return err
	}
	first, second := us, them
	if n%2 == 1 {
		first, second = them, us
	}
	if err := first(); err != nil {
		return 0, 0, err
	}
	return ours, theirs, second()
}

func pssAfter(ctx context.Context, prog *stage.Program) (int64, error) {
	if err := pause(ctx, settle); err != nil {
		return 0, err
	}
	c, err := costOf(prog.PID())
	return c.pss, err
}

// idleCost measures CPU and wake-ups, said for ten minutes.
func (r *rig) idleCost(ctx context.Context) error {
	prog, _, err := r.signedIn(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _ = prog.Stop() }()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	before, err := costOf(prog.PID())
	if err != nil {
		return err
	}
	if err := pause(ctx, r.idle); err != nil {
		return err
	}
	after, err := costOf(prog.PID())
	if err != nil {
		return err
	}
	scale := float64(10*time.Minute) / float64(r.idle)
	fmt.Printf("  %-46s %.0f ms CPU, %.0f wake-ups (watched for %s)\n", "idle, for 10 minutes", ms(after.cpu-before.cpu)*scale, float64(after.wakeups-before.wakeups)*scale, r.idle)
	return nil
}

// manyResidents measures a terminal server: what each of n residents adds.
func (r *rig) manyResidents(ctx context.Context, n int) error {
	var progs []*stage.Program
	defer func() {
		for _, p := range progs {
			_ = p.Stop()
		}
	}()
	for i := range n {
		prog, _, err := r.signedIn(ctx, i)
		if err != nil {
			return err
		}
		progs = append(progs, prog)
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	var sum int64
	for _, p := range progs {
		c, err := costOf(p.PID())
		if err != nil {
			return err
		}
		sum += c.pss
	}
	fmt.Printf("  %-46s %.1f MiB each, %.0f MiB together\n", fmt.Sprintf("%d residents on one host: PSS", n), mib(sum)/float64(n), mib(sum))
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
