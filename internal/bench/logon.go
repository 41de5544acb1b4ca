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
)

// logon lets people arrive evenly over a time. Each is a client of its own: it makes a connection, signs in by password
// (the dear way: most people in the morning only refresh a session), opens the stream, and stays until it has the balance
// that the server's own count says.
func (r *rig) logon(ctx context.Context) error {
	server, err := url.Parse("https://" + r.site.Address)
	if err != nil {
		return err
	}
	if _, err := r.site.Admin(ctx, "", "user", "credit", r.who.UPN, "1.00"); err != nil {
		return err
	}
	want, err := r.balance(ctx, server)
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
			took, got, err := r.arrive(ctx, server)
			if err == nil && got != want {
				err = fmt.Errorf("balance %s, want %s", got, want)
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
func (r *rig) arrive(ctx context.Context, server *url.URL) (took time.Duration, amount string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	began := time.Now()
	c, err := r.client(server)
	if err != nil {
		return 0, "", err
	}
	session, err := c.SignIn(ctx, api.SignIn{Username: r.who.UPN}, secret.New(stage.Password))
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

func (r *rig) balance(ctx context.Context, server *url.URL) (string, error) {
	_, amount, err := r.arrive(ctx, server)
	return amount, err
}
