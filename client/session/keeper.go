package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/platenprint/platen/client/status"
)

// vaultTimeout bounds each call of the Vault; the keyring behind it has its own deadlines, which are shorter.
const vaultTimeout = 20 * time.Second

// keeper is the Vault with order: one call at a time, and nothing of a session that has ended is written after it was
// cleared. Each signed-in session has a number (epoch); the machine raises it when the session ends.
type keeper struct {
	vault  Vault
	logger *slog.Logger

	turn  chan struct{} // has room for one; whoever put something in may call vault and touch the fields below
	saved int           // the newest epoch that wrote something

	epochMu sync.Mutex // guards epoch alone, so that the machine never waits for the keyring
	epoch   int
}

func newKeeper(vault Vault, logger *slog.Logger) *keeper {
	return &keeper{vault: vault, logger: logger, turn: make(chan struct{}, 1)}
}

// take waits for the turn and returns how to give it back.
func (k *keeper) take() (release func()) {
	k.turn <- struct{}{}
	return func() { <-k.turn }
}

// next ends the epoch and returns the new one.
func (k *keeper) next() int {
	k.epochMu.Lock()
	defer k.epochMu.Unlock()
	k.epoch++
	return k.epoch
}

func (k *keeper) current(epoch int) bool {
	k.epochMu.Lock()
	defer k.epochMu.Unlock()
	return k.epoch == epoch
}

func (k *keeper) load(ctx context.Context) (*Kept, *Note, status.Keyring) {
	defer k.take()()
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	kept, keyring, err := k.vault.Load(ctx)
	if err != nil {
		k.logger.WarnContext(ctx, "kept session cannot be read", "keyring", keyring, "error", err)
	}
	note, err := k.vault.LoadNote(ctx)
	if err != nil {
		k.logger.WarnContext(ctx, "last balance cannot be read", "error", err)
	}
	return kept, note, keyring
}

// save writes the session of epoch, unless it has ended. It finishes even when ctx ends: a refresh token that was
// received and not kept is lost.
func (k *keeper) save(ctx context.Context, epoch int, kept Kept) status.Keyring {
	defer k.take()()
	if !k.current(epoch) {
		return status.KeyringUnknown
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTimeout)
	defer cancel()
	k.saved = epoch
	keyring, err := k.vault.Save(ctx, kept)
	if err != nil {
		k.logger.WarnContext(ctx, "session cannot be kept", "keyring", keyring, "error", err)
	}
	return keyring
}

func (k *keeper) saveNote(ctx context.Context, epoch int, note Note) {
	defer k.take()()
	if !k.current(epoch) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTimeout)
	defer cancel()
	if err := k.vault.SaveNote(ctx, note); err != nil {
		k.logger.WarnContext(ctx, "last balance cannot be kept", "error", err)
	}
}

// clear forgets what was written up to epoch.
func (k *keeper) clear(ctx context.Context, epoch int) {
	defer k.take()()
	if k.saved > epoch {
		return // somebody has signed in since
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTimeout)
	defer cancel()
	if err := k.vault.Clear(ctx); err != nil {
		k.logger.WarnContext(ctx, "kept session cannot be cleared", "error", err)
	}
}

// replace forgets everything and keeps a note instead, as epoch.
func (k *keeper) replace(ctx context.Context, epoch int, note Note) {
	defer k.take()()
	if !k.current(epoch) {
		return // somebody has signed in since
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTimeout)
	defer cancel()
	k.saved = epoch
	err := k.vault.Clear(ctx)
	if err == nil {
		err = k.vault.SaveNote(ctx, note)
	}
	if err != nil {
		k.logger.WarnContext(ctx, "a note cannot be kept", "error", err)
	}
}
