package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Devices keeps enrolled machines, their certificates and enrolment tokens, used nonces and one-use codes.
type Devices interface {
	// CreateDevice returns core.ErrConflict when another device has the key.
	CreateDevice(ctx context.Context, d core.Device) error
	Device(ctx context.Context, id string) (core.Device, error)
	// UpdateDevice replaces every field but ID and CreatedAt; core.ErrConflict when another device has the key.
	UpdateDevice(ctx context.Context, d core.Device) error
	// DeleteDevice forgets a device, its certificates and whom it vouched for. Sessions keep its id.
	DeleteDevice(ctx context.Context, id string) error
	// Devices returns all, in the order of their host names and ids.
	Devices(ctx context.Context) ([]core.Device, error)
	DeviceByKey(ctx context.Context, keyHash [32]byte) (core.Device, error)
	// DevicesByHardware returns those with this hardware id, the last enrolled first.
	DevicesByHardware(ctx context.Context, hardwareID string) ([]core.Device, error)
	// CountDevices tells how many have this status.
	CountDevices(ctx context.Context, status core.DeviceStatus) (int, error)

	CreateDeviceCertificate(ctx context.Context, c core.DeviceCertificate) error
	DeviceCertificate(ctx context.Context, serial string) (core.DeviceCertificate, error)
	// DeviceCertificates returns a device's, the newest first.
	DeviceCertificates(ctx context.Context, deviceID string) ([]core.DeviceCertificate, error)
	// CertificatesByKey returns the certificates of a key, whosever and however they stand, the newest first.
	CertificatesByKey(ctx context.Context, keyHash [32]byte) ([]core.DeviceCertificate, error)
	// RevokeDeviceCertificates revokes those of a device that are in force, but for one serial ("" for none), and tells how many.
	RevokeDeviceCertificates(ctx context.Context, deviceID, but, reason string, at time.Time) (int, error)

	// PutDeviceUser notes that a device vouched for a person: FirstAt stays as it was the first time.
	PutDeviceUser(ctx context.Context, u core.DeviceUser) error
	// DeviceUsers returns those whom the device vouched for after since, the latest first.
	DeviceUsers(ctx context.Context, deviceID string, since time.Time) ([]core.DeviceUser, error)
	// DeleteDeviceUsersBefore forgets whom nobody vouched for since t.
	DeleteDeviceUsersBefore(ctx context.Context, t time.Time) (int, error)

	// DeviceSessions returns the sessions that a device vouched for, neither revoked nor expired at now.
	DeviceSessions(ctx context.Context, deviceID string, now time.Time) ([]core.Session, error)
	// RevokeDeviceSessions revokes all of them and tells how many.
	RevokeDeviceSessions(ctx context.Context, deviceID string, at time.Time) (int, error)

	CreateEnrolmentToken(ctx context.Context, t core.EnrolmentToken) error
	EnrolmentToken(ctx context.Context, id string) (core.EnrolmentToken, error)
	EnrolmentTokenBySecret(ctx context.Context, secretHash [32]byte) (core.EnrolmentToken, error)
	// UpdateEnrolmentToken stores what use and revocation change: Used, HourFrom, HourUsed, LastUsedAt and RevokedAt.
	UpdateEnrolmentToken(ctx context.Context, t core.EnrolmentToken) error
	// EnrolmentTokens returns all, the newest first.
	EnrolmentTokens(ctx context.Context) ([]core.EnrolmentToken, error)
	// DeleteEnrolmentTokensBefore forgets tokens that ended before t.
	DeleteEnrolmentTokensBefore(ctx context.Context, t time.Time) (int, error)

	// UseNonce tells whether the nonce is used for the first time, which it is then no more.
	UseNonce(ctx context.Context, hash [32]byte, expires time.Time) (fresh bool, err error)
	// DeleteNoncesBefore forgets used nonces that expired before t.
	DeleteNoncesBefore(ctx context.Context, t time.Time) (int, error)

	CreateCode(ctx context.Context, c core.OneUseCode) error
	// TakeCode returns the code and removes it: of several that ask for it, one gets it, the others core.ErrNotFound.
	TakeCode(ctx context.Context, hash [32]byte) (core.OneUseCode, error)
	// DeleteCodesBefore forgets codes that expired before t.
	DeleteCodesBefore(ctx context.Context, t time.Time) (int, error)
}
