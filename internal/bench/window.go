package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/platenprint/platen/internal/stage"
)

// window measures how long it takes until a window can be seen. Both are looked for in the same way.
func (r *rig) window(ctx context.Context) error {
	prog, env, err := r.signedIn(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _ = prog.Stop() }()
	ours := func() (time.Duration, error) {
		return r.visible(ctx, env, "platen-window", "platen", filepath.Join(r.bin, "platen-window"))
	}
	swing := func() (time.Duration, error) {
		return r.visible(ctx, r.env, "swing", "Balance", r.swing[0], r.swing[1:]...)
	}
	for _, warm := range []func() (time.Duration, error){ours, swing} { // caches
		if _, err := warm(); err != nil {
			return err
		}
	}
	var us, them, ratios []float64
	for n := range r.rounds {
		first, second := ours, swing
		if n%2 == 1 {
			first, second = swing, ours
		}
		a, err := first()
		if err != nil {
			return err
		}
		b, err := second()
		if err != nil {
			return err
		}
		if n%2 == 1 {
			a, b = b, a
		}
		us, them, ratios = append(us, ms(a)), append(them, ms(b)), append(ratios, float64(a)/float64(b))
	}
	quartiles("platen-window: ms", "%.0f", us)
	quartiles("Java Swing: ms", "%.0f", them)
	quartiles("ratio", "%.2f", ratios)
	goal("window <= 1.0 x Swing", quantile(ratios, 0.5) <= 1, "%.2f", quantile(ratios, 0.5))
	return nil
}

func (r *rig) visible(ctx context.Context, env []string, name, class, path string, args ...string) (time.Duration, error) {
	began := time.Now()
	prog, err := r.here.Start(ctx, env, name, path, args...)
	if err != nil {
		return 0, err
	}
	_, err = stage.Command(ctx, r.screen.Env, "", "/usr/bin/xdotool", "search", "--sync", "--onlyvisible", "--class", class)
	took := time.Since(began)
	if stopped := prog.Stop(); err == nil && stopped != nil {
		err = fmt.Errorf("%s: %w", name, stopped)
	}
	return took, err
}
