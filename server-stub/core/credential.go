package core

import "time"

// Credential is a card, a code or a PIN of one person, in force or ended. Its value is not here: Lookup finds it, Sealed holds it
// for those who may see it.
type Credential struct {
	ID     int64
	UserID UserID
	Kind   CredentialKind
	Origin CredentialOrigin
	Source SourceID // the directory that gave it, with OriginSource only

	Lookup [32]byte // HMAC of the value; zero for a PIN that no directory gave
	Sealed []byte   // the value, sealed for its place; nil where it is not kept
	PHC    string   // of a PIN: its hash; "" while it waits to be hashed
	Hint   string   // of a card: its last characters

	Weak    string // why a code is weak: words separated by commas, "" for a good one
	WithPIN bool   // a code that works only together with a PIN
	Place   int    // cards: 0 is the primary one

	CreatedAt time.Time
	EndedAt   time.Time // zero while it is in force
	EndedWhy  string    // such as "replaced"
}

// InForce tells whether it has not ended. Whether it works depends on its person too.
func (c Credential) InForce() bool { return c.EndedAt.IsZero() }

// Mail is a message that waits to be sent, or what is known of one that was. What it says is sealed, and gone once it was sent.
type Mail struct {
	ID        int64
	Key       string // the same thing is told once: of two mails with one key the second is never queued
	MessageID string // of the mail's header, the same however often it is tried
	Template  string
	Language  string
	UserID    UserID // whom it is about, 0 for mail to administrators
	To        string // the address
	Secret    bool   // it says an access code
	Sealed    []byte // what fills the template
	State     MailState
	Tries     int
	CreatedAt time.Time
	NextAt    time.Time // when it is tried next, while it waits
	ChangedAt time.Time // when the state became what it is
	Problem   string    // what the last try said
}

// MailState says how a mail stands.
type MailState string

// The states of mail.
const (
	MailWaiting   MailState = "waiting"
	MailSending   MailState = "sending" // being handed over right now
	MailSent      MailState = "sent"
	MailFailed    MailState = "failed"    // refused for good, or tried long enough
	MailUnsure    MailState = "unsure"    // the connection or the program ended while it was handed over; it is not sent again by itself
	MailCancelled MailState = "cancelled" // what it says is not true any more
)
