// The Entra ID emulator as a program, for the demo and for trying things by hand. It listens on loopback only, for
// everybody who can reach it may be anybody in it.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/platenprint/platen/internal/emulator/entra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "entra emulator:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends. The first line on stdout is the authority.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("entra-emulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	config := flags.String("config", "", "the tenant: a YAML `file` (see README.md)")
	listen := flags.String("listen", "127.0.0.1:8443", "the loopback `address` to listen on")
	publicURL := flags.String("public-url", "", "the `origin` for the issuer; https://localhost:PORT if empty")
	cert := flags.String("cert", "", "a certificate `file`, PEM; made for localhost if empty")
	key := flags.String("key", "", "its key `file`, PEM")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opts := entra.Options{Listen: *listen, PublicURL: *publicURL, Log: slog.New(slog.NewTextHandler(stderr, nil))}
	var err error
	if opts.Config, err = entra.LoadConfig(*config); err != nil {
		return err
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
		opts.Certificate = &pair
	}
	e, err := entra.Start(ctx, opts)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, e.Authority())
	<-ctx.Done()
	return e.Close()
}
