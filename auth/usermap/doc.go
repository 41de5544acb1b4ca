// Package usermap turns what an operating system says about the person logged on (usually a short name such as
// "alex.test", the MailNickName or sAMAccountName) into the names under which the print server may know them (usually
// a UPN such as "alex.test@example.org"). It is pure: no network, no files, no clock, no operating system. The desktop
// uses it to pre-fill the sign-in window, the server to resolve trusted names and job owners; the server alone decides.
//
// It would rather ask than guess. Every candidate says why it was made and whether it may be followed without asking
// (Silent), and the verdict says how far the facts carry:
//
//	certain   an id answers (a UPN that the OS itself names, a domain or Entra SID): no name has to be guessed
//	likely    a rule of the administrator, or the OS's own domain name, makes a name that may be followed silently
//	ask       a person has to confirm: a local account or one of unknown origin, AzureAD\name without its UPN, a look-alike
//	refuse    nobody sits behind this account: a service, a computer, a name that cannot be one
//
// The rules, from the design's "whose name is it":
//
//   - A UPN that the OS attests comes first, and then no suffix is guessed silently any more.
//   - DOMAIN\name is looked up in that domain only.
//   - A suffix is added only to names without a domain, to names of the domain that the computer is joined to, and to
//     names of a domain that a rule mentions. The rule for the account's domain goes before that for the join domain,
//     then the subnet's, then the global one. A foreign domain never gets our global suffix.
//   - A computer's own name as the domain means a local account: it may be pre-filled, it is never followed silently.
//     AzureAD\name likewise, unless its UPN or SID is known.
//   - Look-alikes (auth.Lookalike) are never followed silently.
package usermap
