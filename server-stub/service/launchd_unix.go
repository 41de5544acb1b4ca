//go:build linux || darwin

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// launchd steers the service through launchctl(1), and makes its account through dscl(1). It is built for Linux as well, where its
// tests run.
type launchd struct {
	plist  string // the property list's path
	places Places
	run    tool
	check  func(path string) error
	chown  func(path string, uid, gid int) error
}

const launchdDomain, launchdTarget = "system", "system/" + label

// Install implements Manager. launchd starts it with the computer, and at once when it is loaded (Start).
func (l launchd) Install(ctx context.Context, path string) error {
	if err := l.write(ctx, path); err != nil {
		return fmt.Errorf("install the service: %w", err)
	}
	return nil
}

func (l launchd) write(ctx context.Context, path string) error {
	if err := l.check(path); err != nil {
		return err
	}
	text, err := Plist(path)
	if err != nil {
		return err
	}
	id, err := l.account(ctx)
	if err != nil {
		return fmt.Errorf("make the account: %w", err)
	}
	for _, dir := range []string{l.places.Data, l.places.Log} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), os.Mkdir(dir, 0o700)); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make the folders: %w", err)
		}
		if err := l.chown(dir, id, id); err != nil {
			return fmt.Errorf("make the folders: %w", err)
		}
	}
	if err := offer(l.places.Config, configText, id); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := replace(l.plist, text); err != nil {
		return fmt.Errorf("write the property list: %w", err)
	}
	return nil
}

// The ids of accounts for services that people may give out.
const firstID, lastID = 400, 499

// account makes the service's user and group, with one id, and returns that.
func (l launchd) account(ctx context.Context) (int, error) {
	if out, err := l.run(ctx, "dscl", ".", "-read", "/Users/"+macAccount, "UniqueID"); err == nil {
		return strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(out), "UniqueID:")))
	}
	used := map[string]bool{}
	for _, what := range [][2]string{{"/Users", "UniqueID"}, {"/Groups", "PrimaryGroupID"}} {
		out, err := l.run(ctx, "dscl", ".", "-list", what[0], what[1])
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(out) {
			if words := strings.Fields(line); len(words) == 2 {
				used[words[1]] = true
			}
		}
	}
	id := firstID
	for used[strconv.Itoa(id)] {
		if id++; id > lastID {
			return 0, fmt.Errorf("no id from %d to %d is free", firstID, lastID)
		}
	}
	group, person, number := "/Groups/"+macAccount, "/Users/"+macAccount, strconv.Itoa(id)
	for _, args := range [][]string{
		{group, "PrimaryGroupID", number},
		{group, "Password", "*"},
		{person, "UniqueID", number},
		{person, "PrimaryGroupID", number},
		{person, "RealName", display},
		{person, "UserShell", "/usr/bin/false"},
		{person, "NFSHomeDirectory", "/var/empty"},
		{person, "IsHidden", "1"},
		{person, "Password", "*"},
	} {
		if _, err := l.run(ctx, "dscl", append([]string{".", "-create"}, args...)...); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// Uninstall implements Manager. The account stays: its files do.
func (l launchd) Uninstall(ctx context.Context) error {
	if err := l.Stop(ctx); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	if err := os.Remove(l.plist); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("uninstall the service: remove the property list: %w", err)
	}
	return nil
}

// Purge implements Manager.
func (l launchd) Purge(ctx context.Context) error {
	if state, err := l.State(ctx); err != nil || state == Running {
		return errors.Join(err, errors.New("remove the server's files: it runs; stop it first"))
	}
	if err := remove(filepath.Dir(l.places.Config), l.places.Log); err != nil {
		return fmt.Errorf("remove the server's files: %w", err)
	}
	for _, entry := range []string{"/Users/" + macAccount, "/Groups/" + macAccount} {
		if _, err := l.run(ctx, "dscl", ".", "-read", entry); err != nil {
			continue // there is none
		}
		if _, err := l.run(ctx, "dscl", ".", "-delete", entry); err != nil {
			return fmt.Errorf("remove the server's account: %w", err)
		}
	}
	return nil
}

// Start implements Manager; launchd does not tell when the server is ready.
func (l launchd) Start(ctx context.Context) error {
	state, err := l.State(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("start the service: %w", err)
	case state == NotInstalled:
		return errors.New("start the service: it is not installed; run platen-server service install")
	case state == Running:
		return nil
	}
	if _, err := l.run(ctx, "launchctl", "bootstrap", launchdDomain, l.plist); err != nil {
		return fmt.Errorf("start the service: %w; see why in %s", err, filepath.Join(l.places.Log, logFile))
	}
	return nil
}

// Stop unloads the service; launchd would start a loaded one again.
func (l launchd) Stop(ctx context.Context) error {
	if state, err := l.State(ctx); err != nil || state != Running {
		return err
	}
	if _, err := l.run(ctx, "launchctl", "bootout", launchdTarget); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// State takes a loaded service for a running one.
func (l launchd) State(ctx context.Context) (State, error) {
	if _, err := os.Stat(l.plist); errors.Is(err, fs.ErrNotExist) {
		return NotInstalled, nil
	}
	out, err := l.run(ctx, "launchctl", "print", launchdTarget)
	if err == nil && strings.Contains(out, label) {
		return Running, nil
	}
	return Stopped, nil
}
