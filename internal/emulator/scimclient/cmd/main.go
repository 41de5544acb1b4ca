// The SCIM client as a program: the provisioning service of Entra ID or Okta, for trying a connection by hand.
//
//	scimclient --url https://localhost:8443/scim/v2 --token-file token --ca ca.pem --people people.json
//
// It tests the connection and runs one cycle for each file of people that is given, in their order: who stands in one and not in the
// next is switched off, as by leaving the scope.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/platenprint/platen/internal/emulator/scimclient"
	"github.com/platenprint/platen/internal/secret"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "scimclient:", err)
		}
		stop()
		os.Exit(1)
	}
}

// files are the scopes, in order.
type files []string

func (f *files) String() string { return strings.Join(*f, ",") }

func (f *files) Set(name string) error {
	*f = append(*f, name)
	return nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("scimclient", flag.ContinueOnError)
	flags.SetOutput(errs)
	o := scimclient.Options{}
	style := flags.String("style", string(scimclient.Entra), "whose requests to send: entra, entra-strict (as with ?aadOptscim062020) or okta")
	tokenFile := flags.String("token-file", "", "a `file` with the secret token")
	ca := flags.String("ca", "", "a `file` with the server's certificate authority, PEM; the system's if empty")
	made := flags.Int("make", 0, "make up so many `people` and one group, for a cycle before those of the files")
	remove := flags.Bool("delete", false, "after the last cycle delete for good who is out of scope")
	var scopes files
	flags.Var(&scopes, "people", "a `file` with people and groups, JSON; may be given several times")
	flags.StringVar(&o.URL, "url", "", "the Tenant `URL`")
	flags.StringVar(&o.Match, "match", "userName", "the `attribute` that people are found by")
	if err := flags.Parse(args); err != nil {
		return err
	}
	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	o.Token, o.Style = secret.New(strings.TrimSpace(string(token))), scimclient.Style(*style)
	if o.HTTP, err = client(*ca); err != nil {
		return err
	}
	c := scimclient.New(o)
	if err := c.Test(ctx); err != nil {
		return fmt.Errorf("the test of the connection: %w", err)
	}
	fmt.Fprintln(out, "The connection works.")
	list, err := read(scopes, *made)
	if err != nil {
		return err
	}
	var failed error
	for i, scope := range list {
		r := c.Cycle(ctx, scope)
		fmt.Fprintf(out, "Cycle %d: %d created, %d updated, %d enabled, %d disabled, %d changes of groups, %d failed\n",
			i+1, r.Created, r.Updated, r.Enabled, r.Disabled, r.Groups, len(r.Failed))
		failed = errors.Join(failed, r.Err())
	}
	if *remove && len(list) > 0 {
		r := c.Delete(ctx, left(list)...)
		fmt.Fprintf(out, "%d deleted, %d failed\n", r.Deleted, len(r.Failed))
		failed = errors.Join(failed, r.Err())
	}
	return few(failed)
}

// few is an error without most of its lines: when the brake stops a hundred changes all of them say the same.
func few(err error) error {
	const most = 3
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) <= most {
		return err
	}
	return fmt.Errorf("%s\n... and %d more", strings.Join(lines[:most], "\n"), len(lines)-most)
}

// client trusts the authority in the file beside nobody else.
func client(ca string) (*http.Client, error) {
	c := &http.Client{Timeout: 30 * time.Second}
	if ca == "" {
		return c, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s", ca)
	}
	c.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return c, nil
}

// read reads the scopes, or makes one up.
func read(scopes []string, made int) (list []scimclient.Scope, err error) {
	if made > 0 {
		list = append(list, scimclient.MakeUp(made))
	}
	for _, name := range scopes {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the people: %w", err)
		}
		var s scimclient.Scope
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("read the people in %s: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// left are those of any scope who are not in the last one.
func left(list []scimclient.Scope) (ids []string) {
	last := map[string]bool{}
	for _, p := range list[len(list)-1].People {
		last[p.ID] = true
	}
	for _, s := range list {
		for _, p := range s.People {
			if !last[p.ID] {
				ids, last[p.ID] = append(ids, p.ID), true
			}
		}
	}
	return ids
}
