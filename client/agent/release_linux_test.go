package agent

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyUntouchedPagesOfTheProgramAreGivenBack(t *testing.T) {
	const smaps = `00400000-00771000 r-xp 00000000 08:01 42 /usr/bin/platen
Rss:                3000 kB
Anonymous:             0 kB
00771000-00c00000 r--p 00371000 08:01 42 /usr/bin/platen
Rss:                4000 kB
Anonymous:             4 kB
00c00000-00c50000 rw-p 00800000 08:01 42 /usr/bin/platen
Anonymous:             0 kB
00c50000-00c90000 rw-p 00000000 00:00 0
Anonymous:             0 kB
c000000000-c000400000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000010000 r-xp 00000000 08:01 43 /usr/lib/x86_64-linux-gnu/libc.so.6
Anonymous:             0 kB
`
	got := cleanMappings(strings.NewReader(smaps), "/usr/bin/platen")
	if diff := cmp.Diff([]mapping{{0x400000, 0x771000}}, got, cmp.AllowUnexported(mapping{})); diff != "" {
		t.Error(diff)
	}
}

func TestTheProgramGoesOnAfterRelease(t *testing.T) {
	for range 3 {
		release()
	}
}
