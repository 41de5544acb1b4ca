// Package oidc proves who somebody is at an identity provider. Whose account that is here, federation decides.
//
//	Verifier   an access token that a client brings: Microsoft's, for our own API (MSAL on the person's computer)
//	Provider   authorization code and PKCE for pages and browsers: Microsoft and any other OpenID Connect provider
//	Passwords  account and password at Microsoft, where the administrator switched it on and the tenant lets it
//
// # What a token must be
//
// Signed with RS256 by a key that the tenant publishes: the algorithm is ours to choose, never the token's, so neither "none"
// nor a MAC with the public key gets anywhere. Of version 2.0, from our tenant's issuer, for our API (aud), with our
// scope (scp), by one of our two applications (azp), in time within 60 seconds. All of this is looked at after the signature.
//
// # Keys
//
// They are kept for at most 24 hours and read again each hour, beside the sign-in that noticed it, so an identity provider that does
// not answer costs nobody anything for a day (F16). A key id that is not known has them read at once, but no more than once a minute:
// inventing key ids costs the provider nothing.
package oidc
