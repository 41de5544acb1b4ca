package agent

import (
	"bytes"
	"context"
	"sync"

	"github.com/platenprint/platen/auth/microsoft"
)

// entraCache is where Microsoft's library keeps who signed in: in memory, and in the token store once the session says so
// (keep). On shared computers the token store is never touched.
type entraCache struct {
	store  func(ctx context.Context) (microsoft.Cache, error)
	shared func(ctx context.Context) bool

	mu   sync.Mutex // guards the fields below, also over the store
	data []byte
	kept bool // data is to be in the store
}

var _ microsoft.Cache = (*entraCache)(nil)

// Load implements microsoft.Cache. What was kept by an earlier run goes on to be kept.
func (c *entraCache) Load(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.data != nil || c.shared(ctx) {
		return bytes.Clone(c.data), nil
	}
	store, err := c.store(ctx)
	if err != nil {
		return nil, err
	}
	data, err := store.Load(ctx)
	if err == nil && len(data) > 0 {
		c.data, c.kept = data, true
	}
	return bytes.Clone(data), err
}

// rescue reads what is kept before the token store is cleared because the session has ended: Microsoft may still remember the
// person (session.Microsoft.Silent). When somebody signs out, forget comes as well.
func (c *entraCache) rescue(ctx context.Context) {
	_, _ = c.Load(ctx) // without it the person is asked
}

// Save implements microsoft.Cache.
func (c *entraCache) Save(ctx context.Context, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data = bytes.Clone(data)
	return c.write(ctx)
}

// keep puts what is there into the store, and from now on every change.
func (c *entraCache) keep(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = true
	return c.write(ctx)
}

func (c *entraCache) write(ctx context.Context) error {
	if !c.kept || c.shared(ctx) {
		return nil
	}
	store, err := c.store(ctx)
	if err != nil {
		return err
	}
	return store.Save(ctx, c.data)
}

// release takes keep back: from now on everything is in memory alone.
func (c *entraCache) release(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = false
	return c.remove(ctx)
}

// forget forgets everything, also what an earlier run has kept.
func (c *entraCache) forget(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data, c.kept = nil, false
	return c.remove(ctx)
}

// remove takes what is kept out of the store.
func (c *entraCache) remove(ctx context.Context) error {
	if c.shared(ctx) {
		return nil
	}
	store, err := c.store(ctx)
	if err != nil {
		return err
	}
	return store.Save(ctx, nil)
}
