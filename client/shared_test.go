package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/platenprint/platen/client/agent"
	"github.com/platenprint/platen/client/session"
)

// hasty is the resident of "platen run" with less patience: the test binary is started under another name for it, so that
// the shipped program needs no switch that people could turn.
func hasty() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := agent.Run(ctx, agent.Options{Log: os.Stderr, Unattended: session.Unattended{
		Grace: 10 * time.Second, Locked: 2 * time.Second, Poll: 100 * time.Millisecond,
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
