package ipc

import "fmt"

// Place is where the service listens, and whose it must be. It prints as what it is.
type Place struct {
	dir     string // the folder of the socket; empty on Windows
	address string // the path of the socket, or the name of the pipe
	owner   string // whose the service must be: a user id, or a SID
}

// String returns the path or name.
func (p Place) String() string { return p.address }

// maxPath is the longest path of a socket that every system takes (sun_path has 104 bytes on macOS, 108 on Linux).
const maxPath = 100

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
