package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
)

// Directories come and go while people sign in; what cannot work leaves everything as it was.
func TestDirectoriesAreConfiguredAtRunTime(t *testing.T) {
	f := newFixture(t)
	f.addDirectory("alex.test@example.org", "atest")
	all := []signin.Directory{{Checker: f.domain}}
	if err := f.s.Configure(names.Rules{}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.try("alex.test@example.org", right, home); !errors.Is(err, core.ErrWrongCredentials) || f.domain.binds != 0 || f.s.ChecksPasswords("corp") {
		t.Fatalf("a removed directory was asked: %v, %d binds", err, f.domain.binds)
	}
	if err := f.s.Configure(f.rules, all, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.try(`CORP\atest`, right, home); err != nil || f.domain.binds != 1 || !f.s.ChecksPasswords("corp") {
		t.Fatalf("an added directory was not asked: %v, %d binds", err, f.domain.binds)
	}
	unsafe := []signin.Directory{{Checker: f.domain, Lockout: signin.Lockout{Threshold: 1, Window: time.Hour}}}
	if err := f.s.Configure(names.Rules{}, unsafe, nil); !errors.Is(err, core.ErrInvalid) || !f.s.ChecksPasswords("corp") {
		t.Errorf("%v, and the directory is gone: %v", err, !f.s.ChecksPasswords("corp"))
	}
}
