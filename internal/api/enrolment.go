package api

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// EnrolmentSecretPrefix begins the secret of an enrolment token; 26 characters of base32 follow (128 bits).
const EnrolmentSecretPrefix = "plt_e_"

const (
	enrolmentSecretLength = len(EnrolmentSecretPrefix) + 26
	enrolmentSeparator    = "~"
)

// ErrInvalidEnrolmentToken says that a text is not an enrolment token; it names what to write instead.
var ErrInvalidEnrolmentToken = errors.New("an enrolment token looks like HOST:PORT~sha256/PIN~plt_e_... (the pin may be empty); " +
	"copy the whole line that platen-server enrolment create printed")

// EnrolmentToken is what an administrator hands to a machine: where the server's device listener is, how to know it for the
// right one, and the secret that lets the machine in. Its text is HOST:PORT~PIN~SECRET.
type EnrolmentToken struct {
	Address string // HOST:PORT, an IPv6 address in brackets
	Pin     *Pin   // of the server's CA; nil when the certificate is one that everybody trusts
	Secret  secret.String
}

// ParseEnrolmentToken reads what Text writes. Surrounding space is ignored. It returns ErrInvalidEnrolmentToken for anything
// else, without a word of the text.
func ParseEnrolmentToken(text string) (EnrolmentToken, error) {
	parts := strings.Split(strings.TrimSpace(text), enrolmentSeparator)
	if len(parts) != 3 || !validAddress(parts[0]) || !ValidEnrolmentSecret(parts[2]) {
		return EnrolmentToken{}, ErrInvalidEnrolmentToken
	}
	t := EnrolmentToken{Address: parts[0], Secret: secret.New(parts[2])}
	if parts[1] != "" {
		pin, err := ParsePin(parts[1])
		if err != nil || strings.TrimSpace(parts[1]) != parts[1] {
			return EnrolmentToken{}, ErrInvalidEnrolmentToken
		}
		t.Pin = &pin
	}
	return t, nil
}

// Text writes the token in clear, for the one time that it is handed out.
func (t EnrolmentToken) Text() secret.String {
	pin := ""
	if t.Pin != nil {
		pin = t.Pin.String()
	}
	return secret.New(strings.Join([]string{t.Address, pin, t.Secret.Reveal()}, enrolmentSeparator))
}

// String shows the token without its secret.
func (t EnrolmentToken) String() string {
	t.Secret = secret.New(t.Secret.String())
	return t.Text().Reveal()
}

// ValidEnrolmentSecret tells whether the text has the form of an enrolment token's secret.
func ValidEnrolmentSecret(text string) bool {
	rest, ok := strings.CutPrefix(text, EnrolmentSecretPrefix)
	return ok && len(text) == enrolmentSecretLength && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// validAddress tells whether text is HOST:PORT with a port and a host that can stand in an address.
func validAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || len(text) > 300 || strings.ContainsAny(text, "/?#@\\ \t\r\n") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
