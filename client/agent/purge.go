package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/statedir"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/settings/sources"
)

// PurgeOptions say what is removed, and how.
type PurgeOptions struct {
	// Offline: neither the server nor the keyring is asked, and a resident is not looked for: for people who are not logged on.
	Offline bool
	// Settings: the person's settings file goes, too.
	Settings bool
}

// Purged says what a purge has done.
type Purged struct {
	Removed   int // files
	SignedOut int // sessions that the server was told of
	Key       bool
}

// tellTime is how long the servers may take to hear of it, all together.
const tellTime = 5 * time.Second

// Purge removes what is kept of this person on this computer. A resident must not run: ipc.ErrRunning.
func Purge(ctx context.Context, o PurgeOptions) (Purged, error) {
	dir, err := statedir.Find(runtime.GOOS, os.Getenv)
	if err != nil {
		return Purged{}, err
	}
	var done Purged
	if !o.Offline {
		place, err := ipc.Find(os.Getenv)
		if err != nil {
			return done, err
		}
		alone, err := ipc.Listen(ctx, place) // no resident starts while it lasts
		if err != nil {
			return done, err
		}
		defer func() {
			_ = alone.Close()
			_ = place.Remove()
		}()
		done.SignedOut = tellServers(ctx, dir)
	}
	err = removeKept(ctx, dir, o.Offline, &done)
	if o.Settings {
		err = errors.Join(err, removeSettings(&done))
	}
	return done, err
}

// purgeSession is the end of a resident that was asked to purge: it has signed out already.
func purgeSession(ctx context.Context, dir string) error {
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{}) // Windows removes no open file
	return removeKept(ctx, dir, false, &Purged{})
}

// removeKept removes the files that this program writes, by their names: whatever else somebody has put beside them, or made a link
// to, stays. The folders go if they are empty then.
func removeKept(ctx context.Context, dir string, offline bool, done *Purged) error {
	sealed, err := tokenstore.Purge(ctx, tokenstore.Options{Dir: dir, Clock: clock.System}, offline)
	done.Removed, done.Key = done.Removed+sealed.Files, sealed.Key
	names, listErr := os.ReadDir(dir)
	if listErr != nil && !errors.Is(listErr, fs.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("remove what is kept: %w", listErr))
	}
	for _, e := range names {
		for _, pattern := range statedir.Files() {
			if ok, _ := filepath.Match(pattern, e.Name()); ok {
				err = errors.Join(err, remove(filepath.Join(dir, e.Name()), done))
				break
			}
		}
	}
	if listErr == nil {
		leave(dir)
	}
	for _, window := range statedir.Window(runtime.GOOS, os.Getenv) {
		if _, e := os.Lstat(window); e != nil {
			continue
		}
		if e := os.RemoveAll(window); e != nil { // follows no link
			err = errors.Join(err, e)
			continue
		}
		done.Removed++
		_ = os.Remove(filepath.Dir(window)) // only if it is empty
	}
	return err
}

func remove(path string, done *Purged) error {
	err := os.Remove(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what is kept: %w", err)
	}
	if err == nil {
		done.Removed++
	}
	return nil
}

// leave removes the folder if nothing is in it.
func leave(dir string) { _ = os.Remove(dir) }

// removeSettings removes the person's settings file.
func removeSettings(done *Purged) error {
	computer, err := sources.ForPerson(nil)
	if err != nil {
		return fmt.Errorf("remove the settings: %w", err)
	}
	path := sources.UserFile(computer)
	if err := remove(path, done); err != nil {
		return err
	}
	leave(filepath.Dir(path))
	return nil
}

// tellServers signs out at all servers of which a session is kept here, as far as they answer in time.
func tellServers(ctx context.Context, dir string) int {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	c, _, err := config.ForThisMachine(ctx, nil, false)
	if err != nil {
		return 0
	}
	account, err := osuser.Current(ctx)
	if err != nil {
		return 0
	}
	all := servers.Open(dir).Confirmed(c)
	if c.ServerURL != nil {
		all = append(all, c)
	}
	told := 0
	for _, c := range all {
		if tellServer(ctx, c, dir, account) == nil {
			told++
		}
	}
	return told
}

// tellServer signs out at one server.
func tellServer(ctx context.Context, c config.Config, dir string, account osuser.Account) error {
	store := tokenstore.Open(ctx, tokenstore.Options{Dir: dir, ServerURL: c.ServerURL.String(), OSUser: account.Key(), Clock: clock.System})
	kept, err := store.Load(ctx)
	if err != nil {
		return err
	}
	client, err := connect.New(c, slog.New(slog.DiscardHandler), clock.System)
	if err != nil {
		return err
	}
	fresh, err := client.Refresh(ctx, kept.RefreshToken)
	if err != nil {
		return err
	}
	return client.SignOut(ctx, fresh.Access)
}
