// Package microsoft signs a person in with Microsoft Entra ID: in the system browser, where MFA, passkeys, conditional
// access and the session that the person already has all work, and later silently from what is kept.
//
//	this program                      browser                      Entra ID
//	listens on localhost:PORT
//	  ── opens .../authorize?... ──▶  password, MFA, consent ───▶
//	                                  ◀── a page that posts itself ──
//	  ◀── POST / code, state ───────
//	  ── code, verifier ───────────────────────────────────────▶
//	  ◀── access token for the server's own scope ──────────────
//	  ── "You're signed in." ──────▶
//
// Microsoft's library (MSAL) makes the requests, understands the answers, keeps and renews the tokens. The receiver on
// localhost is our own (auth/loopback), for MSAL's lets whoever reaches the port end the sign-in with a wrong state, forgets
// the error code, has its page in English only and says "complete" before it knows. The server verifies the access token;
// nothing here is proof of anything (MSAL checks no signature either).
//
// Only Microsoft's own clouds are asked, whatever a server says, unless machine policy says otherwise (KnownAuthority).
// MSAL for Go has no broker: a tenant that demands a compliant device gets its proof from the browser, which has to be
// one that gives it (Edge; Chrome and Firefox with Windows accounts switched on).
package microsoft
