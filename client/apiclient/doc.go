// Package apiclient speaks to the server's /api/v1 (internal/api) over TLS 1.2 or newer.
//
// Whom it believes: the system's store, or the certificates of CAFile, or a certificate authority with the pin CAPin.
// Nothing is sent before the server has proved itself: no pin and an unknown CA is an error that names the remedy, and
// there is no switch to look away (R-TLS-1). With a pin alone the CA has to be learned from the server first; pinned.go is
// the one place that opens an unverified connection for it, and nothing travels on that connection.
//
// Every failure is an *Error that says what went wrong in three ways: Kind and Code for programs, Problem for what people
// are shown, Error() for the helpdesk. None of them ever holds a password or token.
//
// Redirects are refused, answers are bounded, calls end by themselves. HTTP/1.1 is used on purpose: a resident that is
// signed in holds one connection, its event stream, and the server keeps such a connection for 5 KiB.
package apiclient
