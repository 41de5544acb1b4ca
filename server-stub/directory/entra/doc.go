// Package entra reads the people and groups of a Microsoft Entra ID tenant over Microsoft Graph, as an application with a client
// secret or a certificate of its own. It needs the application permissions User.Read.All and, for groups, GroupMember.Read.All,
// and asks for no property that it does not use. Nothing that it asks for needs a licence beyond what every tenant has.
//
//	whole    /users/delta?$deltatoken=latest, then /users, 999 at a time, and /groups/delta from its beginning
//	changes  both links on; who changed is read whole, twenty at a time, as Graph tells only what changed of somebody
//
// A reading ends well only with the last page: throttling and passing faults are waited for within limits, and anything else
// fails it. Links are followed on the same host only, and to no page twice (R-SYNC-2, R-SYNC-3). What Graph answers of somebody
// is taken apart only where it is not as it was. Passwords are not checked here: people of the tenant sign in with Microsoft,
// and are found by their object id.
package entra
