// Package scimclient plays the other end of SCIM: the provisioning service of Entra ID, with and without the flag aadOptscim062020 of
// its Tenant URL, or of Okta. It sends what these are documented to send, quirks included, and keeps count of what was answered.
//
// Sources: Microsoft, "Develop and plan provisioning for a SCIM endpoint" and "Known issues and resolutions with SCIM 2.0 protocol
// compliance of the Microsoft Entra user provisioning service"; Okta, "SCIM 2.0 protocol reference". Read in November 2026.
package scimclient
