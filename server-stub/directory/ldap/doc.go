// Package ldap reads people and groups from an LDAP directory and checks passwords there: Microsoft Active Directory (also
// Samba and Microsoft Entra Domain Services) and OpenLDAP-like servers.
//
// Every connection is encrypted and its certificate checked, or it is not made: ldaps:// or StartTLS, TLS 1.2 at least.
// Reading is paged; a page that fails for any reason (size or time limit, connection lost, referral) fails the read. A
// password check looks the person up by the immutable id with the service account, then binds as that person, once, on a
// connection of its own (R-LDAP-1). Referrals are never followed.
//
//	Read ─▶ session (sign in, ask what the server is) ─▶ pages ─▶ wire: entries as slices of its buffer
//	                                                       │
//	        key and fingerprint ─▶ sink.Unchanged? ─ no ─▶ mapping.record ─▶ sink.Person
//	        members (who is meant by a DN)               ─▶ groups         ─▶ sink.Group
//
// What changed is asked from Active Directory alone (bookmark.go, changes.go): first who, by DirSync or uSNChanged, then each entry
// whole. Whoever changed and is not found where this source looks is gone.
package ldap
