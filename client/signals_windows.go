package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/platenprint/platen/client/agent"
)

// signals: Windows has none for this; platen-deploy runs "platen stop" and "platen purge" in the session.
type signals struct{}

// heed returns a context that ends when the system or the person wants the program to end.
func heed(ctx context.Context) (context.Context, *signals, func()) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	return ctx, &signals{}, stop
}

func (*signals) forResident() <-chan agent.Signal { return nil }
