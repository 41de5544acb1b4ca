// Package entra reads the people of a Microsoft Entra ID tenant over Microsoft Graph, as an application with a client secret
// or a certificate of its own. It needs one application permission, User.Read.All, and asks for no property that it does
// not use.
//
// A read lists the whole tenant, page by page. It ends well only with the last page: throttling and passing faults are
// waited for within limits, and anything else fails it. Links to the next page are followed on the same host only, and to
// no page twice (R-SYNC-2, R-SYNC-3). Passwords are not checked here: people of the tenant sign in with Microsoft, and are
// found by their object id.
package entra
