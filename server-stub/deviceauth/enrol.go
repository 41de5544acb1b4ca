package deviceauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
)

const (
	// pollAfter is when a machine that waits for approval asks again.
	pollAfter = 30 * time.Second
	// pollSoon is when it does so in its first minutes (soonFor), when somebody may sit before it, unless more than soonFew wait: those
	// were installed all at once, and nobody sits there.
	pollSoon = 5 * time.Second
	soonFor  = 3 * time.Minute
	soonFew  = 100
	// reissueWithin is how long after its last certificate ended a device is given a new one for its old key: a long summer.
	reissueWithin = 180 * 24 * time.Hour
	// mostPending is how many machines may wait for approval at once.
	mostPending = 5000
	// silentAfter is when one that waits and does not ask any more gives its place to another, if there is none left. It has a
	// new place when it asks again.
	silentAfter = time.Hour
	// sweepEvery is how often places are looked for at most: strangers may ask as often as they like.
	sweepEvery = time.Minute
	// pendingLife is how long a machine that does not ask any more is kept waiting.
	pendingLife = 14 * 24 * time.Hour
)

// Enrol makes a machine a device, or lets it wait. Errors: core.ErrInvalid, pki.ErrCSR, ErrToken, ErrKeyUsed, a core.LimitedError.
func (s *Service) Enrol(ctx context.Context, in api.Enrolment, from netip.Addr) (api.Enrolled, error) {
	if err := errors.Join(checkMachine(in.Machine), checkReport(in.Report)); err != nil {
		return api.Enrolled{}, fmt.Errorf("enrol a machine: %w", err)
	}
	request, err := pki.ParseRequest(in.CSR)
	if err != nil {
		return api.Enrolled{}, fmt.Errorf("enrol a machine: %w: %w", core.ErrInvalid, err)
	}
	var e *enrolling
	err = s.o.Store.Update(ctx, func(tx store.Tx) error {
		e = &enrolling{s: s, tx: tx, in: in, request: request, from: from} // the function may run again
		return e.run(ctx)
	})
	if err == nil {
		err = e.refused
	}
	if err != nil {
		return api.Enrolled{}, fmt.Errorf("enrol a machine: %w", err)
	}
	if e.replaced != "" {
		s.o.OnRevoke(ctx, e.replaced)
	}
	if e.answer.Status == api.EnrolmentDone {
		s.o.Logger.InfoContext(ctx, "device enrolled", "device", e.answer.DeviceID, "replaced", e.replaced != "")
	}
	return e.answer, nil
}

// enrolling is one run of Enrol in a transaction.
type enrolling struct {
	s       *Service
	tx      store.Tx
	in      api.Enrolment
	request pki.Request
	from    netip.Addr

	answer   api.Enrolled
	refused  error  // known after something was written that must stay
	replaced string // the device whose certificates died
}

func (e *enrolling) run(ctx context.Context) error {
	known, err := e.tx.DeviceByKey(ctx, e.request.KeyHash)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return e.newKey(ctx)
	case err != nil:
		return err
	case known.MachineID != e.in.Machine.ID:
		return ErrKeyUsed // a clone that brought the key along
	}
	if known.Status == core.DevicePending || known.Status == core.DeviceApproved {
		e.in.Machine.Hardware = known.HardwareID // as an administrator saw it, or will: it says whose record is taken over
	}
	switch known.Status {
	case core.DeviceEnrolled:
		return e.again(ctx, known)
	case core.DeviceApproved:
		return e.finish(ctx, known, true, "approved")
	case core.DevicePending:
		if e.in.Token != "" {
			return e.byToken(ctx, known, true)
		}
		return e.wait(ctx, known)
	case core.DeviceRevoked: // has no key any more
	}
	return ErrKeyUsed
}

// again answers an enrolled device that asks with its own key: the reply was lost, or its certificate is over.
func (e *enrolling) again(ctx context.Context, d core.Device) error {
	list, err := e.tx.DeviceCertificates(ctx, d.ID)
	if err != nil {
		return err
	}
	if len(list) == 0 || e.s.o.Clock().After(list[0].ExpiresAt.Add(reissueWithin)) {
		return ErrKeyUsed
	}
	take(&d, e.in.Report)
	return errors.Join(e.issue(ctx, d), e.s.audit(ctx, e.tx, "device:"+d.ID, "device.reissue", d.ID, ""))
}

