package dirsync

import (
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// listing is what one reading gave, with the scope applied: all that planning needs beside the store. Nothing changes it any more.
type listing struct {
	source   core.SourceID
	settings Settings
	complete bool // who is not in it is gone
	pushed   bool // the directory sent it by itself
	read     int  // people listed

	people  arena           // who is new or changed
	same    []core.UserID   // who is as they were seen last
	doubled []directory.Key // keys in people that were also met as they were seen last: two records with one id
	gone    []directory.Key // people who are gone, where not everything was listed
	out     []core.UserID   // people who are to leave, where not everything was listed

	groups     arena   // groups that are new or changed
	groupsGone []int64 // ids of groups that are gone

	bookmark directory.Bookmark
	pending  []directory.Key // records that were left out before, and could not be looked at again
	compared bool            // everything was compared, whatever fingerprints say
	first    bool            // nobody of the source was seen before
}

// kind is that of a run over the listing.
func (l *listing) kind() core.RunKind {
	if l.complete {
		return core.RunFull
	}
	return core.RunChanges
}
