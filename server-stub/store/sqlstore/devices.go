package sqlstore

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const deviceColumns = `id, device_group, status, machine_id, hardware_id, key_hash, hostname, platform, version, join_domain,
	join_realm, last_error, address, token_id, created_at, enrolled_at, last_seen_at, revoked_at`

func scanDevice(row scanner) (core.Device, error) {
	var d core.Device
	err := row.Scan(&d.ID, &d.Group, &d.Status, &d.MachineID, &d.HardwareID, bytesOf{d.KeyHash[:]}, &d.Hostname, &d.Platform,
		&d.Version, &d.JoinDomain, &d.JoinRealm, &d.LastError, &d.Address, &d.TokenID, timeOf{&d.CreatedAt},
		timeOf{&d.EnrolledAt}, timeOf{&d.LastSeenAt}, timeOf{&d.RevokedAt})
	return d, err
}

// CreateDevice implements store.Devices.
func (t *tx) CreateDevice(ctx context.Context, d core.Device) error {
	_, err := t.exec(ctx, "add a device", `INSERT INTO devices (`+deviceColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		d.ID, d.Group, d.Status, d.MachineID, d.HardwareID, d.KeyHash, d.Hostname, d.Platform, d.Version, d.JoinDomain,
		d.JoinRealm, d.LastError, d.Address, d.TokenID, d.CreatedAt, d.EnrolledAt, d.LastSeenAt, d.RevokedAt)
	return err
}

// Device implements store.Devices.
func (t *tx) Device(ctx context.Context, id string) (core.Device, error) {
	return one(ctx, t, scanDevice, "read a device", `SELECT `+deviceColumns+` FROM devices WHERE id = $1`, id)
}

// UpdateDevice implements store.Devices.
func (t *tx) UpdateDevice(ctx context.Context, d core.Device) error {
	return t.execOne(ctx, "change a device", `UPDATE devices SET device_group = $1, status = $2, machine_id = $3,
			hardware_id = $4, key_hash = $5, hostname = $6, platform = $7, version = $8, join_domain = $9, join_realm = $10,
			last_error = $11, address = $12, token_id = $13, enrolled_at = $14, last_seen_at = $15, revoked_at = $16
		WHERE id = $17`,
		d.Group, d.Status, d.MachineID, d.HardwareID, d.KeyHash, d.Hostname, d.Platform, d.Version, d.JoinDomain, d.JoinRealm,
		d.LastError, d.Address, d.TokenID, d.EnrolledAt, d.LastSeenAt, d.RevokedAt, d.ID)
}

// DeleteDevice implements store.Devices.
func (t *tx) DeleteDevice(ctx context.Context, id string) error {
	for _, text := range []string{
		`DELETE FROM device_users WHERE device_id = $1`,
		`DELETE FROM device_certificates WHERE device_id = $1`,
	} {
		if _, err := t.exec(ctx, "forget a device", text, id); err != nil {
			return err
		}
	}
	return t.execOne(ctx, "forget a device", `DELETE FROM devices WHERE id = $1`, id)
}

// Devices implements store.Devices.
func (t *tx) Devices(ctx context.Context) ([]core.Device, error) {
	return all(ctx, t, scanDevice, "list devices", `SELECT `+deviceColumns+` FROM devices ORDER BY hostname, id`)
}

// DeviceByKey implements store.Devices.
func (t *tx) DeviceByKey(ctx context.Context, keyHash [32]byte) (core.Device, error) {
	return one(ctx, t, scanDevice, "find a device by its key", `SELECT `+deviceColumns+` FROM devices WHERE key_hash = $1`, keyHash)
}

// DevicesByHardware implements store.Devices.
func (t *tx) DevicesByHardware(ctx context.Context, hardwareID string) ([]core.Device, error) {
	return all(ctx, t, scanDevice, "find devices by their hardware", `SELECT `+deviceColumns+` FROM devices
		WHERE hardware_id = $1 AND hardware_id <> '' ORDER BY COALESCE(enrolled_at, 0) DESC, id`, hardwareID)
}

// CountDevices implements store.Devices.
func (t *tx) CountDevices(ctx context.Context, status core.DeviceStatus) (int, error) {
	n, err := one(ctx, t, scanInt, "count devices", `SELECT COUNT(*) FROM devices WHERE status = $1`, status)
	return int(n), err
}

const certificateColumns = `serial, device_id, key_hash, issued_at, expires_at, revoked_at, reason`

func scanCertificate(row scanner) (core.DeviceCertificate, error) {
	var c core.DeviceCertificate
	err := row.Scan(&c.Serial, &c.DeviceID, bytesOf{c.KeyHash[:]}, timeOf{&c.IssuedAt}, timeOf{&c.ExpiresAt}, timeOf{&c.RevokedAt}, &c.Reason)
	return c, err
}

// CreateDeviceCertificate implements store.Devices.
func (t *tx) CreateDeviceCertificate(ctx context.Context, c core.DeviceCertificate) error {
	_, err := t.exec(ctx, "keep a device's certificate", `INSERT INTO device_certificates (`+certificateColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, c.Serial, c.DeviceID, c.KeyHash, c.IssuedAt, c.ExpiresAt, c.RevokedAt, c.Reason)
	return err
}

// DeviceCertificate implements store.Devices.
func (t *tx) DeviceCertificate(ctx context.Context, serial string) (core.DeviceCertificate, error) {
	return one(ctx, t, scanCertificate, "read a device's certificate",
		`SELECT `+certificateColumns+` FROM device_certificates WHERE serial = $1`, serial)
}

