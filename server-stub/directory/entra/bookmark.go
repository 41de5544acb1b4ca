package entra

import (
	"encoding/json"
	"fmt"

	"github.com/platenprint/platen/server-stub/directory"
)

// bookmark is where a reading goes on. The links are Graph's and are followed as they are, never taken apart.
type bookmark struct {
	Version int    `json:"v"`
	For     string `json:"for"`              // the settings it was made with: what is tracked is frozen in the links
	Users   string `json:"users"`            // the deltaLink of people
	Groups  string `json:"groups,omitempty"` // the deltaLink of groups; none where they were not wanted
	Pages   int    `json:"pages"`            // what the last whole reading took
}

const bookmarkVersion = 1

func (b bookmark) bytes() directory.Bookmark {
	raw, _ := json.Marshal(b) // no field of it can fail
	return raw
}

// parseBookmark reads a bookmark of this source with these very settings, or says to start over.
func (s *Source) parseBookmark(raw directory.Bookmark, groups bool) (bookmark, error) {
	var b bookmark
	again := func(why string) (bookmark, error) { return b, s.startOver(why) }
	if err := json.Unmarshal(raw, &b); err != nil || b.Version != bookmarkVersion || b.Users == "" {
		return again("the bookmark is not one of ours")
	}
	if b.For != s.fingerprints.name() {
		return again("the settings of the source changed")
	}
	if groups && b.Groups == "" {
		return again("groups are wanted now")
	}
	for _, link := range []string{b.Users, b.Groups} {
		if _, err := s.follow(link, nil); link != "" && err != nil {
			return again("the bookmark is of another cloud")
		}
	}
	return b, nil
}

// startOver says that only a whole reading helps.
func (s *Source) startOver(why string) error {
	return s.errorf("read changes: %s: %w", why, directory.ErrStartOver)
}

// limit is how many people may change before a whole reading is shorter: they are read one by one, twenty in a batch.
func (b bookmark) limit() int { return max(minLimit, b.Pages*maxBatch) }

// minLimit is how many changed people are always read one by one.
const minLimit = 1000

// tooMany says that so much changed that everything is read.
func (s *Source) tooMany(n int) error {
	return s.startOver(fmt.Sprintf("more than %d people and groups changed, which a whole reading tells faster", n))
}
