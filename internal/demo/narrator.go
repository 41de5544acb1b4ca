package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// narrator prints what happens, each step with what was seen.
type narrator struct {
	w       io.Writer
	started time.Time

	mu   sync.Mutex // Protects all fields below, and w.
	step int
}

// did prints a finished step: what was done and what was seen.
func (n *narrator) did(what, seen string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.step++
	fmt.Fprintf(n.w, "%5s  %2d. %s\n           %s\n", n.elapsed(), n.step, what, fmt.Sprintf(seen, args...))
}

// say prints a remark.
func (n *narrator) say(text string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.w, "%5s  %s\n", n.elapsed(), fmt.Sprintf(text, args...))
}

func (n *narrator) elapsed() string { return fmt.Sprintf("%ds", int(time.Since(n.started).Seconds())) }
