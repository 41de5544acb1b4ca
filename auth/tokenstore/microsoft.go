package tokenstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// MicrosoftCache is the place for the cache of Microsoft's sign-in library, sealed like the tokens and removed with them.
// (It satisfies auth/microsoft.Cache.)
type MicrosoftCache struct{ store *Store }

// MicrosoftCache returns the place for the cache of Microsoft's sign-in library.
func (s *Store) MicrosoftCache() MicrosoftCache { return MicrosoftCache{s} }

// Load returns what Save was given last, nil if nothing is kept. Errors as of Store.Load, without ErrNone.
func (c MicrosoftCache) Load(ctx context.Context) ([]byte, error) {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.microsoft != nil {
		return bytes.Clone(s.microsoft), nil
	}
	plain, err := s.read(ctx, kindMicrosoft)
	if errors.Is(err, ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the sign-in with Microsoft kept for %s: %w", s.owner.serverURL, err)
	}
	s.microsoft = plain
	return bytes.Clone(plain), nil
}

// Save keeps data (at most 512 KiB) in place of what was there: in memory always, and on disk if the keyring can be used.
// No data forgets it.
func (c MicrosoftCache) Save(ctx context.Context, data []byte) error {
	s := c.store
	if len(data) > maxSealed/2 {
		return fmt.Errorf("keep the sign-in with Microsoft for %s: it has %d bytes, at most %d are allowed", s.owner.serverURL, len(data), maxSealed/2)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if len(data) == 0 {
		s.microsoft = nil
		path := s.path(kindMicrosoft)
		removeLeftovers(path)
		err = errors.Join(removeFile(path), removeFile(path+asideExt))
	} else {
		s.microsoft = bytes.Clone(data)
		err = s.write(ctx, kindMicrosoft, data)
	}
	if err != nil {
		return fmt.Errorf("keep the sign-in with Microsoft for %s: %w", s.owner.serverURL, err)
	}
	return nil
}
