package deviceauth

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
)

var fuzzNow = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func fuzzed() *Service {
	return New(Options{Clock: func() time.Time { return fuzzNow }, Key: [32]byte{1}})
}

// What is read as an assertion is written as the same one, and no body but one with a nonce of ours passes.
func FuzzAssertionBody(f *testing.F) {
	s := fuzzed()
	c := Caller{Device: core.Device{ID: "dev1"}}
	good, err := json.Marshal(api.AssertionBody{
		Version: 1, Device: "dev1", MachineID: "machine", OSAccount: api.OSAccount{Kind: "domain", Domain: "CORP", Name: "alex"},
		Challenge: api.Challenge("v"), Nonce: s.Nonce(c).Nonce, IssuedAt: fuzzNow, ExpiresAt: fuzzNow.Add(time.Minute),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":1,"device":"dev1","iat":"0000-01-01T00:00:00Z","exp":"9999-12-31T23:59:59Z"}`))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := readBody(text)
		if err != nil {
			return
		}
		if n, err := s.checkBody(c, body); err == nil {
			if again, err := s.parseNonce("dev1", body.Nonce); err != nil || again != n || body.Device != "dev1" || body.Version != 1 {
				t.Errorf("%q passes", text)
			}
		}
	})
}

func FuzzNonce(f *testing.F) {
	s := fuzzed()
	good := s.Nonce(Caller{Device: core.Device{ID: "dev1"}}).Nonce
	f.Add("dev1", good)
	f.Add("dev2", good)
	f.Add("dev1", "")
	f.Fuzz(func(t *testing.T, device, text string) {
		// Every process has a good one of its own, but no device but dev1 ever got any.
		if _, err := s.parseNonce(device, text); err == nil && (device != "dev1" || len(text) != len(good)) {
			t.Errorf("%q is a nonce of %q", text, device)
		}
	})
}
