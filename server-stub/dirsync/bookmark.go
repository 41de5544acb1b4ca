package dirsync

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

func bookmarkPlace(source core.SourceID) string { return "bookmark/" + string(source) }

// sealBookmark is a bookmark as it is kept: bound to the settings that it was read with, since with other ones what changed since is
// not all that must be looked at; and together with the keys of records that were left out, to be looked at again. Nil stays nil.
func (s *Syncer) sealBookmark(source core.SourceID, settings Settings, b directory.Bookmark, pending []directory.Key) []byte {
	if b == nil {
		return nil
	}
	under := settings.digest()
	p := pack{under[:]}
	p.keys(pending)
	return s.seals.seal(bookmarkPlace(source), append(p.b, b...))
}

// openBookmark returns nil where everything must be read: there is none, or one of other settings or another key.
func (s *Syncer) openBookmark(st core.SourceState, settings Settings) (directory.Bookmark, []directory.Key) {
	if st.Bookmark == nil {
		return nil, nil
	}
	plain, err := s.seals.open(bookmarkPlace(st.Source), st.Bookmark)
	under := settings.digest()
	if err != nil || !bytes.HasPrefix(plain, under[:]) {
		return nil, nil
	}
	u := unpack{s: string(plain[len(under):])}
	pending := u.keys()
	if u.bad {
		return nil, nil
	}
	return directory.Bookmark(u.s), pending
}

func (s Settings) digest() [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %v %q %v", s.Scope.Groups, s.Scope.Direct, s.Replaces, s.NoDelete))
}
