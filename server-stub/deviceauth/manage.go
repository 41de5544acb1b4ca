package deviceauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
)

// Details is everything about one device.
type Details struct {
	core.Device
	Fingerprint  string                   // of its key, "" once it was revoked
	Replaces     string                   // the device whose record it takes over once it is approved
	Users        []core.DeviceUser        // those it vouched for in the last 30 days, the latest first
	Certificates []core.DeviceCertificate // the newest first
	Sessions     int                      // in force that it vouched for
}

const usersShown = 30 * 24 * time.Hour

// List returns all devices, in the order of their host names.
func (s *Service) List(ctx context.Context) ([]core.Device, error) {
	var list []core.Device
	err := s.o.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.Devices(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return list, nil
}

// Show returns one device by its id, the beginning of it that no other has, or its host name if no other has that.
func (s *Service) Show(ctx context.Context, ref string) (Details, error) {
	var details Details
	err := s.o.Store.View(ctx, func(tx store.Tx) error {
		details = Details{}
		d, err := find(ctx, tx, ref)
		if err != nil {
			return err
		}
		details.Device = d
		if d.KeyHash != [32]byte{} {
			details.Fingerprint = pki.Fingerprint(d.KeyHash)
		}
		if d.Status == core.DevicePending || d.Status == core.DeviceApproved {
			old, ok, err := s.sameHardware(ctx, tx, d)
			if err != nil {
				return err
			}
			if ok {
				details.Replaces = old.ID
			}
		}
		now := s.o.Clock()
		if details.Users, err = tx.DeviceUsers(ctx, d.ID, now.Add(-usersShown)); err != nil {
			return err
		}
		if details.Certificates, err = tx.DeviceCertificates(ctx, d.ID); err != nil {
			return err
		}
		sessions, err := tx.DeviceSessions(ctx, d.ID, now)
		details.Sessions = len(sessions)
		return err
	})
	if err != nil {
		return Details{}, fmt.Errorf("look at a device: %w", err)
	}
	return details, nil
}

// find returns the device that ref means.
func find(ctx context.Context, tx store.Tx, ref string) (core.Device, error) {
	d, err := tx.Device(ctx, ref)
	if !errors.Is(err, core.ErrNotFound) {
		return d, err
	}
	all, err := tx.Devices(ctx)
	if err != nil {
		return core.Device{}, err
	}
	ref = strings.ToLower(strings.TrimSpace(ref))
	var found []core.Device
	for _, d := range all {
		if ref != "" && (len(ref) >= 4 && strings.HasPrefix(d.ID, ref) || strings.ToLower(d.Hostname) == ref) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return core.Device{}, fmt.Errorf("%w: there is no device %q; platen-server device list has them", core.ErrNotFound, ref)
	case 1:
		return found[0], nil
	}
	return core.Device{}, fmt.Errorf("%w: %d devices are called %q; say which by its id", core.ErrAmbiguous, len(found), ref)
}

// Approve lets a machine that waits become a device of the group; "" keeps the group of the record it takes over. fingerprint is
// what the administrator compared, "" if they did not say. Errors: core.ErrNotFound, core.ErrAmbiguous, core.ErrConflict,
// core.ErrInvalid.
func (s *Service) Approve(ctx context.Context, actor, ref, group, fingerprint string) (core.Device, error) {
	if _, ok := s.o.Groups.Get(group); !ok {
		return core.Device{}, fmt.Errorf("approve a device: %w: there is no group %q in device_groups; there are %s",
			core.ErrInvalid, group, strings.Join(s.o.Groups.Names(), ", "))
	}
	return s.change(ctx, ref, func(tx store.Tx, d *core.Device) error {
		switch {
		case d.Status == core.DeviceApproved:
			return nil
		case d.Status != core.DevicePending:
			return fmt.Errorf("%w: it is %s and does not wait for approval", core.ErrConflict, d.Status)
		case fingerprint != "" && !sameFingerprint(fingerprint, pki.Fingerprint(d.KeyHash)):
			return fmt.Errorf("%w: its fingerprint is %s, not %s: another machine asks in its name", core.ErrConflict, pki.Fingerprint(d.KeyHash), fingerprint)
		}
		return s.approve(ctx, tx, actor, d, group, "")
	})
}

// approve lets the machine become a device with its next question.
func (s *Service) approve(ctx context.Context, tx store.Tx, actor string, d *core.Device, group, detail string) error {
	if group == "" {
		old, ok, err := s.sameHardware(ctx, tx, *d)
		if err != nil {
			return err
		}
		if ok {
			group = old.Group
		}
	}
	d.Status, d.Group = core.DeviceApproved, group
	return s.audit(ctx, tx, actor, "device.approve", d.ID, detail)
}

func sameFingerprint(a, b string) bool {
	clean := strings.NewReplacer("-", "", ":", "", " ", "")
	return strings.EqualFold(clean.Replace(a), clean.Replace(b))
}

// Revoke takes a device's certificates out of force at once. Its record stays, and it may enrol anew with a new key. The sessions
// it vouched for are ended by OnRevoke.
func (s *Service) Revoke(ctx context.Context, actor, ref string) (core.Device, error) {
	d, err := s.change(ctx, ref, func(tx store.Tx, d *core.Device) error {
		now := s.o.Clock()
		if d.Status == core.DeviceRevoked {
			return nil
		}
		d.Status, d.KeyHash, d.RevokedAt = core.DeviceRevoked, [32]byte{}, now
		if _, err := tx.RevokeDeviceCertificates(ctx, d.ID, "", "revoked", now); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "device.revoke", d.ID, "")
	})
	if err == nil {
		s.o.OnRevoke(ctx, d.ID)
	}
	return d, err
}

// Forget revokes a device and removes its record.
func (s *Service) Forget(ctx context.Context, actor, ref string) (core.Device, error) {
	var d core.Device
	err := s.o.Store.Update(ctx, func(tx store.Tx) (err error) {
		if d, err = find(ctx, tx, ref); err != nil {
			return err
		}
		return errors.Join(tx.DeleteDevice(ctx, d.ID), s.audit(ctx, tx, actor, "device.forget", d.ID, ""))
	})
	if err != nil {
		return core.Device{}, fmt.Errorf("forget a device: %w", err)
	}
	s.o.OnRevoke(ctx, d.ID)
	return d, nil
}

// change changes one device.
func (s *Service) change(ctx context.Context, ref string, fn func(tx store.Tx, d *core.Device) error) (core.Device, error) {
	var d core.Device
	err := s.o.Store.Update(ctx, func(tx store.Tx) (err error) {
		if d, err = find(ctx, tx, ref); err != nil {
			return err
		}
		if err := fn(tx, &d); err != nil {
			return err
		}
		return tx.UpdateDevice(ctx, d)
	})
	if err != nil {
		return core.Device{}, fmt.Errorf("change a device: %w", err)
	}
	return d, nil
}

// Stale keeps the devices that were not seen for so long.
func (s *Service) Stale(list []core.Device, age time.Duration) []core.Device {
	before := s.o.Clock().Add(-age)
	return slices.DeleteFunc(slices.Clone(list), func(d core.Device) bool { return d.LastSeenAt.After(before) })
}
