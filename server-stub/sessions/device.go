package sessions

import (
	"context"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// vouchedFor refuses a session of a device that is none any more, so that a revocation misses none that is just beginning.
func vouchedFor(ctx context.Context, tx store.Tx, s core.Session) error {
	if s.Device == "" {
		return nil
	}
	d, err := tx.Device(ctx, s.Device)
	if errors.Is(err, core.ErrNotFound) || err == nil && d.Status != core.DeviceEnrolled {
		return core.ErrUnauthenticated
	}
	return err
}

// RevokeDevice ends all sessions that a device vouched for and tells how many: a machine that is not believed any more was
// perhaps not to be believed before.
func (m *Manager) RevokeDevice(ctx context.Context, actor, device string) (int, error) {
	now := m.now()
	var list []core.Session
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		if list, err = tx.DeviceSessions(ctx, device, now); err != nil || len(list) == 0 {
			return err
		}
		if _, err := tx.RevokeDeviceSessions(ctx, device, now); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{
			At: now, Actor: actor, Action: "session.revoke_device", Target: "device:" + device, Detail: fmt.Sprintf("%d sessions", len(list)),
		})
	})
	if err != nil {
		return 0, fmt.Errorf("end the sessions of device %s: %w", device, err)
	}
	for _, s := range list {
		m.o.OnEnd(s.ID, s.UserID)
	}
	return len(list), nil
}
