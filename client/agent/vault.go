package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// vault is auth/tokenstore in the words of client/session. open is called once, at the first use: on a shared computer
// the keyring is never touched.
type vault struct {
	open func(ctx context.Context) (*tokenstore.Store, error)
	// rescue takes what is to outlive a session out of the store before it is cleared, into memory; nil: nothing.
	rescue func(ctx context.Context)
}

var _ session.Vault = vault{}

// once opens the store at the first call. A failure is not remembered.
func once(open func(context.Context) (*tokenstore.Store, error)) func(context.Context) (*tokenstore.Store, error) {
	var mu sync.Mutex // guards store
	var store *tokenstore.Store
	return func(ctx context.Context) (*tokenstore.Store, error) {
		mu.Lock()
		defer mu.Unlock()
		if store != nil {
			return store, nil
		}
		opened, err := open(ctx)
		if err == nil {
			store = opened
		}
		return opened, err
	}
}

func (v vault) Load(ctx context.Context) (*session.Kept, status.Keyring, error) {
	store, err := v.open(ctx)
	if err != nil {
		return nil, status.KeyringMissing, err
	}
	t, err := store.Load(ctx)
	switch {
	case errors.Is(err, tokenstore.ErrNone):
		return nil, persistence(store), nil
	case err != nil:
		if gone, ok := errors.AsType[*tokenstore.UnavailableError](err); ok {
			return nil, keyringState(gone.State), err
		}
		return nil, persistence(store), err
	}
	return &session.Kept{Refresh: t.RefreshToken, User: api.User{ID: t.UserID, Username: string(t.Username)}}, persistence(store), nil
}

func (v vault) Save(ctx context.Context, kept session.Kept) (status.Keyring, error) {
	store, err := v.open(ctx)
	if err != nil {
		return status.KeyringMissing, err
	}
	err = store.Save(ctx, tokenstore.Tokens{
		Username: auth.Username(kept.User.Username), UserID: kept.User.ID, RefreshToken: kept.Refresh,
	})
	return persistence(store), err
}

func (v vault) LoadNote(ctx context.Context) (*session.Note, error) {
	store, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	text, err := store.LoadNote(ctx)
	if errors.Is(err, tokenstore.ErrNone) || errors.Is(err, tokenstore.ErrUnavailable) {
		return nil, nil //nolint:nilnil // by the contract of Vault
	}
	if err != nil {
		return nil, err
	}
	var note session.Note
	if err := json.Unmarshal(text, &note); err != nil {
		return nil, fmt.Errorf("read the note about the last session: %w", err)
	}
	return &note, nil
}

func (v vault) SaveNote(ctx context.Context, note session.Note) error {
	store, err := v.open(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("write the note about the session: %w", err)
	}
	return store.SaveNote(ctx, text)
}

func (v vault) Clear(ctx context.Context) error {
	store, err := v.open(ctx)
	if err != nil {
		return err
	}
	if v.rescue != nil {
		v.rescue(ctx)
	}
	return store.Clear(ctx)
}

// persistence says whether what was kept last outlives the program. A full disk is as bad as no keyring.
func persistence(store *tokenstore.Store) status.Keyring {
	s := store.Status()
	if !s.Persistent && s.Keyring.State == tokenstore.Available {
		return status.KeyringMissing
	}
	return keyringState(s.Keyring.State)
}

func keyringState(s tokenstore.State) status.Keyring {
	switch s {
	case tokenstore.Available:
		return status.KeyringOK
	case tokenstore.Locked, tokenstore.Unresponsive: // a keyring that does not answer mostly waits for its password
		return status.KeyringLocked
	case tokenstore.Missing, tokenstore.Failing:
	}
	return status.KeyringMissing
}
