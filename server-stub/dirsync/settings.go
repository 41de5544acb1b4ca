package dirsync

import (
	"github.com/platenprint/platen/server-stub/core"
)

// Settings say how one source is synchronised. The zero value takes everybody, with the default brake.
type Settings struct {
	Brake Brake
	Scope Scope
	// Replaces names the source that this one takes over from (row A1-56): people of it who have the record's UPN or e-mail address
	// are linked instead of proposed, and keep their usernames.
	Replaces core.SourceID
	// NoDelete keeps people whom the source stopped listing as they are (rows A3-38, A3-54).
	NoDelete bool
	// Full reads and compares everything, whatever bookmark and fingerprints say.
	Full bool
}

// Scope lets in only members of groups. The zero value lets everybody in.
type Scope struct {
	// Groups are names, keys or SIDs of groups of the source. One that the source does not list stops the run: nobody is changed.
	Groups []string
	// Direct leaves out the members of groups within these groups (row A1-28).
	Direct bool
}
