// Package loopback receives what the system browser brings back at the end of a sign-in: a web server on this computer alone,
// that takes one form post and shows one last page (RFC 8252 section 7.3). It knows no provider: auth/browser and
// auth/microsoft say what to open, and what the answer is worth.
//
//	Listen ─▶ open the browser with Port or Address, and State ─▶ Wait ─▶ redeem the code ─▶ Close(signed in)
//	                                   browser: POST / code, state ─┘           "You're signed in." ◀─┘
//
// Its port is the one TCP port that the client ever opens, and it is there only while somebody signs in. It takes one form
// post with the right state and nothing else (R-IPC-1): no GET, so that no code stands in a history or a log; no other Host,
// so that no web page reaches it under a name of its own (DNS rebinding); nothing from a script. A post with a wrong state is
// refused and changes nothing: whoever can reach the port cannot end the sign-in. On Linux, where other users can read the
// state in the browser's command line, their connections are closed unread; macOS does not tell whose a connection is.
package loopback
