package server

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/signin"
)

// What one directory says about shortening UPNs is for its own people.
func TestA1_50_to_53_UPNAsUsernameIsASettingOfEachDirectory(t *testing.T) {
	yes, no := true, false
	entries := []configured.Config{
		{ID: "old", Type: "ldap", Domain: "OLD", UPNSuffixes: []string{"old.example.org"}, UPNAsUsername: &no},
		{ID: "ad", Type: "ldap", Product: "ad", UPNSuffixes: []string{"ad.example.org"}, UPNAsUsername: &no},
		{ID: "new", Type: "ldap", Domain: "NEW", UPNSuffixes: []string{"example.org"}, UPNAsUsername: &yes},
		{ID: "unset", Type: "ldap", Domain: "UNSET"},
		{ID: "secure", Type: "ldap", Product: "entra-ds", Domain: "SECURE", UPNAsUsername: &no},
		{ID: "unix", Type: "ldap", Product: "openldap", Domain: "UNIX", UPNAsUsername: &no},
		{ID: "guests", Type: "csv", Domain: "GUESTS", UPNAsUsername: &no},
	}
	got := map[core.SourceID]bool{}
	for _, domain := range rulesOf(&config.Config{}, entries).Domains {
		got[domain.Source] = domain.Truncates
	}
	want := map[core.SourceID]bool{"old": true, "ad": true, "new": false, "unset": false, "secure": false, "unix": false, "guests": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shortened UPNs (-want +got):\n%s", diff)
	}
}

// What the documentation says: two failures in half an hour, unless the administrator allows more.
func TestTheLockoutDefaultIsTheSameEverywhere(t *testing.T) {
	if got := lockoutOf(configured.Config{Type: "ldap"}.WithDefaults().Lockout); got != signin.DefaultLockout() || got != (signin.Lockout{Threshold: 3, Window: 30 * time.Minute}) {
		t.Errorf("default: %+v, in signin: %+v", got, signin.DefaultLockout())
	}
	set := configured.Config{Type: "ldap", Lockout: configured.Lockout{MaxFailures: 4, Window: time.Hour}}.WithDefaults().Lockout
	if got := lockoutOf(set); got != (signin.Lockout{Threshold: 5, Window: time.Hour}) {
		t.Errorf("configured: %+v", got)
	}
}
