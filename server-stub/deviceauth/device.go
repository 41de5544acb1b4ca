package deviceauth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
)

// Caller is a device that has shown its certificate.
type Caller struct {
	Device      core.Device
	Certificate pki.DeviceCertificate
	key         *x509.Certificate
}

// Authenticate tells which device shows the certificate; ErrUnknown for one that is not of our CA, over, revoked, or of a device
// that is none any more. It is asked on every request: a revocation counts at once.
func (s *Service) Authenticate(ctx context.Context, cert *x509.Certificate) (Caller, error) {
	shown, err := s.o.CA.Verify(cert)
	if err != nil {
		return Caller{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	c := Caller{Certificate: shown, key: cert}
	err = s.o.Store.View(ctx, func(tx store.Tx) (err error) {
		c.Device, err = inForce(ctx, tx, shown)
		return err
	})
	switch {
	case errors.Is(err, ErrUnknown):
		return Caller{}, ErrUnknown
	case err != nil:
		return Caller{}, fmt.Errorf("check a device's certificate: %w", err)
	}
	return c, nil
}

// inForce returns the device of a certificate that is in force, or ErrUnknown.
func inForce(ctx context.Context, tx store.Tx, shown pki.DeviceCertificate) (core.Device, error) {
	kept, err := tx.DeviceCertificate(ctx, shown.Serial)
	if errors.Is(err, core.ErrNotFound) {
		return core.Device{}, ErrUnknown
	}
	if err != nil {
		return core.Device{}, err
	}
	d, err := tx.Device(ctx, kept.DeviceID)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return core.Device{}, ErrUnknown
	case err != nil:
		return core.Device{}, err
	case !kept.RevokedAt.IsZero(), kept.DeviceID != shown.Device, kept.KeyHash != shown.KeyHash, d.Status != core.DeviceEnrolled:
		return core.Device{}, ErrUnknown
	}
	return d, nil
}

// Renew issues a new certificate, for the same key or a new one. Those from before stay good until the new one is used, so a
// lost reply costs nothing. Errors: those of Authenticate, core.ErrInvalid, ErrKeyUsed.
func (s *Service) Renew(ctx context.Context, c Caller, in api.Renewal, from netip.Addr) (api.Enrolled, error) {
	if err := checkMachine(in.Machine); err != nil {
		return api.Enrolled{}, fmt.Errorf("renew a certificate: %w", err)
	}
	request, err := pki.ParseRequest(in.CSR)
	if err != nil {
		return api.Enrolled{}, fmt.Errorf("renew a certificate: %w: %w", core.ErrInvalid, err)
	}
	var cert pki.DeviceCertificate
	err = s.o.Store.Update(ctx, func(tx store.Tx) error {
		d, err := inForce(ctx, tx, c.Certificate)
		switch {
		case err != nil:
			return err
		case d.MachineID != in.Machine.ID:
			return ErrUnknown
		}
		if request.KeyHash != c.Certificate.KeyHash {
			if err := s.unused(ctx, tx, request, d.ID); err != nil {
				return err
			}
		}
		if cert, err = s.sign(ctx, tx, request, d.ID); err != nil {
			return err
		}
		// The device keeps all keys of certificates in force; its record names the newest.
		d.KeyHash, d.LastSeenAt, d.Address = request.KeyHash, s.o.Clock(), addressText(from)
		return errors.Join(tx.UpdateDevice(ctx, d), s.audit(ctx, tx, "device:"+d.ID, "device.renew", d.ID, ""))
	})
	if err != nil {
		return api.Enrolled{}, fmt.Errorf("renew a certificate: %w", err)
	}
	return s.enrolled(c.Device.ID, cert), nil
}

// unused returns ErrKeyUsed for a key that another device has or had, or that was revoked.
func (s *Service) unused(ctx context.Context, tx store.Tx, r pki.Request, device string) error {
	before, err := tx.CertificatesByKey(ctx, r.KeyHash)
	if err != nil {
		return err
	}
	for _, c := range before {
		if c.DeviceID != device || !c.RevokedAt.IsZero() {
			return ErrKeyUsed
		}
	}
	other, err := tx.DeviceByKey(ctx, r.KeyHash)
	if isNot(err, core.ErrNotFound) {
		return err
	}
	if err == nil && other.ID != device {
		return ErrKeyUsed
	}
	return nil
}

// Report takes what a device says about itself and tells it what the server wants of it. Errors: those of Authenticate,
// core.ErrInvalid.
func (s *Service) Report(ctx context.Context, c Caller, r api.DeviceReport, from netip.Addr) (api.DeviceState, error) {
	if err := checkReport(r); err != nil {
		return api.DeviceState{}, fmt.Errorf("take a device's report: %w", err)
	}
	now := s.o.Clock()
	var d core.Device
	err := s.o.Store.Update(ctx, func(tx store.Tx) (err error) {
		if d, err = inForce(ctx, tx, c.Certificate); err != nil {
			return err
		}
		if r.MachineID != "" && r.MachineID != d.MachineID {
			return ErrUnknown
		}
		take(&d, r)
		d.LastSeenAt, d.Address = now, addressText(from)
		if err := s.settle(ctx, tx, d, c.Certificate); err != nil {
			return err
		}
		return tx.UpdateDevice(ctx, d)
	})
	if err != nil {
		return api.DeviceState{}, fmt.Errorf("take a device's report: %w", err)
	}
	return s.state(d, c.Certificate.RenewDue(now)), nil
}

// settle revokes the certificates from before the one that is in use now, if that is the newest.
func (s *Service) settle(ctx context.Context, tx store.Tx, d core.Device, used pki.DeviceCertificate) error {
	list, err := tx.DeviceCertificates(ctx, d.ID)
	if err != nil || len(list) < 2 || list[0].Serial != used.Serial || !list[1].RevokedAt.IsZero() {
		return err
	}
	_, err = tx.RevokeDeviceCertificates(ctx, d.ID, used.Serial, "renewed", s.o.Clock())
	return err
}

// state says what the server wants of a device. A device whose group is gone from the configuration is treated as shared, where
// less is taken for granted, and may vouch for nobody.
func (s *Service) state(d core.Device, renew bool) api.DeviceState {
	st := api.DeviceState{DeviceID: d.ID, Group: d.Group, Role: RoleShared, AuthModes: []string{}, SharedOSUsers: []string{}, Renew: renew}
	if d.Group == "" {
		st.Group = DefaultGroup
	}
	if group, ok := s.o.Groups.Get(d.Group); ok {
		st.Role = group.Role
		st.AuthModes = append(st.AuthModes, group.AuthModes...)
	}
	st.SharedOSUsers = append(st.SharedOSUsers, s.o.SharedOSUsers...)
	return st
}

// The times after which things are forgotten.
const (
	keepUsers  = 90 * 24 * time.Hour
	keepTokens = 30 * 24 * time.Hour
	keepNonces = time.Minute // beyond their end: the nodes' clocks differ
)

// Purge forgets what is over: used nonces, tokens that ended a month ago, whom devices vouched for three months ago, machines
// that wait for approval and do not ask any more.
func (s *Service) Purge(ctx context.Context) error {
	now := s.o.Clock()
	err := s.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err1 := tx.DeleteNoncesBefore(ctx, now.Add(-keepNonces))
		_, err2 := tx.DeleteEnrolmentTokensBefore(ctx, now.Add(-keepTokens))
		_, err3 := tx.DeleteDeviceUsersBefore(ctx, now.Add(-keepUsers))
		devices, err4 := tx.Devices(ctx)
		for _, d := range devices {
			if d.Status == core.DevicePending && d.LastSeenAt.Before(now.Add(-pendingLife)) {
				err4 = errors.Join(err4, tx.DeleteDevice(ctx, d.ID))
			}
		}
		return errors.Join(err1, err2, err3, err4)
	})
	if err != nil {
		return fmt.Errorf("forget what devices left: %w", err)
	}
	s.rate.forget(now)
	return nil
}
