package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/installer/linux"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/server-stub/admin"
)

// newcomers are people whom the sample site knows; each comes to a computer that is new to the server.
var newcomers = []stage.Account{
	{Name: "alex.test", Full: "Alex Test", UID: 471100},
	{Name: "sam.okafor", Full: "Sam Okafor", UID: 471101},
	{Name: "amelie.durand", Full: "Amélie Durand", UID: 471102},
}

// beInstaller rolls the package out, once for each newcomer.
func beInstaller(ctx context.Context) (err error) {
	if err := stage.OwnMounts(); err != nil { // does not return the first time
		return err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	here, err := stage.NewPlace(bin, filepath.Join(".cache", "bench-logs", "install"))
	if err != nil {
		return err
	}
	var packages *stage.Packages
	defer func() {
		if packages != nil {
			err = errors.Join(err, packages.Close())
		}
		err = errors.Join(err, here.CleanUp())
	}()
	deb, err := packageOf(ctx, bin, here.Path())
	if err != nil {
		return err
	}
	// The server's program is looked for in bin, which is not below /usr.
	alex := stage.Person{OSName: newcomers[0].Name, UPN: newcomers[0].Name + "@" + stage.Suffix, Full: newcomers[0].Full}
	site, err := stage.NewSite(ctx, here, alex, "")
	if err != nil {
		return err
	}
	if _, err := site.Start(ctx); err != nil {
		return err
	}
	if err := site.UntilRead(ctx, alex); err != nil {
		return err
	}
	server := admin.NewClient(site.Data)
	var status admin.Status
	if err := server.Call(ctx, admin.VerbStatus, admin.Nothing{}, &status, nil); err != nil {
		return err
	}
	if packages, err = here.PackagedWorkstation(ctx, newcomers...); err != nil {
		return err
	}
	var installed, asked, enrolled, balance, total []time.Duration
	for _, account := range newcomers {
		if err := credit(ctx, server, account.Name+"@"+stage.Suffix, credited); err != nil {
			return err
		}
		n, err := rollOut(ctx, here, packages, stage.RollOut{
			Package: deb, URL: status.Addresses[0], Pin: status.CAPin, Suffix: stage.Suffix, Server: server, Account: account, Balance: credited,
		})
		if err != nil {
			return err
		}
		installed, asked, enrolled = append(installed, n.Installed), append(asked, n.Asked), append(enrolled, n.Enrolled)
		balance, total = append(balance, n.Balance), append(total, n.Total())
	}
	info, err := os.Stat(deb)
	if err != nil {
		return err
	}
	fmt.Printf("  %-46s %.1f MB\n", "the deb, with all three programs (goal 15)", float64(info.Size())/1e6)
	show := func(name string, times []time.Duration) {
		fmt.Printf("  %-46s median %.2f s, max %.2f s, n=%d\n", name, quantile(times, 0.5).Seconds(), quantile(times, 1).Seconds(), len(times))
	}
	show("dpkg -i", installed)
	show("start of the service until it waits", asked)
	show("approval until a device (asks every 5 s at first)", enrolled)
	show("log-on until the balance is there (goal 5)", balance)
	show("all of it, without the way to the computer (goal 120)", total)
	return nil
}

// rollOut takes one computer from nothing to a balance, and back to nothing.
func rollOut(ctx context.Context, here *stage.Place, packages *stage.Packages, r stage.RollOut) (*stage.Newcomer, error) {
	n, err := here.Install(ctx, packages, r, "")
	if err != nil {
		return nil, err
	}
	if err := n.Ask(ctx); err != nil {
		return nil, err
	}
	if err := n.Approve(ctx, "127.0.0.0/8"); err != nil {
		return nil, err
	}
	if err := n.LogOn(ctx); err != nil {
		return nil, err
	}
	_, err = packages.Dpkg(ctx, "-P", "platen")
	return n, errors.Join(err, n.StopService())
}

// packageOf makes the deb of the programs in bin.
func packageOf(ctx context.Context, bin, out string) (string, error) {
	release, err := product.Parse("0.1.0-dev")
	if err != nil {
		return "", err
	}
	release.Time = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	files, err := linux.Client(ctx, product.Input{
		Release: release, Arch: runtime.GOARCH, Programs: bin, Assets: "assets", Docs: "docs", License: "LICENSE", Out: out,
	})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(files, func(f string) bool { return strings.HasSuffix(f, ".deb") })
	if i < 0 {
		return "", errors.New("no deb was made")
	}
	return files[i], nil
}
