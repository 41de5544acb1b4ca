// Package ldap reads people from an LDAP directory and checks their passwords there: Microsoft Active Directory (also
// Samba and Microsoft Entra Domain Services) and OpenLDAP-like servers.
//
// Every connection is encrypted and its certificate checked, or it is not made: ldaps:// or StartTLS, TLS 1.2 at least.
// Reading is paged; a page that fails for any reason (size or time limit, connection lost, referral) fails the read. A
// password check looks the person up by the immutable id with the service account, then binds as that person, once, on a
// connection of its own (R-LDAP-1). Referrals are never followed.
package ldap
