package core

import "time"

// SessionKind says where a session is used. The tokens of one kind are of no use for another.
type SessionKind string

// The kinds of sessions.
const (
	SessionClient SessionKind = "client" // Platen on a computer; "" is the same
	SessionWeb    SessionKind = "web"    // the pages for everybody, in a browser
	SessionAdmin  SessionKind = "admin"  // the pages for administrators, in a browser
)

// Passkey is a public key by which a person signs in (WebAuthn).
type Passkey struct {
	ID         string // the credential's id, base64url
	UserID     UserID
	Handle     [32]byte // what the authenticator knows the person by: random, the same for all passkeys of one person
	Name       string   // for the person, to tell theirs apart
	Credential string   // what package passkeys keeps of it, JSON; no secret
	CreatedAt  time.Time
	LastUsedAt time.Time // zero when never
}

// Flow is something that a browser has begun and is to come back with, once: a sign-in at an identity provider, a passkey's
// challenge.
type Flow struct {
	Hash      [32]byte // SHA-256 of what the browser comes back with
	Browser   [32]byte // SHA-256 of the cookie of the browser that began it
	Kind      string
	Data      string // what must be remembered, JSON
	ExpiresAt time.Time
}