// DeviceCertificates implements store.Devices.
func (t *tx) DeviceCertificates(ctx context.Context, deviceID string) ([]core.DeviceCertificate, error) {
	return all(ctx, t, scanCertificate, "list a device's certificates", `SELECT `+certificateColumns+` FROM device_certificates
		WHERE device_id = $1 ORDER BY COALESCE(issued_at, 0) DESC, serial`, deviceID)
}

// CertificatesByKey implements store.Devices.
func (t *tx) CertificatesByKey(ctx context.Context, keyHash [32]byte) ([]core.DeviceCertificate, error) {
	return all(ctx, t, scanCertificate, "list a key's certificates", `SELECT `+certificateColumns+` FROM device_certificates
		WHERE key_hash = $1 ORDER BY COALESCE(issued_at, 0) DESC, serial`, keyHash)
}

// RevokeDeviceCertificates implements store.Devices.
func (t *tx) RevokeDeviceCertificates(ctx context.Context, deviceID, but, reason string, at time.Time) (int, error) {
	n, err := t.exec(ctx, "revoke a device's certificates", `UPDATE device_certificates SET revoked_at = $1, reason = $2
		WHERE device_id = $3 AND serial <> $4 AND revoked_at IS NULL`, at, reason, deviceID, but)
	return int(n), err
}

// PutDeviceUser implements store.Devices.
func (t *tx) PutDeviceUser(ctx context.Context, u core.DeviceUser) error {
	_, err := t.exec(ctx, "note whom a device vouched for", `INSERT INTO device_users (device_id, user_id, first_at, last_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (device_id, user_id) DO UPDATE SET last_at = excluded.last_at`,
		u.DeviceID, u.UserID, u.FirstAt, u.LastAt)
	return err
}

// DeviceUsers implements store.Devices.
func (t *tx) DeviceUsers(ctx context.Context, deviceID string, since time.Time) ([]core.DeviceUser, error) {
	return all(ctx, t, func(row scanner) (core.DeviceUser, error) {
		var u core.DeviceUser
		err := row.Scan(&u.DeviceID, &u.UserID, timeOf{&u.FirstAt}, timeOf{&u.LastAt})
		return u, err
	}, "list whom a device vouched for", `SELECT device_id, user_id, first_at, last_at FROM device_users
		WHERE device_id = $1 AND last_at > $2 ORDER BY last_at DESC, user_id`, deviceID, notBefore1970(since))
}

// notBefore1970 is a time to compare columns with: a zero time would be NULL, which compares with nothing.
func notBefore1970(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0)
	}
	return t
}

// DeleteDeviceUsersBefore implements store.Devices.
func (t *tx) DeleteDeviceUsersBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget whom devices vouched for", `DELETE FROM device_users WHERE last_at < $1`, before)
	return int(n), err
}

// DeviceSessions implements store.Devices.
func (t *tx) DeviceSessions(ctx context.Context, deviceID string, now time.Time) ([]core.Session, error) {
	return all(ctx, t, scanSession, "list the sessions a device vouched for", `SELECT `+sessionColumns+` FROM sessions
		WHERE device = $1 AND device <> '' AND revoked_at IS NULL AND refresh_expires > $2 ORDER BY id`, deviceID, now)
}

// RevokeDeviceSessions implements store.Devices.
func (t *tx) RevokeDeviceSessions(ctx context.Context, deviceID string, at time.Time) (int, error) {
	n, err := t.exec(ctx, "revoke the sessions a device vouched for",
		`UPDATE sessions SET revoked_at = $1 WHERE device = $2 AND device <> '' AND revoked_at IS NULL`, at, deviceID)
	return int(n), err
}

// UseNonce implements store.Devices.
func (t *tx) UseNonce(ctx context.Context, hash [32]byte, expires time.Time) (bool, error) {
	n, err := t.exec(ctx, "use a nonce", `INSERT INTO used_nonces (hash, expires_at) VALUES ($1, $2)
		ON CONFLICT (hash) DO NOTHING`, hash, expires)
	return n == 1, err
}

// DeleteNoncesBefore implements store.Devices.
func (t *tx) DeleteNoncesBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget used nonces", `DELETE FROM used_nonces WHERE expires_at < $1`, before)
	return int(n), err
}

const codeColumns = `hash, challenge, user_id, assurance, provider, device_id, host, facts, stay, created_at, expires_at`

// CreateCode implements store.Devices.
func (t *tx) CreateCode(ctx context.Context, c core.OneUseCode) error {
	_, err := t.exec(ctx, "keep a one-use code", `INSERT INTO one_use_codes (`+codeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.Hash, c.Challenge, c.UserID, c.Assurance, c.Provider, c.DeviceID, c.Host, c.Facts, c.Stay, c.CreatedAt, c.ExpiresAt)
	return err
}

// TakeCode implements store.Devices. One statement takes it, so that one of many gets it at every isolation level.
func (t *tx) TakeCode(ctx context.Context, hash [32]byte) (core.OneUseCode, error) {
	return one(ctx, t, func(row scanner) (core.OneUseCode, error) {
		var c core.OneUseCode
		err := row.Scan(bytesOf{c.Hash[:]}, &c.Challenge, &c.UserID, &c.Assurance, &c.Provider, &c.DeviceID, &c.Host, &c.Facts,
			boolOf{&c.Stay}, timeOf{&c.CreatedAt}, timeOf{&c.ExpiresAt})
		return c, err
	}, "take a one-use code", `DELETE FROM one_use_codes WHERE hash = $1 RETURNING `+codeColumns, hash)
}

// DeleteCodesBefore implements store.Devices.
func (t *tx) DeleteCodesBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget one-use codes", `DELETE FROM one_use_codes WHERE expires_at < $1`, before)
	return int(n), err
}
