// Package names answers "whose name is it?". It is pure: it decides over the holders of a name that somebody else read
// from the store (Find does both), and knows no database, no directory product and no clock.
//
// The wrong person is the worst answer, so everything that is not sure fails closed. The rules:
//
//  1. Immutable ids win. A SID or an Entra object id of an attested account decides alone; a name that disagrees with it
//     is told, never followed. A SID of another forest is not ours, whatever its domain is called.
//  2. Exact name. The text as it stands is somebody's UPN or username. If anybody else holds the same text, in whatever
//     kind, it is ambiguous.
//  3. DOMAIN\name is looked up among the short names of that domain only: no other domain, no namesake. A computer's own
//     name as the domain is a local account. AzureAD\name is never resolved by its name part.
//  4. Name and UPN suffix, where auth/usermap says that a suffix may be added. Whoever has another short name in the
//     domain that was asked for is not meant.
//  5. The short name alone, only where no domain was given and one person holds it.
//
// What the contexts make of them:
//
//	Prompt         a person types a name and proves it by a password. Their own exact username decides (2); short
//	               names must agree with the suffix (4, 5). An e-mail address will do when nobody else holds the text.
//	Trust          an enrolled machine says who is logged on; nothing else is believed. Accounts of a directory only, and every
//	               name the machine gives must lead to the same person: a bare name that several people hold is asked.
//	PrintProvider  the owner of a job. The suffix of the provider decides (row A1-32); only where nobody has that name
//	               does the short name alone count (row A1-34). What is not sure is a job without an owner.
//
// Who counts as a holder:
//
//   - People who may not sign in hold their names like everybody else: their namesake never gets in by their name.
//   - A name that ended keeps others from inheriting it for Reservation: until then whoever holds it now shares it with
//     the one before, which is ambiguous; nobody is found by an ended name.
//   - An e-mail address finds nobody in Trust and PrintProvider, but still makes a text ambiguous.
//   - A look-alike (usermap.Lookalike) is never completed or shortened, and leads to nobody without a prompt.
package names
