package entra

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// who finds a person by the name they typed.
func (c *Config) who(upn string) (User, *failure) {
	upn = strings.TrimSpace(upn)
	_, domain, hasAt := strings.Cut(upn, "@")
	user, ok := c.user(upn)
	switch {
	case ok && user.OtherTenant:
		return user, failf(50020, "User account '%s' from identity provider 'https://sts.windows.net/%s/' does not exist in tenant '%s' and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first.", user.UPN, guidOf(domain), c.Name)
	case ok:
		return user, nil
	case !hasAt || domain == "":
		return User{}, fail(50128)
	case !c.hasDomain(domain):
		return User{}, failf(50034, "The user account does not exist in the %s directory. To sign into this application, the account must be added to the directory.", c.Name)
	}
	return User{}, failf(50034, "The user account does not exist in the %s directory. To sign into this application, the account must be added to the directory.", c.Tenant)
}

// checkPassword proves a person by password. Only who has typed the right one learns more than that it was wrong or that
// the account is locked.
func (e *Emulator) checkPassword(user User, password string) *failure {
	if user.ForceError != 0 {
		return fail(user.ForceError)
	}
	right := subtle.ConstantTimeCompare([]byte(user.Password), []byte(password)) == 1 && password != ""
	name := strings.ToLower(user.UPN)
	e.mu.Lock()
	locked := user.Locked || e.wrong[name] >= e.config.LockoutThreshold
	if !locked && right {
		e.wrong[name] = 0
	} else if !locked {
		e.wrong[name]++
	}
	e.mu.Unlock()
	switch {
	case locked:
		return fail(50053)
	case user.NoPassword || password == "":
		return fail(50056)
	case !right:
		return fail(50126)
	}
	return accountState(user)
}

// accountState is what the account itself says about a person who is known to be that person.
func accountState(user User) *failure {
	switch {
	case user.ForceError != 0:
		return fail(user.ForceError)
	case user.Disabled:
		return fail(50057)
	case user.PasswordExpired:
		return fail(50055)
	}
	return nil
}

// checkAccess is what the app and conditional access say. It leaves consent and MFA to the caller.
func checkAccess(user User, client App) *failure {
	switch {
	case client.ForceError != 0:
		return fail(client.ForceError)
	case client.AssignmentRequired && !slices.ContainsFunc(user.Apps, func(id string) bool { return strings.EqualFold(id, client.ID) }):
		return failf(50105, "Your administrator has configured the application %s ('%s') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '%s' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator.", client.Name, client.ID, user.UPN)
	case user.Blocked:
		return &failure{code: 53003, claims: caClaims}
	case user.DeviceCompliance:
		return &failure{code: 53000, claims: caClaims}
	case user.DeviceJoin:
		return &failure{code: 53001, claims: caClaims}
	case user.DeviceAuth:
		return fail(50097)
	case user.ExternalChallenge:
		return &failure{code: 50158, claims: caClaims}
	}
	return nil
}

// checkMFA says what is missing where the second factor has not been shown and nobody can be asked.
func checkMFA(user User, shown bool) *failure {
	switch {
	case shown:
		return nil
	case user.MFA == MFARequired:
		return &failure{code: 50076, claims: caClaims}
	case user.MFA == MFAUnregistered && user.RiskyEnrolment:
		return fail(53004)
	case user.MFA == MFAUnregistered:
		return fail(50079)
	}
	return nil
}

// checkConsent says whether the scopes may be given without asking.
func (e *Emulator) checkConsent(user User, client App) *failure {
	e.mu.Lock()
	given := e.consents[consentKey(user, client)]
	e.mu.Unlock()
	switch {
	case client.Consent == ConsentAdmin:
		return fail(90094)
	case user.ConsentMissing, client.Consent == ConsentUser && !given:
		return failf(65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", client.ID, client.Name)
	}
	return nil
}

func consentKey(user User, client App) string { return user.OID + " " + client.ID }

// silent checks everything where nobody can be asked: password grant, refresh, prompt=none.
func (e *Emulator) silent(user User, client App, mfa bool) *failure {
	for _, f := range []*failure{accountState(user), checkAccess(user, client), e.checkConsent(user, client), checkMFA(user, mfa)} {
		if f != nil {
			return f
		}
	}
	return nil
}
