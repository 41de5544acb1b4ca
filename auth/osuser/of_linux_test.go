package osuser

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
)

func TestOfBelievesNoEnvironment(t *testing.T) {
	base := map[string]string{"etc/passwd": passwdFile, "etc/nsswitch.conf": nsswitchFile}
	env := map[string]string{"USER": "boss", "LOGNAME": "boss"}
	winbind := map[string]string{"winbind": `CORP\alex.test:*:70002:70002::/:/bin/bash`}
	got, err := fakeNSS(70002, base, nil, winbind, env).of(t.Context())
	want := Account{Raw: `CORP\alex.test`, Domain: "CORP", Name: "alex.test", Kind: usermap.KindDomain, UID: "70002", Hostname: "pc7"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if a, err := fakeNSS(70009, base, nil, winbind, env).of(t.Context()); !errors.Is(err, errNoName) {
		t.Errorf("an id that nobody knows: %+v, %v", a, err)
	}
}

func TestOf(t *testing.T) {
	a, err := Of(t.Context(), "0")
	if err != nil || a.Name != "root" || a.UID != "0" || a.Kind != usermap.KindLocal {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, id := range []string{"", "-1", "root", "4294967296", "54321987"} {
		if a, err := Of(t.Context(), id); err == nil {
			t.Errorf("%q: got %+v", id, a)
		}
	}
}
