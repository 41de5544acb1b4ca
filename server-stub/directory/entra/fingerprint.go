package entra

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/platenprint/platen/server-stub/directory"
)

// rules is raised when records are made in another way of the same answers.
const rules = 1

// fingerprints makes fingerprints of what Graph answers. They depend on the settings that decide what becomes of it.
type fingerprints struct{ salt []byte }

func (s *Source) newFingerprints() fingerprints {
	text, _ := json.Marshal([]any{ // texts, lists and maps of texts cannot fail
		rules, s.cfg.Tenant, s.cfg.Username, s.cfg.Domain, s.domains, s.cfg.Guests, s.cards, s.pin, s.code, s.selected,
	})
	sum := sha256.Sum256(text)
	return fingerprints{sum[:16]}
}

// name is a short name of the settings.
func (f fingerprints) name() string { return hex.EncodeToString(f.salt) }

// of is the fingerprint of an answer, in parts.
func (f fingerprints) of(parts ...[]byte) directory.Fingerprint {
	h := sha256.New()
	h.Write(f.salt)
	for _, part := range parts {
		h.Write(part)
	}
	return directory.Fingerprint(h.Sum(nil)[:16])
}

// digest is a short name of something long.
func digest(raw []byte) [16]byte {
	sum := sha256.Sum256(raw)
	return [16]byte(sum[:16])
}
