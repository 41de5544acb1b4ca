// Package passkeys lets people sign in with a passkey (WebAuthn): a key that their device keeps, for this server's name only,
// behind their finger or PIN. Passkeys here are always discoverable and always verify the person, so one of them is two
// factors, and nobody types a name.
//
// What a browser must come back with (a State) is kept by the caller, for one use and a short time. The library is
// github.com/go-webauthn/webauthn; nothing of it shows outside.
package passkeys

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Person is whom a passkey is made for.
type Person struct {
	Handle      [32]byte // NewHandle, or that of their other passkeys
	Username    string
	DisplayName string
}

// State is what must be remembered between the beginning and the end of one use of a passkey: text, no secret.
type State string

// Service makes and checks passkeys. Safe for concurrent use.
type Service struct {
	store store.Store
	now   clock.Clock
	name  string // of the site, as devices show it
}

// New returns a Service.
func New(s store.Store, now clock.Clock, siteName string) *Service {
	return &Service{store: s, now: now, name: siteName}
}

// NewHandle returns what an authenticator knows a person by: 256 random bits.
func NewHandle() (handle [32]byte) {
	_, _ = rand.Read(handle[:]) // never fails (crypto/rand)
	return handle
}

// party is the server as it is known at an origin, such as "https://print.example.org:8444".
func (s *Service) party(origin string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%w: there are no passkeys at %q", core.ErrInvalid, origin)
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: s.name, RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: there are no passkeys at %q: %w", core.ErrInvalid, origin, err)
	}
	return w, nil
}

// BeginRegistration returns what the browser is to be asked (the argument of navigator.credentials.create, as JSON). Errors:
// core.ErrInvalid for an origin that can have no passkeys, such as a bare address.
func (s *Service) BeginRegistration(origin string, p Person) (options json.RawMessage, state State, err error) {
	w, err := s.party(origin)
	if err != nil {
		return nil, "", err
	}
	creation, session, err := w.BeginRegistration(person{p, nil}, webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin a passkey: %w", err)
	}
	return pack(creation, session)
}

// FinishRegistration checks what the browser answered and returns the passkey, which the caller stores with its person.
// Errors: core.ErrInvalid.
func (s *Service) FinishRegistration(origin string, state State, p Person, answer []byte) (core.Passkey, error) {
	w, session, err := s.unpack(origin, state)
	if err != nil {
		return core.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return core.Passkey{}, fmt.Errorf("%w: the passkey cannot be read: %w", core.ErrInvalid, details(err))
	}
	credential, err := w.CreateCredential(person{p, nil}, session, parsed)
	if err != nil {
		return core.Passkey{}, fmt.Errorf("%w: the passkey is not as it must be: %w", core.ErrInvalid, details(err))
	}
	kept, err := json.Marshal(credential)
	if err != nil {
		return core.Passkey{}, fmt.Errorf("keep a passkey: %w", err)
	}
	return core.Passkey{ID: text(credential.ID), Handle: p.Handle, Credential: string(kept), CreatedAt: s.now()}, nil
}

// BeginLogin returns what the browser is to be asked (the argument of navigator.credentials.get, as JSON).
func (s *Service) BeginLogin(origin string) (options json.RawMessage, state State, err error) {
	w, err := s.party(origin)
	if err != nil {
		return nil, "", err
	}
	assertion, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("begin a sign-in with a passkey: %w", err)
	}
	return pack(assertion, session)
}

// FinishLogin returns who it is. Errors: core.ErrWrongCredentials for everything that is wrong with the answer, or a passkey
// that nobody here has; core.ErrDisabled, after proof; the store's.
func (s *Service) FinishLogin(ctx context.Context, origin string, state State, answer []byte) (core.User, error) {
	w, session, err := s.unpack(origin, state)
	if err != nil {
		return core.User{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return core.User{}, fmt.Errorf("%w: the passkey's answer cannot be read: %w", core.ErrWrongCredentials, details(err))
	}
	var kept core.Passkey
	var storeErr error
	find := func(rawID, handle []byte) (webauthn.User, error) {
		var credential webauthn.Credential
		kept, credential, storeErr = s.find(ctx, text(rawID))
		if storeErr != nil {
			return nil, storeErr
		}
		if string(handle) != string(kept.Handle[:]) {
			return nil, core.ErrNotFound
		}
		return person{Person{Handle: kept.Handle}, []webauthn.Credential{credential}}, nil
	}
	_, credential, err := w.ValidatePasskeyLogin(find, session, parsed)
	switch {
	case storeErr != nil && !errors.Is(storeErr, core.ErrNotFound):
		return core.User{}, fmt.Errorf("check a passkey: %w", storeErr)
	case err != nil:
		return core.User{}, fmt.Errorf("%w: the passkey does not fit: %w", core.ErrWrongCredentials, details(err))
	case credential.Authenticator.CloneWarning:
		return core.User{}, fmt.Errorf("%w: the passkey's counter went back: it was copied", core.ErrWrongCredentials)
	}
	return s.used(ctx, kept, credential)
}

// find reads a passkey with its credential.
func (s *Service) find(ctx context.Context, id string) (core.Passkey, webauthn.Credential, error) {
	var kept core.Passkey
	var credential webauthn.Credential
	err := s.store.View(ctx, func(tx store.Tx) (err error) {
		kept, err = tx.Passkey(ctx, id)
		return err
	})
	if err == nil {
		err = json.Unmarshal([]byte(kept.Credential), &credential)
	}
	return kept, credential, err
}

// used notes that a passkey was used, and returns its person.
func (s *Service) used(ctx context.Context, kept core.Passkey, credential *webauthn.Credential) (core.User, error) {
	changed, err := json.Marshal(credential)
	if err != nil {
		return core.User{}, fmt.Errorf("keep a passkey: %w", err)
	}
	kept.Credential, kept.LastUsedAt = string(changed), s.now()
	var u core.User
	err = s.store.Update(ctx, func(tx store.Tx) (err error) {
		if u, err = tx.User(ctx, kept.UserID); err != nil {
			return err
		}
		if !u.Active() {
			return core.ErrDisabled
		}
		return tx.UpdatePasskey(ctx, kept)
	})
	if err != nil {
		return core.User{}, fmt.Errorf("sign in with a passkey: %w", err)
	}
	return u, nil
}

// pack is what goes to the browser, and what stays.
func pack(options any, session *webauthn.SessionData) (json.RawMessage, State, error) {
	session.Expires = time.Time{} // the caller's clock says how long it is good
	out, err := json.Marshal(options)
	if err != nil {
		return nil, "", fmt.Errorf("write a passkey's question: %w", err)
	}
	kept, err := json.Marshal(session)
	if err != nil {
		return nil, "", fmt.Errorf("keep a passkey's question: %w", err)
	}
	return out, State(kept), nil
}

func (s *Service) unpack(origin string, state State) (*webauthn.WebAuthn, webauthn.SessionData, error) {
	w, err := s.party(origin)
	if err != nil {
		return nil, webauthn.SessionData{}, err
	}
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(state), &session); err != nil {
		return nil, webauthn.SessionData{}, fmt.Errorf("read a passkey's question: %w", err)
	}
	return w, session, nil
}

// details is the library's error with what it says only to developers.
func details(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) && e.DevInfo != "" {
		return fmt.Errorf("%s (%s)", e.Details, e.DevInfo)
	}
	return err
}

func text(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// person is a Person as the library asks for it.
type person struct {
	Person
	credentials []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return p.Handle[:] }
func (p person) WebAuthnName() string                       { return p.Username }
func (p person) WebAuthnDisplayName() string                { return p.DisplayName }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }
