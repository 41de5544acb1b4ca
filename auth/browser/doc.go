// Package browser signs in by the system browser through the print server (AuthMode browser): the server speaks OpenID
// Connect with the identity provider, and the browser brings a one-use code back to this computer.
//
//	this program                   browser                       print server        identity provider
//	listens on 127.0.0.1:PORT
//	  ── opens SignInURL?challenge=…&port=PORT&state=… ──▶  ── GET ──▶  ── redirects ──▶  who are you?
//	                                                        ◀── a page that posts itself ──
//	  ◀── POST / code, state ──────
//	  ── "You can close this tab." ▶
//
// The listener is auth/loopback's. The last page says "signed in" as soon as there is a code: what the server makes of it is
// seen in the program. What the browser brings is worth nothing without the verifier, which never leaves this program (RFC 7636,
// RFC 8252).
package browser
