// The Graph emulator as a program, with an Entra ID emulator at the same address that gives the tokens for it. It listens on
// loopback only, for everybody who can reach it may be anybody in it.
package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/graph"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "graph emulator:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends. The first line on stdout is the address.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("graph-emulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	config := flags.String("config", "", "the tenant: a YAML `file` as the Entra ID emulator takes")
	file := flags.String("people", "", "the people: a JSON `file` with a list of user objects; those of -config if empty")
	many := flags.Int("made", 0, "so many made-up people, person0@example.org and so on, beside them")
	groupFile := flags.String("groups", "", "the groups: a JSON `file` with a list of displayName and members (userPrincipalNames, names of groups)")
	manyGroups := flags.Int("made-groups", 0, "so many made-up groups, \"Group 0\" and so on, nested, with all people in them")
	units := flags.Int("units", 0, "resource units in ten seconds, after which requests must wait; 0 for any number")
	permissions := flags.String("permissions", graph.PermissionUsers+","+graph.PermissionGroups, "the application `permissions` of every app, with commas")
	listen := flags.String("listen", "127.0.0.1:8444", "the loopback `address` to listen on")
	cert := flags.String("cert", "", "a certificate for localhost, a PEM `file`; without it one for a day is made")
	key := flags.String("key", "", "its key, a PEM `file`")
	out := flags.String("write-cert", "", "a PEM `file` to write the certificate to, for whoever is to trust it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var pair tls.Certificate
	if *cert != "" || *key != "" {
		own, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return fmt.Errorf("read -cert and -key: %w", err)
		}
		pair = own
	}
	tenant, err := entra.LoadConfig(*config)
	if err != nil {
		return err
	}
	people := graph.OfTenant(tenant)
	if *file != "" {
		raw, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		if people, err = graph.ParsePeople(raw); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	}
	people = append(people, graph.Synced(*many)...)
	groups := graph.Nested(*manyGroups, people)
	if *groupFile != "" {
		raw, err := os.ReadFile(*groupFile)
		if err != nil {
			return err
		}
		own, err := graph.ParseGroups(raw, people)
		if err != nil {
			return fmt.Errorf("%s: %w", *groupFile, err)
		}
		groups = append(groups, own...)
	}
	t, err := graph.StartTenant(ctx, *listen, pair, tenant, graph.Options{
		People: people, Groups: groups, Units: *units, Permissions: strings.Split(*permissions, ","), Log: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	if *out != "" {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Certificate().Raw})
		if err := os.WriteFile(*out, text, 0o600); err != nil {
			return errors.Join(err, t.Close())
		}
	}
	fmt.Fprintln(stdout, t.URL())
	<-ctx.Done()
	return t.Close()
}
