// The Google emulator as a program. It listens on loopback only, for everybody who can reach it may be anybody in it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/platenprint/platen/internal/emulator/google"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "google emulator:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends. The first line on stdout is the address; the others say how a server reads from it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("google-emulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "google-emulator", "a `folder` for the certificate and the service account's key; made when it is not there")
	file := flags.String("directory", "", "the customer: a JSON `file` (see README.md); empty: only the administrator")
	many := flags.Int("made", 0, "so many made-up people in /Staff, person0@example.org and so on, beside them")
	scopes := flags.String("scopes", strings.Join(google.AllScopes(), ","), "the delegated `scopes`, with commas")
	hookCA := flags.String("hook-ca", "", "what the certificate is signed by that notifications are sent to, a PEM `file`; the system's authorities if empty")
	listen := flags.String("listen", "127.0.0.1:8447", "the loopback `address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opts := google.Options{Log: slog.New(slog.NewTextHandler(stderr, nil)), Scopes: strings.Split(*scopes, ",")}
	if *file != "" {
		raw, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		if opts.Directory, err = google.ParseDirectory(raw); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	} else {
		opts.Directory.Schemas = []google.Schema{google.PaperCut()}
	}
	opts.Directory.Users = append(opts.Directory.Users, google.Made(*many)...)
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if *hookCA != "" {
		pem, err := os.ReadFile(*hookCA)
		if err != nil {
			return err
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s has no certificate in PEM form", *hookCA)
		}
	}
	opts.Client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	certFile, keyFile := filepath.Join(*dir, "localhost.pem"), filepath.Join(*dir, "service-account.json")
	pair, err := google.Certificate(certFile, filepath.Join(*dir, "localhost.key"))
	if err != nil {
		return err
	}
	c, err := google.Start(ctx, *listen, pair, opts)
	if err != nil {
		return err
	}
	key, err := c.KeyFile()
	if err == nil {
		err = os.WriteFile(keyFile, key, 0o600)
	}
	if err != nil {
		return errors.Join(err, c.Close())
	}
	fmt.Fprintf(stdout, "%s\nservice account: %s\ncertificate: %s\nsubject: %s\n", c.URL(), keyFile, certFile, c.Admin())
	<-ctx.Done()
	return c.Close()
}
