package dirsync

import (
	"fmt"
	"testing"
)

func TestRCODE1_CardsAndCodesArePlannedForAllThePeopleOfARun(t *testing.T) {
	s := newSite(t)
	w := newWallet()
	s.cred = w
	s.use(s.store)
	s.local("somebody@else.example.org")
	src := newTree("corp", people(3)...)
	s.mustRun(src, Settings{})
	if got := fmt.Sprint(w.asked); got != "[plan 3]" {
		t.Errorf("people who come in one chunk: %s", got)
	}
	for _, r := range people(chunkSize + 5)[3:] {
		src.put(r)
	}
	w.asked = nil
	s.mustRun(src, Settings{Full: true}) // looked at first, and then written
	want := fmt.Sprintf("expect %d plan %d plan 5", chunkSize+5+1, chunkSize)
	if got := fmt.Sprint(w.asked); got != fmt.Sprintf("[%s %s]", want, want) {
		t.Errorf("%s", got)
	}
}
