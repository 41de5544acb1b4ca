package ipc

import "testing"

func TestSubordinateIDsShareTheSeatsOfOne(t *testing.T) {
	const file = "# none\nalex:100000:65536\nsascha:165536:65536\nbroken:x:1\n\nshort:1\n"
	for uid, want := range map[string]bool{
		"0": false, "1000": false, "99999": false, "100000": true, "165535": true, "231071": true, "231072": false, "": false, "4294967295": false,
	} {
		if got := subordinate(file, uid); got != want {
			t.Errorf("%s: got %v", uid, got)
		}
	}
}
