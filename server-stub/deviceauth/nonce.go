package deviceauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/platenprint/platen/internal/api"
)

// A nonce carries all that is needed to know it again, on any node: when it ends, 16 random bytes, and a MAC over both and the
// device. Only that it was used is stored.
//
//	BASE64URL( expires, 8 bytes, seconds since 1970 | 16 random bytes | HMAC-SHA-256(key, "nonce\n" device "\n" the former) )
const (
	nonceRandom = 16
	nonceBody   = 8 + nonceRandom
	nonceLength = nonceBody + sha256.Size
)

// Nonce makes a nonce for the device's next assertion.
func (s *Service) Nonce(c Caller) api.Nonce {
	expires := s.o.Clock().Add(api.NonceLife).Truncate(time.Second)
	raw := make([]byte, nonceBody, nonceLength)
	binary.BigEndian.PutUint64(raw, uint64(max(expires.Unix(), 0)))
	_, _ = rand.Read(raw[8:]) // never fails (crypto/rand)
	raw = append(raw, s.nonceMAC(c.Device.ID, raw)...)
	return api.Nonce{Nonce: base64.RawURLEncoding.EncodeToString(raw), Expires: expires}
}

func (s *Service) nonceMAC(device string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.o.Key[:])
	mac.Write([]byte("nonce\n" + device + "\n"))
	mac.Write(body)
	return mac.Sum(nil)
}

// nonce is a nonce of ours, for this device, that is not over.
type nonce struct {
	hash    [32]byte
	expires time.Time
}

// parseNonce returns ErrNonce for what is none.
func (s *Service) parseNonce(device, text string) (nonce, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != nonceLength || !hmac.Equal(s.nonceMAC(device, raw[:nonceBody]), raw[nonceBody:]) {
		return nonce{}, ErrNonce
	}
	seconds := binary.BigEndian.Uint64(raw)
	n := nonce{hash: sha256.Sum256(raw), expires: time.Unix(int64(seconds&(1<<62-1)), 0).UTC()}
	if now := s.o.Clock(); !now.Before(n.expires) || n.expires.After(now.Add(api.NonceLife+api.ClockTolerance)) {
		return nonce{}, ErrNonce
	}
	return n, nil
}