// newKey answers a key that no device has.
func (e *enrolling) newKey(ctx context.Context) error {
	before, err := e.tx.CertificatesByKey(ctx, e.request.KeyHash)
	if err != nil {
		return err
	}
	if len(before) > 0 {
		return ErrKeyUsed
	}
	d := core.Device{
		ID: newID(), Status: core.DevicePending, MachineID: e.in.Machine.ID, HardwareID: e.in.Machine.Hardware,
		KeyHash: e.request.KeyHash, CreatedAt: e.s.o.Clock(), LastSeenAt: e.s.o.Clock(),
	}
	if e.in.Token != "" {
		return e.byToken(ctx, d, false)
	}
	if err := e.s.free(ctx, e.tx, e.from); err != nil {
		return err
	}
	waiting, err := e.tx.CountDevices(ctx, core.DevicePending)
	if err != nil {
		return err
	}
	if waiting >= mostPending {
		made, err := e.s.makeRoom(ctx, e.tx)
		if err != nil {
			return err
		}
		if !made {
			return &core.LimitedError{RetryAt: e.s.o.Clock().Add(time.Hour)}
		}
	}
	take(&d, e.in.Report)
	d.Address = addressText(e.from)
	if err := errors.Join(e.s.countTry(ctx, e.tx, e.from), e.tx.CreateDevice(ctx, d), e.s.audit(ctx, e.tx, "device:"+d.ID, "device.request", d.ID, "")); err != nil {
		return err
	}
	e.answer = e.waiting(d, waiting+1)
	return nil
}

// makeRoom forgets machines that wait and do not ask any more, and tells whether there were any.
func (s *Service) makeRoom(ctx context.Context, tx store.Tx) (bool, error) {
	now := s.o.Clock()
	last := s.swept.Load()
	if last != nil && now.Before(last.Add(sweepEvery)) && !last.After(now) {
		return false, nil
	}
	s.swept.Store(&now)
	all, err := tx.Devices(ctx)
	if err != nil {
		return false, err
	}
	made := false
	for _, d := range all {
		if d.Status == core.DevicePending && d.LastSeenAt.Before(now.Add(-silentAfter)) {
			if err := tx.DeleteDevice(ctx, d.ID); err != nil {
				return false, err
			}
			made = true
		}
	}
	return made, nil
}

// young tells whether a machine began to wait a moment ago.
func (e *enrolling) young(d core.Device) bool { return e.s.o.Clock().Before(d.CreatedAt.Add(soonFor)) }

// waiting is the answer to a machine that waits, with so many at the moment.
func (e *enrolling) waiting(d core.Device, many int) api.Enrolled {
	again := pollAfter
	if e.young(d) && many <= soonFew {
		again = pollSoon
	}
	return api.Enrolled{
		Status: api.EnrolmentPending, Fingerprint: pki.Fingerprint(e.request.KeyHash), PollAfter: int(again / time.Second), ServerCA: e.s.o.ServerCA,
	}
}

// wait answers a machine that asks whether it was approved.
func (e *enrolling) wait(ctx context.Context, d core.Device) error {
	take(&d, e.in.Report)
	d.Address, d.LastSeenAt = addressText(e.from), e.s.o.Clock()
	many := 0
	if e.young(d) {
		var err error
		if many, err = e.tx.CountDevices(ctx, core.DevicePending); err != nil {
			return err
		}
	}
	e.answer = e.waiting(d, many)
	return e.tx.UpdateDevice(ctx, d)
}

// byToken uses the token up, if it is good for this machine.
func (e *enrolling) byToken(ctx context.Context, d core.Device, known bool) error {
	if err := e.s.free(ctx, e.tx, e.from); err != nil {
		return err
	}
	t, err := e.tx.EnrolmentTokenBySecret(ctx, sha256.Sum256([]byte(e.in.Token)))
	if isNot(err, core.ErrNotFound) {
		return err
	}
	good := err == nil && e.s.usable(&t, e.from)
	if good {
		// A token from before a device was revoked does not bring it back.
		old, ok, err := e.s.sameHardware(ctx, e.tx, d)
		if err != nil {
			return err
		}
		good = !ok || old.Status != core.DeviceRevoked || t.CreatedAt.After(old.RevokedAt)
	}
	if !good {
		e.refused = ErrToken
		return e.s.countTry(ctx, e.tx, e.from)
	}
	if err := e.tx.UpdateEnrolmentToken(ctx, t); err != nil {
		return err
	}
	d.Group, d.TokenID = t.Group, t.ID
	return e.finish(ctx, d, known, "token:"+t.ID)
}

