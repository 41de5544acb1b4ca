// Package web is the pages: sign-in, "you are signed in as", sign-out, the set-up of the first owner, the administrators'
// first page, and the sign-in of Platen on a computer through the browser.
//
// There are two sites, made of the same parts: the one for everybody and the one for administrators, which has a listener, a
// cookie and routes of its own. Each is a Handler.
//
//	GET /sign-in ─▶ a provider's button ─▶ POST /sign-in/start ─▶ the provider ─▶ GET /sign-in/callback/ID ─▶ cookie
//	            └─▶ account and password ─▶ POST /sign-in/password ───────────────────────────────────────▶ cookie
//	            └─▶ a passkey            ─▶ POST /sign-in/passkey ────────────────────────────────────────▶ cookie
//
// # Defences
//
// Every route has a policy; one without is closed (R-ROUTE-1), and the path is read once, before the policy (R-AUTHZ-1).
// Whatever changes something is a POST that says it comes from our own page: Sec-Fetch-Site, else Origin; a request with
// neither is refused (R-CSRF-1). Pages are made by html/template, run no script but our own files, and load nothing from
// anywhere else (R-XSS-1). A place to go to after the sign-in is a path of ours or nothing (R-REDIR-1). Everything where
// somebody could guess is limited by network, and what a browser began it can finish once, itself, within ten minutes.
//
// # Signing in Platen on a computer (AuthMode browser)
//
// GET /sign-in/client brings a PKCE challenge, a port and a state. At the end the browser posts a one-use code to
// http://127.0.0.1:PORT/, and to nowhere else: no name, no other address, no privileged port. The code is of use only to
// whoever has the challenge's verifier.
//
// So a page elsewhere that opens this address gets nothing: the code goes to the person's own computer, where the page has no
// port. But another person's program on the same computer (a terminal server) may have one, and its own challenge. That
// is why nobody is ever signed in there without having done something for it now: typed a password on our page, signed in at
// the provider after the flow began (its auth_time says so), or pressed Continue on a page that says what will happen.
//
// A sign-in for Platen on a computer leaves no session in the browser.
package web
