package microsoft

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
)

// Cache keeps MSAL's tokens between starts of the program, sealed (auth/tokenstore). What is in it is MSAL's own affair:
// a few kilobytes of JSON.
type Cache interface {
	// Load returns what Save was given last, nil if nothing is kept.
	Load(ctx context.Context) ([]byte, error)
	// Save keeps data in place of what was there; nil forgets it.
	Save(ctx context.Context, data []byte) error
}

// keeper lets MSAL have a Cache. A cache that fails costs nobody a sign-in: the tokens then live as long as the program.
type keeper struct {
	cache Cache
	log   *slog.Logger

	mu     sync.Mutex // guards loaded
	loaded bool       // MSAL has, or has replaced, what was kept: this program is the only one that writes it
}

var _ cache.ExportReplace = (*keeper)(nil)

// Replace implements cache.ExportReplace.
func (k *keeper) Replace(ctx context.Context, into cache.Unmarshaler, _ cache.ReplaceHints) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.loaded || k.cache == nil {
		return nil
	}
	data, err := k.cache.Load(ctx)
	if err != nil {
		k.log.WarnContext(ctx, "could not read the kept sign-in with Microsoft", "error", err)
		return ctx.Err() // a keyring that is locked now may be open the next time
	}
	k.loaded = true
	if len(data) == 0 {
		return nil
	}
	if err := into.Unmarshal(data); err != nil { // whose text may quote it
		k.log.WarnContext(ctx, "the kept sign-in with Microsoft is damaged and was dropped")
		return k.save(ctx, nil)
	}
	return nil
}

// Export implements cache.ExportReplace.
func (k *keeper) Export(ctx context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loaded = true
	data, err := from.Marshal()
	if err != nil {
		return fmt.Errorf("write MSAL's cache: %w", err)
	}
	return k.save(ctx, data)
}

// forget drops what is kept, also what was never read.
func (k *keeper) forget(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loaded = true
	if k.cache == nil {
		return nil
	}
	return k.cache.Save(ctx, nil)
}

func (k *keeper) save(ctx context.Context, data []byte) error {
	if k.cache == nil {
		return nil
	}
	if err := k.cache.Save(ctx, data); err != nil {
		k.log.WarnContext(ctx, "could not keep the sign-in with Microsoft", "error", err)
	}
	return nil
}
