package core

import "time"

// DeviceStatus says how a device stands.
type DeviceStatus string

// How a device stands.
const (
	DevicePending  DeviceStatus = "pending"  // it asked, an administrator must approve it
	DeviceApproved DeviceStatus = "approved" // approved, it has not fetched its certificate yet
	DeviceEnrolled DeviceStatus = "enrolled"
	DeviceRevoked  DeviceStatus = "revoked" // it keeps its record and may enrol anew; its certificates are dead
)

// Device is a computer (or later a copier) that speaks to the server with a key of its own. What it says about itself
// (Hostname to LastError) proves nothing.
type Device struct {
	ID     string // 128 random bits, base32; the subject of its certificates
	Group  string // of the configuration's device_groups; "" is the group "default"
	Status DeviceStatus

	MachineID  string   // tells the machine from its clone (api.MachineID.ID)
	HardwareID string   // stays when the system is installed anew; may be empty
	KeyHash    [32]byte // SHA-256 of its key's SubjectPublicKeyInfo; zero once revoked

	Hostname   string
	Platform   string // "linux/amd64"
	Version    string
	JoinDomain string
	JoinRealm  string
	LastError  string
	Address    string // where it last came from

	TokenID    string // the enrolment token it came by, "" when an administrator approved it
	CreatedAt  time.Time
	EnrolledAt time.Time // the last time it got a certificate by enrolment
	LastSeenAt time.Time
	RevokedAt  time.Time
}

// DeviceCertificate is a certificate that was issued to a device.
type DeviceCertificate struct {
	Serial    string // hexadecimal
	DeviceID  string
	KeyHash   [32]byte
	IssuedAt  time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while in force
	Reason    string    // why it was revoked: "revoked", "replaced", "renewed"
}

// EnrolmentToken lets machines become devices. Only the hash of its secret is stored.
type EnrolmentToken struct {
	ID          string
	SecretHash  [32]byte
	Group       string // the group of whoever enrols by it
	Networks    string // where they must come from: prefixes separated by commas, "" for anywhere
	Campaign    bool   // for months, limited by Group, Networks and PerHour
	Uses        int    // how many machines may enrol by it; 0 for any number, in a campaign only
	Used        int
	PerHour     int // how many machines may enrol by it in an hour; 0 for any number
	HourFrom    time.Time
	HourUsed    int // since HourFrom
	CreatedAt   time.Time
	CreatedBy   string
	ExpiresAt   time.Time
	RevokedAt   time.Time
	LastUsedAt  time.Time
	Description string // the administrator's own words
}

// DeviceUser tells that a device vouched for a person.
type DeviceUser struct {
	DeviceID string
	UserID   UserID
	FirstAt  time.Time
	LastAt   time.Time
}

// OneUseCode becomes a session once, for whoever has the verifier of its challenge. Only the hash of the code is stored.
type OneUseCode struct {
	Hash      [32]byte
	Challenge string // BASE64URL(SHA-256(verifier)), RFC 7636
	UserID    UserID
	Assurance Assurance
	Provider  string // the identity provider that proved it, "" for a machine
	DeviceID  string // the device that vouched, "" for a provider
	Host      string
	Facts     string // what is known of the OS account, as JSON
	Stay      bool   // the person asked to stay signed in
	CreatedAt time.Time
	ExpiresAt time.Time
}
