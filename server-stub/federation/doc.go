// Package federation answers "whose account is it?" for somebody whom an identity provider has proven. How it was proven is the
// business of server-stub/oidc; what comes after, a session, is that of sessions.
//
//	Claims ──▶ immutable ids ──▶ nobody? the exact name, where the policy says so ──▶ nobody? a new account, where it says so
//	                │ one person        │ linked for good, audited                          │ audited        └▶ ErrNoAccount
//	                └ several: refused  └ anything doubtful: refused
//
// # Immutable ids
//
// For Microsoft the object id within the tenant ("tid/oid"), from whichever directory gave it to us, and the SID that the
// tenant took from Active Directory; for every provider its issuer and subject. A tid, oid or SID is believed of the one tenant
// that the provider is configured for, and of nobody else. All ids must lead to the same person.
//
// # Names
//
// A name is looked at once, the first time, and then never again: what was linked stays linked whatever anybody is called
// later. It must be the person's own UPN or username (or e-mail address, where the policy says so) exactly, held by nobody else,
// not by somebody before them within names.Reservation, not a look-alike, and of one of the policy's domains. Whoever
// holds it must not have another id at the same provider already: then the name was given to somebody else over there, and
// their balance stays where it is. Guests of a tenant are found by ids only, as their names are some other tenant's.
package federation
