package api

import (
	"crypto/sha256"
	"time"
)

// The paths of the device listener. All but the first two want a client certificate of the device CA (mutual TLS), and
// answer only about the device that the certificate names.
const (
	PathDeviceEnrol     = "/device/v1/enrolments"  // POST Enrolment -> Enrolled: by a token, or pending
	PathDeviceCA        = "/device/v1/ca"          // GET: the server's CA, PEM (for pins)
	PathDeviceRenew     = "/device/v1/certificate" // POST Renewal -> Enrolled
	PathDeviceState     = "/device/v1/state"       // POST DeviceReport -> DeviceState
	PathDeviceNonce     = "/device/v1/nonces"      // POST -> Nonce
	PathDeviceAssertion = "/device/v1/assertions"  // POST Assertion -> TrustCode
)

// Times of the device protocol.
const (
	AssertionLife    = 60 * time.Second // from iat to exp, at most
	NonceLife        = 60 * time.Second
	TrustCodeLife    = 60 * time.Second
	DeviceStateEvery = 5 * time.Minute // how often a device reports itself
	ClockTolerance   = 60 * time.Second
)

// Enrolment asks to become a device. Without a token the device waits for the administrator's approval. Asking again with the
// same key and machine is safe at any time, also when a reply was lost or the certificate has expired: it uses no token up.
type Enrolment struct {
	Token   string       `json:"token,omitempty" maxLength:"256" doc:"The secret part of the enrolment token. Never logged, stored or echoed."`
	CSR     string       `json:"csr" maxLength:"8192" doc:"PEM, PKCS #10, ECDSA P-256; its subject is ignored. Its signature proves the key."`
	Machine MachineID    `json:"machine"`
	Report  DeviceReport `json:"report"`
}

// MachineID is what tells a machine from its clone, and a machine that was set up anew from another. A device whose ID is not
// the one it enrolled with is answered CodeDeviceUnknown: it must make a new key and enrol anew.
type MachineID struct {
	ID       string `json:"id" minLength:"8" maxLength:"128" doc:"A hash of what the hardware and the installation say about themselves."`
	Hardware string `json:"hardware,omitempty" maxLength:"128" doc:"A hash of what stays when the system is installed anew."`
}

// EnrolmentStatus says how an enrolment stands.
type EnrolmentStatus string

// How an enrolment stands.
const (
	EnrolmentDone    EnrolmentStatus = "enrolled"
	EnrolmentPending EnrolmentStatus = "pending" // ask again with the same key after PollAfter
)

// Enrolled answers an enrolment or a renewal.
type Enrolled struct {
	Status      EnrolmentStatus `json:"status"`
	DeviceID    string          `json:"device_id,omitempty"`
	Certificate string          `json:"certificate,omitempty" doc:"PEM, the device's and the device CA's."`
	ServerCA    string          `json:"server_ca,omitempty" doc:"PEM, what the server's own certificate is signed by; empty for a public one."`
	Fingerprint string          `json:"fingerprint,omitempty" doc:"Of the key that asked, for comparing by eye while it is pending."`
	PollAfter   int             `json:"poll_after,omitempty" doc:"Seconds."`
}

// Renewal asks for a new certificate, for the same or a new key.
type Renewal struct {
	CSR     string    `json:"csr" maxLength:"8192"`
	Machine MachineID `json:"machine"`
}

// DeviceReport is what a device says about itself. It proves nothing.
type DeviceReport struct {
	Hostname   string `json:"hostname,omitempty" maxLength:"255"`
	Platform   string `json:"platform,omitempty" maxLength:"64" example:"linux/amd64"`
	Version    string `json:"version,omitempty" maxLength:"64"`
	JoinDomain string `json:"join_domain,omitempty" maxLength:"255"`
	JoinRealm  string `json:"join_realm,omitempty" maxLength:"255"`
	LastError  string `json:"last_error,omitempty" maxLength:"500"`
	MachineID  string `json:"machine_id,omitempty" maxLength:"128" doc:"MachineID.ID, in the reports of an enrolled device."`
}

// DeviceState is what the server wants of a device.
type DeviceState struct {
	DeviceID      string   `json:"device_id"`
	Group         string   `json:"group"`
	Role          string   `json:"role" enum:"personal,shared"`
	AuthModes     []string `json:"auth_modes" nullable:"false" doc:"The group's ways of signing in, best first; empty: the server's."`
	SharedOSUsers []string `json:"shared_os_users" nullable:"false"`
	Renew         bool     `json:"renew" doc:"Ask for a new certificate now."`
}

// Nonce is to be signed once.
type Nonce struct {
	Nonce   string    `json:"nonce"`
	Expires time.Time `json:"expires"`
}

// Assertion is an AssertionBody and its signature by the device's key.
type Assertion struct {
	Body      []byte `json:"body" maxLength:"8192" doc:"The JSON of an AssertionBody, base64."`
	Signature []byte `json:"signature" maxLength:"256" doc:"ECDSA P-256 over AssertionDigest(body), ASN.1 DER, base64."`
}

// AssertionBody says who is logged on: what platen-deploy knows from the operating system about the process that asks it,
// never what that process says.
type AssertionBody struct {
	Version   int       `json:"v"` // 1
	Device    string    `json:"device"`
	MachineID string    `json:"machine_id"` // MachineID.ID of the machine that signs: a clone's is another
	OSAccount OSAccount `json:"os_account"`
	UID       string    `json:"uid,omitempty"`     // Linux, macOS
	Session   string    `json:"session,omitempty"` // of the operating system: "3" (Windows), "c2" (logind)
	Challenge string    `json:"challenge"`         // Challenge(verifier) of the resident that asks
	Nonce     string    `json:"nonce"`
	IssuedAt  time.Time `json:"iat"`
	ExpiresAt time.Time `json:"exp"`
}

// AssertionDigest is what is signed: SHA-256 of a fixed prefix and the body as it is sent.
func AssertionDigest(body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte("platen-assertion-1\n"), body...))
}

// TrustCode is redeemed once, at PathSessionCode, by whoever has the verifier.
type TrustCode struct {
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}
