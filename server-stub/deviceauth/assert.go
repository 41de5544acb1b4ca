package deviceauth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

const assertionVersion = 1

// Assert checks what a device says of who is logged on, and returns a one-use code for that person if the device may vouch for
// them. Errors: ErrUnknown, ErrAssertion, ErrNonce, ErrClock, ErrRefused, core.ErrInvalid, a core.LimitedError.
func (s *Service) Assert(ctx context.Context, c Caller, in api.Assertion, from netip.Addr) (api.TrustCode, error) {
	code, reason, err := s.assert(ctx, c, in, from)
	switch {
	case reason != "":
		s.o.Logger.WarnContext(ctx, "trust refused", "device", c.Device.ID, "reason", string(reason))
		err = ErrRefused
	case errors.Is(err, ErrAssertion), errors.Is(err, ErrNonce), errors.Is(err, ErrClock):
		s.o.Logger.WarnContext(ctx, "assertion not accepted", "device", c.Device.ID, "error", err)
	}
	if err != nil {
		return api.TrustCode{}, fmt.Errorf("check an assertion: %w", err)
	}
	return code, nil
}

// assert returns a code, or the reason why the device may not vouch, or an error.
func (s *Service) assert(ctx context.Context, c Caller, in api.Assertion, from netip.Addr) (api.TrustCode, reason, error) {
	if ok, until := s.rate.allow(c.Device.ID, s.o.Clock()); !ok {
		return api.TrustCode{}, "", &core.LimitedError{RetryAt: until}
	}
	body, err := openAssertion(c, in)
	if err != nil {
		return api.TrustCode{}, "", err
	}
	n, err := s.checkBody(c, body)
	if err != nil {
		return api.TrustCode{}, "", err
	}
	var code api.TrustCode
	var why reason
	err = s.o.Store.Update(ctx, func(tx store.Tx) error {
		code, why = api.TrustCode{}, "" // the function may run again
		d, err := inForce(ctx, tx, c.Certificate)
		if err != nil {
			return err
		}
		// The nonce is used up by whatever comes of it.
		fresh, err := tx.UseNonce(ctx, n.hash, n.expires)
		switch {
		case err != nil:
			return err
		case !fresh:
			return ErrNonce
		case body.MachineID != d.MachineID:
			return ErrUnknown
		}
		user, refused, err := s.vouch(ctx, tx, d, facts(body.OSAccount, from), from)
		if err != nil {
			return err
		}
		if refused != "" {
			why = refused
			return s.audit(ctx, tx, "device:"+d.ID, "trust.refuse", d.ID, "reason "+string(refused))
		}
		text, expires, err := s.o.Codes.IssueIn(ctx, tx, codes.Grant{
			User: user, Assurance: core.AssuranceMachine, Device: d.ID, Host: d.Hostname, Facts: facts(body.OSAccount, from),
		}, body.Challenge, api.TrustCodeLife)
		if err != nil {
			return err
		}
		code = api.TrustCode{Code: text.Reveal(), Expires: expires}
		return nil
	})
	return code, why, err
}

// openAssertion checks the signature by the key of the certificate in use, and reads what was signed.
func openAssertion(c Caller, in api.Assertion) (api.AssertionBody, error) {
	key, ok := c.key.PublicKey.(*ecdsa.PublicKey)
	digest := api.AssertionDigest(in.Body)
	if !ok || len(in.Body) > 8<<10 || len(in.Signature) > 256 || !ecdsa.VerifyASN1(key, digest[:], in.Signature) {
		return api.AssertionBody{}, ErrAssertion
	}
	return readBody(in.Body)
}

// readBody reads what was signed: JSON with no key that we do not know.
func readBody(text []byte) (api.AssertionBody, error) {
	invalid := fmt.Errorf("%w: the body of the assertion is not as it must be", core.ErrInvalid)
	var body api.AssertionBody
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if !utf8.Valid(text) || dec.Decode(&body) != nil {
		return api.AssertionBody{}, invalid
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return api.AssertionBody{}, invalid
	}
	return body, nil
}

// checkBody checks everything that needs no database.
func (s *Service) checkBody(c Caller, body api.AssertionBody) (nonce, error) {
	switch {
	case body.Version != assertionVersion:
		return nonce{}, fmt.Errorf("%w: assertions have version %d", core.ErrInvalid, assertionVersion)
	case body.Device != c.Device.ID:
		return nonce{}, ErrAssertion
	case !codes.ValidChallenge(body.Challenge):
		return nonce{}, fmt.Errorf("%w: the challenge is not BASE64URL(SHA-256(verifier))", core.ErrInvalid)
	}
	if err := checkAccount(body); err != nil {
		return nonce{}, err
	}
	n, err := s.parseNonce(c.Device.ID, body.Nonce)
	if err != nil {
		return nonce{}, err
	}
	// The nonce is fresh, so the assertion is. Times that say otherwise mean that the device's clock is wrong, which breaks more
	// than this, so it is told.
	now := s.o.Clock()
	life := body.ExpiresAt.Sub(body.IssuedAt)
	if life <= 0 || life > api.AssertionLife || body.IssuedAt.After(now.Add(api.ClockTolerance)) || body.ExpiresAt.Before(now.Add(-api.ClockTolerance)) {
		return nonce{}, ErrClock
	}
	return n, nil
}

// checkAccount bounds the texts of the account.
func checkAccount(body api.AssertionBody) error {
	a := body.OSAccount
	for _, f := range []struct {
		text string
		most int
	}{
		{a.Kind, 32},
		{a.Domain, 255},
		{a.Name, 255},
		{a.UPN, 320},
		{a.SID, 184},
		{a.Hostname, 255},
		{a.JoinDomain, 255},
		{a.JoinRealm, 255},
		{body.UID, 64},
		{body.Session, 64},
		{body.MachineID, 128},
	} {
		if len(f.text) > f.most || strings.ContainsFunc(f.text, isControl) {
			return fmt.Errorf("%w: os_account: a text is too long, or has control characters", core.ErrInvalid)
		}
	}
	return nil
}

// facts are what the machine says of the account, and where it is.
func facts(a api.OSAccount, from netip.Addr) usermap.Facts {
	f := usermap.Facts{
		Domain: a.Domain, Name: a.Name, UPN: a.UPN, SID: a.SID, Hostname: a.Hostname, JoinDomain: a.JoinDomain, JoinRealm: a.JoinRealm,
	}
	switch kind := usermap.Kind(a.Kind); kind {
	case usermap.KindDomain, usermap.KindAzureAD, usermap.KindLocal:
		f.Kind = kind
	case usermap.KindUnknown, usermap.KindJob: // nothing that a machine may vouch for
	}
	if from.IsValid() {
		f.Addresses = []netip.Addr{from}
	}
	return f
}

// usersWithin is the time in which the different people of a device are counted.
const usersWithin = 24 * time.Hour
