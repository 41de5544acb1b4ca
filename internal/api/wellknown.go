package api

import "time"

// PathWellKnown answers GET without authentication (RFC 8615): where the server is, for computers that know no more than a name.
const PathWellKnown = "/.well-known/platen"

// WellKnownProduct is what WellKnown.Product says, and WellKnownV its V. An answer with another product or a greater version is
// not for this program.
const (
	WellKnownProduct = "platen"
	WellKnownV       = 1
)

// Limits of the answer.
const (
	MaxWellKnown   = 16 << 10        // bytes of the whole answer
	MaxCAPins      = 8               // pins
	MaxDeviceAddr  = 253 + 1 + 5     // bytes of DeviceAddress: a host name, a colon and a port
	WellKnownFresh = 5 * time.Minute // how long the answer may be kept
)

// WellKnown says where a server is. It is the same for everybody, says nothing about any person, and proves nothing: who reads it
// over a connection that was not verified knows no more than before, and even a verified one only says what the host in question
// wants believed. A computer that was not told its server by an administrator asks the person before it sends them there.
type WellKnown struct {
	Product string `json:"product" enum:"platen" doc:"Tells this document from whatever else may answer at such a path."`
	V       int    `json:"v" minimum:"1" doc:"The document's version: 1." example:"1"`
	// ServerURL is empty when the administrator has not set public_url: then it is the address that was asked.
	ServerURL string `json:"server_url,omitempty" format:"uri" maxLength:"2048" doc:"The address of the server, https, host and perhaps a port; empty: the one that was asked." example:"https://print.example.org:8443"`
	// DeviceAddress may lack the host (":8445"): then it is the one that was asked.
	DeviceAddress string   `json:"device_address,omitempty" maxLength:"259" doc:"host:port where computers enrol and devices answer; without a host: the one that was asked. Empty: no computer can enrol." example:"print.example.org:8445"`
	CAPins        []string `json:"ca_pins,omitempty" nullable:"false" maxItems:"8" doc:"Pins of the server's own certificate authority, sha256/BASE64; none when a public one made the certificate."`
	Version       string   `json:"version" maxLength:"64" doc:"The server's version."`
}
