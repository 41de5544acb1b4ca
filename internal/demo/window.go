package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// building is the compilation of the window, under way.
type building struct {
	done chan struct{}
	err  error // valid once done is closed
}

// buildWindow compiles platen-window in the background and tells how far it is.
func buildWindow(ctx context.Context, out *narrator, target, tags string) *building {
	b := &building{done: make(chan struct{})}
	go func() {
		defer close(b.done)
		b.err = compile(ctx, out, target, tags)
	}()
	return b
}

// wait returns when the window is built.
func (b *building) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func compile(ctx context.Context, out *narrator, target, tags string) error {
	began := time.Now()
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-tags", tags, "-ldflags", "-s -w", "-o", target, "./tray")
	lines, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("compile the window: %w", err)
	}
	names := make(chan string)
	go func() {
		defer close(names)
		for scan := bufio.NewScanner(lines); scan.Scan(); {
			names <- scan.Text() // with -v the Go tool names each package as it compiles it
		}
	}()

	var said []string
	compiled := 0
	progress := time.NewTicker(15 * time.Second)
	defer progress.Stop()
	for open := true; open; {
		select {
		case name, ok := <-names:
			if open = ok; !ok {
				break
			}
			if strings.ContainsAny(name, " :") { // not a package: the compiler complains
				said = append(said, name)
			} else {
				compiled++
			}
		case <-progress.C:
			out.say("    ... the window's toolkit compiles: %d packages so far (4 to 6 minutes the first time)", compiled)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("compile the window: %w\n%s", err, strings.Join(said, "\n"))
	}
	if took := time.Since(began); took > 10*time.Second {
		out.say("    ... the window is compiled (%d packages, %s)", compiled, took.Round(time.Second))
	}
	return nil
}
