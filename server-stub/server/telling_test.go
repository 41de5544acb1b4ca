package server

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/admin"
)

// A directory that fails each time in other words, or is well in between, does not fill a mailbox; what is still so is told later.
func TestA3_49_ADirectoryFillsNoMailbox(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start(mailBlock)
	defer stop()
	file := h.people("people.csv", 3)
	h.add(s, admin.DirectoryAdd{ID: "hr", Type: "csv", Set: []string{"path=" + file}})
	run := func(text string) {
		t.Helper()
		h.now = h.now.Add(time.Minute)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = h.apply(s, "hr") // that it fails is what is looked at
	}
	wrong := func(i int) string { return fmt.Sprintf("id,%s\n1,a\n", string(rune('a'+i%20))) }
	for i := range 40 {
		run(wrong(i))
		if i%2 == 1 {
			run("id,upn\n0,user0@example.org\n")
		}
	}
	if diff := cmp.Diff([]string{"sync_failed to it@example.org", "sync_well to it@example.org"}, h.mails(s)[:2]); diff != "" || len(h.mails(s)) > 4 {
		t.Errorf("in an hour: %q", h.mails(s))
	}
	before := len(h.mails(s))
	run("id,what\n1,a\n")
	h.now = h.now.Add(time.Hour)
	run("id,what\n1,a\n")
	if list := h.mails(s); len(list) != before+1 || list[len(list)-1] != "sync_failed to it@example.org" {
		t.Errorf("what is still so after an hour: %q", list)
	}
}
