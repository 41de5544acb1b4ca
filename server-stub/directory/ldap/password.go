package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// CheckPassword implements directory.PasswordChecker: it finds the person by the immutable id, then binds as the entry
// found, once, on a connection of its own. People whom the source's filter leaves out cannot sign in.
func (s *Source) CheckPassword(ctx context.Context, kind core.IdentityKind, key string, password secret.String) error {
	if unusable(password) {
		return s.errorf("%w: an empty password, or one with a NUL, is never sent to the directory", core.ErrWrongCredentials)
	}
	se, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer se.close()
	dn, err := s.find(ctx, se, kind, key)
	if err != nil {
		return err
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	conn := goldap.NewConn(c, true)
	conn.Start()
	defer func() { c.close(); _ = conn.Close() }() // first below, so that a server that does not read keeps nobody waiting
	request := goldap.NewSimpleBindRequest(dn, password.Reveal(), nil)
	if !se.mapping.ad {
		request.Controls = []goldap.Control{goldap.NewControlBeheraPasswordPolicy()}
	}
	var result *goldap.SimpleBindResult
	err = c.within(ctx, s.cfg.Timeout, func() (err error) {
		result, err = conn.SimpleBind(request)
		return err
	})
	if outcome := judge(result, err); outcome != nil {
		return s.errorf("check a password: %w", outcome)
	}
	return nil
}

// find returns the DN of the one entry with that id.
func (s *Source) find(ctx context.Context, se *session, kind core.IdentityKind, key string) (string, error) {
	if kind != se.mapping.keyKind {
		return "", s.errorf("%w: the person is known by %s but the source uses %s: synchronise the source again", core.ErrUnavailable, kind, se.mapping.keyKind)
	}
	byKey, err := se.mapping.keyFilter(key)
	if err != nil {
		return "", s.errorf("%w: %w", core.ErrWrongCredentials, err)
	}
	entries, err := s.search(ctx, se, wire.Search{
		Base: se.base, Scope: wire.Subtree, SizeLimit: 2, Filter: both(se.mapping.filter, byKey), Attributes: []string{"1.1"},
	})
	switch {
	case err != nil && len(entries) < 2:
		return "", s.errorf("%w: look up who signs in: %w", core.ErrUnavailable, err)
	case len(entries) == 0:
		return "", s.errorf("%w: the directory no longer lists the person, or filter leaves the person out", core.ErrWrongCredentials)
	case len(entries) > 1 || len(entries[0].DN) == 0:
		return "", s.errorf("%w: the immutable id of the person belongs to %d entries: check that attributes.id is unique", core.ErrUnavailable, len(entries))
	}
	return string(entries[0].DN), nil
}

// judge turns the answer to a bind into one of the kinds that CheckPassword promises, with words for administrators.
// nil: the password is right and may be used.
func judge(result *goldap.SimpleBindResult, err error) error {
	policy := policyOf(result)
	if err == nil {
		if policy == goldap.BeheraChangeAfterReset || policy == goldap.BeheraPasswordExpired {
			return fmt.Errorf("%w: the directory wants a new password first", core.ErrPasswordExpired)
		}
		return nil
	}
	var answer *goldap.Error
	if !errors.As(err, &answer) || answer.ResultCode >= goldap.ErrorNetwork { // codes from there on are go-ldap's own
		return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	err = goldap.NewError(answer.ResultCode, errors.New(wire.OneLine([]byte(answer.Err.Error()))))
	switch answer.ResultCode {
	case goldap.LDAPResultInvalidCredentials:
		return invalidCredentials(answer, policy)
	case goldap.LDAPResultInappropriateAuthentication, goldap.LDAPResultNoSuchObject:
		return fmt.Errorf("%w: the entry has no password", core.ErrWrongCredentials)
	case goldap.LDAPResultUnwillingToPerform, goldap.LDAPResultInsufficientAccessRights:
		return fmt.Errorf("%w: the directory does not let this account sign in: %w", core.ErrDisabled, err)
	}
	return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
}

// noPolicy: the answer had no password policy control, or no error in it.
const noPolicy = -1

func policyOf(result *goldap.SimpleBindResult) int {
	if result == nil {
		return noPolicy
	}
	if control, ok := goldap.FindControl(result.Controls, goldap.ControlTypeBeheraPasswordPolicy).(*goldap.ControlBeheraPasswordPolicy); ok {
		return int(control.Error)
	}
	return noPolicy
}

// invalidCredentials reads why: Active Directory writes a Windows error number into the text ("data 52e"), OpenLDAP's
// ppolicy sends a control.
func invalidCredentials(answer *goldap.Error, policy int) error {
	switch policy {
	case goldap.BeheraAccountLocked:
		return fmt.Errorf("%w: the account is locked in the directory", core.ErrLimited)
	case goldap.BeheraPasswordExpired, goldap.BeheraChangeAfterReset:
		return fmt.Errorf("%w: the password has expired in the directory", core.ErrPasswordExpired)
	}
	switch code := subCode(answer.Error()); code {
	case "530", "531":
		return fmt.Errorf("%w: Active Directory does not allow the account to sign in at this time or from this server (data %s): look at its logon hours and workstations", core.ErrDisabled, code)
	case "532":
		return fmt.Errorf("%w: the password has expired in Active Directory (data 532)", core.ErrPasswordExpired)
	case "533":
		return fmt.Errorf("%w: the account is disabled in Active Directory (data 533)", core.ErrDisabled)
	case "701":
		return fmt.Errorf("%w: the account has expired in Active Directory (data 701)", core.ErrDisabled)
	case "773":
		return fmt.Errorf("%w: Active Directory wants the password changed at the next sign-in (data 773)", core.ErrPasswordExpired)
	case "775":
		return fmt.Errorf("%w: the account is locked out in Active Directory (data 775)", core.ErrLimited)
	}
	return core.ErrWrongCredentials // 52e: wrong password, 525: no such account, and what has no number
}

// subCode finds the number after "data " in Active Directory's text, in lower case.
func subCode(text string) string {
	_, rest, found := strings.Cut(text, "data ")
	if !found {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
	if end < 0 {
		end = len(rest)
	}
	return strings.ToLower(rest[:end])
}
