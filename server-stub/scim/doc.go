// Package scim is a SCIM 2.0 service provider (RFC 7642, 7643, 7644): an identity provider such as Entra ID or Okta writes people
// and groups to it by itself, and every write becomes one push into dirsync.
//
//	request ─▶ token: which connection? ─▶ document: read, patched, checked ─▶ dirsync.Push: the person ─▶ resource and log line
//	                                                                           └─ all of it in one transaction
//
// What the provider wrote is kept and given back unmodified, but for secrets, which are handed on and never kept here nor returned.
// A resource's id is ours; its externalId is a hint that may change. What SCIM has no business with (roles, passwords, and
// everything that no schema of ours names) is ignored and said so in the provisioning log.
//
// The package is strict where a mistake would go unnoticed (a filter on an attribute that does not exist, a wrong id, an
// unclear truth value) and lenient about forms that Entra and others are known to send.
package scim
