// Package review answers, before a site's usernames change from short names to UPNs (or e-mail addresses): who keeps the name,
// whom their short name would still find, who would be ambiguous, and whose jobs would belong to nobody (rows A1-30, A1-43).
// It changes nothing.
//
// For each person it asks server-stub/names twice, about every name that a workstation of theirs would send: once with the names
// and rules of today, and once with those after the switch. Then everybody's target is their username, what they go by today
// is an alias, and no UPN is shortened any more (upn_as_username: Y).
package review
