package ldap

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that no connection outlives its use.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