// finish makes the machine a device: in the record of the same hardware, if there is one. known tells that d is stored.
func (e *enrolling) finish(ctx context.Context, d core.Device, known bool, how string) error {
	old, again, err := e.s.sameHardware(ctx, e.tx, d)
	if err != nil {
		return err
	}
	action := "device.enrol"
	switch {
	case again: // the new key moves into the old record, and the old certificates die
		if known {
			if err := e.tx.DeleteDevice(ctx, d.ID); err != nil {
				return err
			}
		}
		if _, err := e.tx.RevokeDeviceCertificates(ctx, old.ID, "", "replaced", e.s.o.Clock()); err != nil {
			return err
		}
		action, e.replaced = "device.replace", old.ID
		d.ID, d.CreatedAt = old.ID, old.CreatedAt
	case !known:
		if err := e.tx.CreateDevice(ctx, d); err != nil {
			return err
		}
	}
	take(&d, e.in.Report)
	return errors.Join(e.issue(ctx, d), e.s.audit(ctx, e.tx, "device:"+d.ID, action, d.ID, how))
}

// sameHardware finds the record of the machine that d is, installed anew.
func (s *Service) sameHardware(ctx context.Context, tx store.Tx, d core.Device) (core.Device, bool, error) {
	list, err := tx.DevicesByHardware(ctx, d.HardwareID)
	if err != nil {
		return core.Device{}, false, err
	}
	for _, other := range list {
		if other.ID != d.ID && (other.Status == core.DeviceEnrolled || other.Status == core.DeviceRevoked) {
			return other, true, nil
		}
	}
	return core.Device{}, false, nil
}

// issue signs a certificate for the device and keeps both.
func (e *enrolling) issue(ctx context.Context, d core.Device) error {
	now := e.s.o.Clock()
	d.Status, d.KeyHash, d.MachineID, d.HardwareID = core.DeviceEnrolled, e.request.KeyHash, e.in.Machine.ID, e.in.Machine.Hardware
	d.EnrolledAt, d.LastSeenAt, d.Address, d.RevokedAt = now, now, addressText(e.from), time.Time{}
	if err := e.tx.UpdateDevice(ctx, d); err != nil {
		return err
	}
	cert, err := e.s.sign(ctx, e.tx, e.request, d.ID)
	if err != nil {
		return err
	}
	e.answer = e.s.enrolled(d.ID, cert)
	return nil
}

// mostAnHour is how many certificates a device gets in an hour. A program that loops must not fill the database.
const mostAnHour = 10

// sign issues and keeps a certificate.
func (s *Service) sign(ctx context.Context, tx store.Tx, r pki.Request, device string) (pki.DeviceCertificate, error) {
	list, err := tx.DeviceCertificates(ctx, device)
	if err != nil {
		return pki.DeviceCertificate{}, err
	}
	if len(list) >= mostAnHour {
		if until := list[mostAnHour-1].IssuedAt.Add(time.Hour); s.o.Clock().Before(until) {
			return pki.DeviceCertificate{}, &core.LimitedError{RetryAt: until}
		}
	}
	cert, err := s.o.CA.Issue(r, device)
	if err != nil {
		return pki.DeviceCertificate{}, err
	}
	return cert, tx.CreateDeviceCertificate(ctx, core.DeviceCertificate{
		Serial: cert.Serial, DeviceID: device, KeyHash: cert.KeyHash, IssuedAt: s.o.Clock(), ExpiresAt: cert.NotAfter,
	})
}

func (s *Service) enrolled(device string, cert pki.DeviceCertificate) api.Enrolled {
	return api.Enrolled{
		Status: api.EnrolmentDone, DeviceID: device, Certificate: cert.PEM, ServerCA: s.o.ServerCA, Fingerprint: pki.Fingerprint(cert.KeyHash),
	}
}
