//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/platenprint/platen/client/agent"
)

// signals are those that platen-deploy sends to all programs of people (printqueue/residents): SIGUSR1, go on as the program that
// is installed now, and SIGUSR2, remove what is kept of this person. Only the resident does either; a command ends of the second
// one, as of SIGTERM.
type signals struct {
	resident atomic.Pointer[chan agent.Signal] // nil: this is a command
}

// heed returns a context that ends when the system or the person wants the program to end.
func heed(ctx context.Context) (context.Context, *signals, func()) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	s := &signals{}
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for h := range heard {
			s.hear(h, cancel)
		}
	}()
	return ctx, s, func() { cancel(); stop() }
}

func (s *signals) hear(h os.Signal, cancel func()) {
	to, what := s.resident.Load(), agent.SignalRestart
	if h == syscall.SIGUSR2 {
		what = agent.SignalPurge
	}
	switch {
	case to != nil:
		select {
		case *to <- what:
		default: // it is at it
		}
	case what == agent.SignalPurge:
		cancel()
	}
}

// forResident hands the signals to the resident from now on.
func (s *signals) forResident() <-chan agent.Signal {
	c := make(chan agent.Signal, 1)
	s.resident.Store(&c)
	return c
}
