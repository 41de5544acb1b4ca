package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/server-stub/admin"
)

// logon lets people arrive evenly over a time. Each is a client of its own: it makes a connection, signs in by password
// (the dear way: most people in the morning only refresh a session), opens the stream, and stays until it has the balance
// that the server's own count says.
func (r *rig) logon(ctx context.Context) error {
	server, err := url.Parse("https://" + r.site.Address)
	if err != nil {
		return err
	}
	accounts, err := r.accounts(ctx)
	if err != nil {
		return err
	}
	var (
		people sync.WaitGroup
		mu     sync.Mutex // Protects all below.
		times  []time.Duration
		failed []error
	)
	began := time.Now()
	for i := range r.people {
		if err := pause(ctx, time.Until(began.Add(r.over*time.Duration(i)/time.Duration(r.people)))); err != nil {
			return err
		}
		people.Go(func() {
			took, got, err := r.arrive(ctx, server, accounts[i%len(accounts)])
			if err == nil && got != credited {
				err = fmt.Errorf("balance %s, want %s", got, credited)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			times = append(times, took)
		})
	}
	people.Wait()
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d people did not get their balance: %w", len(failed), r.people, errors.Join(failed[:min(3, len(failed))]...))
	}
	fmt.Printf("  %d people within %s (%.0f a second), by password, the clients on the same cores\n", r.people, r.over, float64(r.people)/r.over.Seconds())
	fmt.Printf("  %-46s p50 %.0f ms, p95 %.0f ms, max %.0f ms\n", "sign-in to correct balance", ms(quantile(times, 0.5)), ms(quantile(times, 0.95)), ms(quantile(times, 1)))
	return nil
}

func (r *rig) client(server *url.URL) (*apiclient.Client, error) {
	return apiclient.New(apiclient.Options{
		ServerURL: server, CAFile: filepath.Join(r.site.Data, "ca.pem"), UserAgent: "platen-bench", Logger: slog.New(slog.DiscardHandler), Clock: clock.System,
	})
}

// arrive is one person's log-on.
func (r *rig) arrive(ctx context.Context, server *url.URL, account string) (took time.Duration, amount string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	began := time.Now()
	c, err := r.client(server)
	if err != nil {
		return 0, "", err
	}
	session, err := c.SignIn(ctx, api.SignIn{Username: account}, secret.New(stage.Password))
	if err != nil {
		return 0, "", err
	}
	stream, done := context.WithCancel(ctx)
	err = c.Follow(stream, session.Access, 0, func(e apiclient.Event) {
		if e.Kind == apiclient.EventBalance && amount == "" {
			took, amount = time.Since(began), e.Balance.Amount
			done()
		}
	})
	done()
	if amount != "" {
		err = nil // we ended the stream ourselves
	}
	return took, amount, err
}

// credited is what each of the people has.
const credited = "7.25"

// mostAccounts is for how many people accounts are made; the rest comes a second time, as from a second computer.
const mostAccounts = 1000

// accounts makes the people, each with a password of its own hash and some credit.
func (r *rig) accounts(ctx context.Context) ([]string, error) {
	server := admin.NewClient(r.site.Data)
	names := make([]string, min(r.people, mostAccounts))
	for i := range names {
		names[i] = fmt.Sprintf("person%04d@example.net", i)
		var details admin.UserDetails
		if err := server.Call(ctx, admin.VerbUserAdd, admin.UserAdd{Username: names[i], Password: stage.Password}, &details, nil); err != nil {
			return nil, err
		}
		if err := credit(ctx, server, names[i], credited); err != nil {
			return nil, err
		}
	}
	return names, nil
}
