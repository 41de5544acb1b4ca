package dirsync

import (
	"flag"
	"os"
	"testing"
)

// TestMain lowers the number of random histories to what a slow machine does in seconds; -rapid.checks sets another one.
func TestMain(m *testing.M) {
	if f := flag.Lookup("rapid.checks"); f != nil {
		if err := f.Value.Set("30"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
