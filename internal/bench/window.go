package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
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
	for _, v := range r.env { // the window has the screen that the resident does without
		if strings.HasPrefix(v, "DISPLAY=") {
			env = append(env, v)
		}
	}
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

// visible starts a program and returns how long it took until a window of that class could be seen. There must be none
// before. xdotool's own waiting looks twice a second only, so it is asked again and again; its start, about 5 ms, is the
// grain of the figure.
func (r *rig) visible(ctx context.Context, env []string, name, class, path string, args ...string) (time.Duration, error) {
	if seen, err := r.sees(ctx, class); err != nil {
		return 0, err
	} else if seen {
		return 0, fmt.Errorf("a window of %s is there before its start", class)
	}
	began := time.Now()
	prog, err := r.here.Start(ctx, env, name, path, args...)
	if err != nil {
		return 0, err
	}
	var took time.Duration
	for seen := false; err == nil && !seen; took = time.Since(began) {
		if seen, err = r.sees(ctx, class); err == nil && time.Since(began) > time.Minute {
			err = fmt.Errorf("%s shows no window", name)
		}
	}
	return took, errors.Join(err, prog.Stop())
}

// sees tells whether a window of the class can be seen.
func (r *rig) sees(ctx context.Context, class string) (bool, error) {
	ids, err := stage.Command(ctx, r.screen.Env, "", "/usr/bin/xdotool", "search", "--onlyvisible", "--class", class)
	if ids == "" {
		return false, ctx.Err() // xdotool ends with an error when it finds nothing
	}
	return true, err
}
