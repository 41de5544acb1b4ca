// Package entra helps an administrator to set Microsoft Entra ID up for Platen: Plan writes the two application registrations down, as
// commands of the Azure CLI and as bodies for Microsoft Graph, with the one step that only an administrator of the tenant can
// take; Check looks at a tenant as far as that is possible without any right in it.
//
//	Platen           a public client: people's computers. Authorization code and PKCE to http://localhost, no secret.
//	Platen server    the API, scope sign-in, version 2 tokens; pages sign people in with its own secret.
//
// It changes nothing in any tenant by itself: whoever may do so should read what they do.
package entra
