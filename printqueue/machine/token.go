package machine

import (
	"errors"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Token is where to enrol and, if Secret is not empty, by what right; without one an administrator must approve.
type Token = api.EnrolmentToken

// ErrToken says that a text is no enrolment token; it names what to write instead and holds nothing of the text.
var ErrToken = errors.New("write the enrolment token as the server printed it, HOST:PORT~sha256/PIN~SECRET " +
	"(HOST:PORT~sha256/PIN~ without a secret waits for an administrator's approval)")

// anySecret has the form of one.
const anySecret = api.EnrolmentSecretPrefix + "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// ParseToken reads a token, also one without a secret.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	without := strings.HasSuffix(text, "~")
	if without {
		text += anySecret
	}
	token, err := api.ParseEnrolmentToken(text)
	if err != nil {
		return Token{}, ErrToken
	}
	if without {
		token.Secret = secret.String{}
	}
	return token, nil
}
