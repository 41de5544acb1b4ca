package service

import "testing"

// The ids that Windows itself has for services that every computer has.
func TestSecurityIdentifiersOfServicesAreThoseOfWindows(t *testing.T) {
	for name, want := range map[string]string{
		"TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
		"MSSQLSERVER":      "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003",
	} {
		if got := sid(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
