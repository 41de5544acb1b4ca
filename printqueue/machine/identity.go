package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/platenprint/platen/internal/api"
)

// Identity tells this computer from another one, and from its clone. It holds hashes only: what the hardware and the
// system call themselves leaves the computer in no form that somebody else could look up.
type Identity struct {
	Install  string `json:"install,omitempty"`  // of what the system made up when it was installed
	Hardware string `json:"hardware,omitempty"` // of what the firmware says
}

// ErrNoIdentity says that neither the system nor the firmware tells this computer from another.
var ErrNoIdentity = errors.New("this computer has no id of its own (Linux: run systemd-machine-id-setup)")

// newIdentity hashes what was found; either may be empty.
func newIdentity(install, hardware string) Identity {
	return Identity{Install: hash("install", install), Hardware: hash("hardware", useful(hardware))}
}

// salt makes the hashes of no use outside the product.
const salt = "platen-machine-1\n"

func hash(kind, text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(salt + kind + "\n" + text))
	return hex.EncodeToString(sum[:])
}

// useful returns a firmware's UUID, or "" for those that many computers share because a maker never set them.
func useful(uuid string) string {
	plain := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(uuid), "-", ""))
	switch {
	case len(plain) != 32,
		strings.Count(plain, plain[:1]) == len(plain), // 0000..., ffff...
		plain == "03000200040005000006000700080009",
		plain == "12345678123456789012345678901234",
		plain == "12345678123412341234123456789abc":
		return ""
	}
	return plain
}

// api is what the server is told.
func (i Identity) api() api.MachineID {
	sum := sha256.Sum256([]byte(salt + "machine\n" + i.Install + "\n" + i.Hardware))
	return api.MachineID{ID: hex.EncodeToString(sum[:]), Hardware: i.Hardware}
}

// empty tells that there is nothing to tell the computer by.
func (i Identity) empty() bool { return i.Install == "" && i.Hardware == "" }

// another tells whether now is another computer than i, or the same one set up anew. What one of them does not know (a
// firmware that is not read today) tells nothing.
func (i Identity) another(now Identity) bool {
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	return differs(i.Install, now.Install) || differs(i.Hardware, now.Hardware)
}
