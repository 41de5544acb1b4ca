package ipc

import "fmt"

// String returns the path or name.
func (p Place) String() string { return p.address }

// Peer is who asks, by the kernel's word.
type Peer struct {
	UID     string // decimal; Linux, macOS
	SID     string // Windows
	Session string // Windows: the terminal services session of the token
	PID     int    // Linux, macOS: for information only, it may be another process by now
}

// key names the user for the limits.
func (p Peer) key() string {
	if p.SID != "" {
		return p.SID
	}
	return "uid:" + p.UID
}

func wrongOwner(place Place, owner string) error {
	return &Error{
		Code: CodeImpostor,
		Text: fmt.Sprintf("%s belongs to %s, not to the service (%s); nothing was said to it", place, owner, place.owner),
	}
}
