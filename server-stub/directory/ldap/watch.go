package ldap

import (
	"context"
	"errors"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// Watch implements directory.Watcher by Active Directory's change notifications (MS-ADTS 3.1.1.3.4.1.9). Other servers have none:
// the error is then errors.ErrUnsupported.
func (s *Source) Watch(ctx context.Context, changed func()) error {
	se, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer se.close()
	if !se.mapping.ad || se.root.base == "" {
		return s.errorf("wait for changes: %w: only Active Directory tells of them at once; the source is read at its interval", errors.ErrUnsupported)
	}
	err = se.within(ctx, 0, func() error {
		// The whole domain and every entry: a server allows nothing narrower but single levels.
		q := wire.Search{Base: se.root.base, Scope: wire.Subtree, Filter: "(objectClass=*)", Attributes: []string{"1.1"}, Controls: []wire.Control{wire.Notify()}}
		_, err := se.wire.Search(q, func(*wire.Entry) error {
			changed()
			return nil
		})
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = errors.New("the server ended the notifications")
	}
	return s.errorf("%w: wait for changes: %w: the source is read at its interval until it can be heard again", core.ErrUnavailable, err)
}
