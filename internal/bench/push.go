package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/admin"
)

// pushes is how many credits are timed.
const pushes = 200

// push measures from the moment a credit is asked for on the server's admin socket, which includes the durable commit, to
// the moment a tray that was told of a change reads the new balance in the icon's menu.
func (r *rig) push(ctx context.Context) error {
	prog, _, err := r.signedIn(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _ = prog.Stop() }()
	server := admin.NewClient(r.site.Data)
	if err := r.emptied(ctx, server); err != nil {
		return err
	}
	var times []time.Duration
	for n := range pushes {
		began := time.Now()
		if err := credit(ctx, server, r.who.UPN, "0.01"); err != nil {
			return err
		}
		if err := r.tray.UntilMenu(ctx, 10*time.Second, fmt.Sprintf("€%d.%02d", (n+1)/100, (n+1)%100)); err != nil {
			return err
		}
		times = append(times, time.Since(began))
	}
	fmt.Printf("  %-46s p50 %.1f ms, p99 %.1f ms, max %.1f ms (n=%d)\n", "credit to changed menu", ms(quantile(times, 0.5)), ms(quantile(times, 0.99)), ms(quantile(times, 1)), pushes)
	goal("p50 <= 50 ms", quantile(times, 0.5) <= 50*time.Millisecond, "%.1f ms", ms(quantile(times, 0.5)))
	goal("p99 <= 250 ms", quantile(times, 0.99) <= 250*time.Millisecond, "%.1f ms", ms(quantile(times, 0.99)))
	return nil
}

// emptied takes what the person has, so that the amounts of the menu are known.
func (r *rig) emptied(ctx context.Context, server *admin.Client) error {
	var shown admin.UserDetails
	if err := server.Call(ctx, admin.VerbUserShow, admin.UserRef{User: r.who.UPN}, &shown, nil); err != nil {
		return err
	}
	if shown.Balance == "0.00" {
		return nil
	}
	return credit(ctx, server, r.who.UPN, "-"+shown.Balance)
}

func credit(ctx context.Context, server *admin.Client, username, amount string) error {
	var receipt admin.Receipt
	return server.Call(ctx, admin.VerbUserCredit, admin.UserCredit{User: username, Amount: amount, Key: rand.Text()}, &receipt, nil)
}
