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

	"github.com/platenprint/platen/internal/osservice"
)

// launchd is the service in macOS, with its account, which dscl(1) makes.
type launchd struct {
	osservice.Launchd
	places Places
	check  func(path string) error
	chown  func(path string, uid, gid int) error
}

func newLaunchd(plist string, places Places, run osservice.Tool) launchd {
	return launchd{
		Launchd: osservice.Launchd{
			Label: label, Path: plist, Command: "platen-server service install", Why: "in " + filepath.Join(places.Log, logFile), Run: run,
		},
		places: places, check: installable, chown: os.Lchown,
	}
}

// Install implements Manager.
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
	return l.Write(text)
}

// The ids of accounts for services that people may give out.
const firstID, lastID = 400, 499

// account makes the service's user and group, with one id, and returns that.
func (l launchd) account(ctx context.Context) (int, error) {
	if out, err := l.Run(ctx, "dscl", ".", "-read", "/Users/"+macAccount, "UniqueID"); err == nil {
		return strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(out), "UniqueID:")))
	}
	used := map[string]bool{}
	for _, what := range [][2]string{{"/Users", "UniqueID"}, {"/Groups", "PrimaryGroupID"}} {
		out, err := l.Run(ctx, "dscl", ".", "-list", what[0], what[1])
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
		if _, err := l.Run(ctx, "dscl", append([]string{".", "-create"}, args...)...); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// Purge implements Manager. Until then the account stays: its files do.
func (l launchd) Purge(ctx context.Context) error {
	if state, err := l.State(ctx); err != nil || state == Running {
		return errors.Join(err, errors.New("remove the server's files: it runs; stop it first"))
	}
	if err := remove(filepath.Dir(l.places.Config), l.places.Log); err != nil {
		return fmt.Errorf("remove the server's files: %w", err)
	}
	for _, entry := range []string{"/Users/" + macAccount, "/Groups/" + macAccount} {
		if _, err := l.Run(ctx, "dscl", ".", "-read", entry); err != nil {
			continue // there is none
		}
		if _, err := l.Run(ctx, "dscl", ".", "-delete", entry); err != nil {
			return fmt.Errorf("remove the server's account: %w", err)
		}
	}
	return nil
}
