package passhash

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

func cheap() *Hasher { return New(Params{Time: 1, MemoryKiB: 8, Parallelism: 1}) }

func TestHashAndVerify(t *testing.T) {
	h := cheap()
	phc, err := h.Hash(t.Context(), secret.New("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(phc, "correct") {
		t.Errorf("the hash holds the password: %s", phc)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := h.Verify(t.Context(), secret.New(password), phc); got != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v; want %v", password, got, err, want)
		}
	}
	again, err := h.Hash(t.Context(), secret.New("correct horse"))
	if err != nil || again == phc {
		t.Errorf("the same password hashed twice is %q, %v: no salt?", again, err)
	}
}

func TestDefaultHashCanBeRead(t *testing.T) {
	h := New(DefaultParams())
	phc, err := h.Hash(t.Context(), secret.New("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Errorf("parameters are not those of the policy: %s", phc)
	}
	// Whatever the cost is today, older hashes stay readable.
	if ok, err := cheap().Verify(t.Context(), secret.New("correct horse"), phc); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

// The vector is of the reference implementation's command line: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 -e
// (also in its test.c).
func TestVerifyReadsHashesOfTheReferenceImplementation(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := cheap().Verify(t.Context(), secret.New("password"), phc); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

func TestVerifyRefusesWhatIsNoHash(t *testing.T) {
	for _, phc := range []string{
		"", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$",
	} {
		if ok, err := cheap().Verify(t.Context(), secret.New("password"), phc); ok || !errors.Is(err, ErrMalformed) {
			t.Errorf("Verify(%q) = %v, %v", phc, ok, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		ok             bool
	}{
		{"eight characters", "12345678", true},
		{"eight characters of several bytes", "äöüßäöüß", true},
		{"seven", "1234567", false},
		{"empty", "", false},
		{"256 bytes", strings.Repeat("x", 256), true},
		{"257 bytes", strings.Repeat("x", 257), false},
		{"NUL", "12345678\x009", false},
		{"not UTF-8", "12345678\xff", false},
	} {
		err := Check(secret.New(tt.password))
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && tt.password != "" && strings.Contains(err.Error(), tt.password) {
			t.Errorf("%s: the error repeats the password", tt.name)
		}
	}
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	h := cheap()
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Waste(ctx, secret.New("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Waste = %v", err)
	}
}
