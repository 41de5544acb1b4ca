package machine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
)

// Person is who asks, as the operating system says.
type Person struct {
	Account osuser.Account
	Session string // of the operating system
}

// Assert vouches for a person: it signs who they are over a nonce of the server's, and returns the code that the server gives
// for it. Only whoever has the verifier of the challenge can redeem it. Errors are of *ipc.Error.
func (m *Machine) Assert(ctx context.Context, who Person, challenge string) (api.TrustCode, error) {
	m.mu.Lock()
	l, d, id := m.link, m.record.Device, m.record.Machine.api().ID
	pending := m.record.Next != nil && m.record.Next.Pending
	m.mu.Unlock()
	switch {
	case d == nil && pending:
		return api.TrustCode{}, ipc.Fail(ipc.CodePending, "this computer waits for an administrator's approval (platen-server device approve)", nil)
	case d == nil:
		return api.TrustCode{}, ipc.Fail(ipc.CodeNotEnrolled, "this computer is not enrolled at a print server (platen-deploy enrol)", nil)
	case d.Revoked:
		return api.TrustCode{}, ipc.Fail(ipc.CodeRevoked, "this computer's enrolment was revoked; enrol it anew (platen-deploy enrol)", nil)
	}
	code, err := assert(ctx, l, *d, id, who, challenge)
	if ipc.CodeOf(err) == ipc.CodeRevoked {
		m.revokeNow(ctx)
	}
	return code, err
}

// revokeNow notes a revocation that came between two reports.
func (m *Machine) revokeNow(ctx context.Context) {
	m.stepping.Lock()
	defer m.stepping.Unlock()
	m.revoke(ctx, true)
}

func assert(ctx context.Context, l *link, d device, machine string, who Person, challenge string) (api.TrustCode, error) {
	var nonce api.Nonce
	if err := l.post(ctx, "ask the server for a nonce", api.PathDeviceNonce, struct{}{}, &nonce); err != nil {
		return api.TrustCode{}, err
	}
	a := who.Account
	body, err := json.Marshal(api.AssertionBody{
		Version:   1,
		Device:    d.ID,
		MachineID: machine,
		OSAccount: api.OSAccount{
			Kind: string(a.Kind), Domain: a.Domain, Name: a.Name, UPN: a.UPN, SID: a.SID,
			Hostname: a.Hostname, JoinDomain: a.JoinDomain, JoinRealm: a.JoinRealm,
		},
		UID:       a.UID,
		Session:   who.Session,
		Challenge: challenge,
		Nonce:     nonce.Nonce,
		// By the server's clock, which made the nonce: this computer's may be wrong by minutes, and nobody would know why.
		IssuedAt:  nonce.Expires.Add(-api.NonceLife),
		ExpiresAt: nonce.Expires.Add(api.AssertionLife - api.NonceLife),
	})
	if err != nil {
		return api.TrustCode{}, fmt.Errorf("write the assertion: %w", err)
	}
	key, err := parseKey(d.Key)
	if err != nil {
		return api.TrustCode{}, err
	}
	digest := api.AssertionDigest(body)
	signature, err := key.Sign(rand.Reader, digest[:], nil)
	if err != nil {
		return api.TrustCode{}, fmt.Errorf("sign the assertion: %w", err)
	}
	var code api.TrustCode
	if err := l.post(ctx, "vouch for a user", api.PathDeviceAssertion, api.Assertion{Body: body, Signature: signature}, &code); err != nil {
		return api.TrustCode{}, err
	}
	if code.Code == "" {
		return api.TrustCode{}, ipc.Fail(ipc.CodeServer, "vouch for a user: the server gives no code", nil)
	}
	return code, nil
}
