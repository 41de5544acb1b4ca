// Command platen-server is Platen's server. See package cli for its commands and package server for what runs.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/cli"
	"github.com/platenprint/platen/server-stub/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, os.Args[1:], cli.System(), assembly())
	stop()
	os.Exit(code)
}

func assembly() cli.Assembly {
	return cli.Assembly{
		Serve: func(ctx context.Context, s cli.Serve, out, log io.Writer) error {
			return server.Run(ctx, server.Options{Data: s.Data, Sources: s.Sources, Out: out, Log: log, Clock: clock.System, Ready: s.Ready})
		},
		Verify:  server.VerifyBackup,
		Restore: server.Restore,
	}
}
