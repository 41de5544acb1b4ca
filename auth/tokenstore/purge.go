package tokenstore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/zalando/go-keyring"
)

// Purged says what Purge has done.
type Purged struct {
	Files int // that were removed
	// Key tells whether the keyring has no key of ours any more. Without the files a key opens nothing.
	Key bool
}

// Purge removes what is kept of all servers, also what was moved aside, and the key from the keyring, if that can be used
// without a question. Of opts it uses Dir, Service, Keyring, Timeout and Log; where offline, the keyring is not touched. An error says
// that a file is left.
func Purge(ctx context.Context, opts Options, offline bool) (Purged, error) {
	var done Purged
	var err error
	for _, name := range filesIn(opts.Dir) {
		if !ours(name) {
			continue
		}
		if e := removeFile(filepath.Join(opts.Dir, name)); e != nil {
			err = errors.Join(err, e)
			continue
		}
		done.Files++
	}
	if offline || err != nil {
		return done, err
	}
	s := Open(ctx, opts)
	if s.Status().Keyring.State != Available {
		return done, nil
	}
	_, keyErr := guarded(ctx, s.guard, func(context.Context) (struct{}, error) {
		return struct{}{}, s.opts.Keyring.Delete(s.opts.Service, keyAccount)
	})
	done.Key = keyErr == nil || errors.Is(keyErr, keyring.ErrNotFound)
	if !done.Key {
		s.opts.Log.Warn("could not remove the key from the keyring", "error", keyErr)
	}
	return done, nil
}

// ours tells whether a file is of this package, by its name: also one that a crash or a damage has left.
func ours(name string) bool {
	for _, prefix := range []string{"session-", "note-", "microsoft-"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && strings.Contains(rest, sealedExt) {
			return true
		}
	}
	return false
}
