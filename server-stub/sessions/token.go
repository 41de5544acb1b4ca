package sessions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// The prefixes of the tokens.
const (
	AccessPrefix  = "plt_a_"
	RefreshPrefix = "plt_r_"
)

const (
	secretBytes = 32 // 256 bits
	idBytes     = 16 // 128 bits
	idLength    = 26 // base32 of idBytes without padding
	// maxTokenLength bounds what is hashed at all.
	maxTokenLength = 128
)

// newID returns 128 random bits in lower-case base32. crypto/rand never fails on the systems we build for; if it does,
// the program ends.
func newID() string {
	b := make([]byte, idBytes)
	_, _ = rand.Read(b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func newAccess() secret.String { return secret.New(AccessPrefix + newSecret()) }

func newRefresh(session string) secret.String {
	return secret.New(RefreshPrefix + session + "_" + newSecret())
}

// hash is how a token is stored.
func hash(token secret.String) [32]byte { return sha256.Sum256([]byte(token.Reveal())) }

// isAccess tells whether a text has the form of an access token.
func isAccess(token secret.String) bool {
	text := token.Reveal()
	return len(text) <= maxTokenLength && strings.HasPrefix(text, AccessPrefix) && len(text) > len(AccessPrefix)
}

// sessionOf returns the session that a refresh token names, false for what is no refresh token.
func sessionOf(token secret.String) (string, bool) {
	text := token.Reveal()
	rest, ok := strings.CutPrefix(text, RefreshPrefix)
	if !ok || len(text) > maxTokenLength || len(rest) <= idLength+1 || rest[idLength] != '_' {
		return "", false
	}
	return rest[:idLength], true
}
