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
// The listener is the one TCP port that the client ever opens, next to the one of Microsoft's library, and it is there only
// while somebody signs in. It takes one form post with the right state and nothing else (R-IPC-1): no GET, so that no code
// stands in a history or a log; no other Host, so that no web page reaches it under a name of its own (DNS rebinding). A
// post with a wrong state is refused and changes nothing: whoever can reach the port cannot end the sign-in. What the browser
// brings is worth nothing without the verifier, which never leaves this program (RFC 7636, RFC 8252).
package browser
