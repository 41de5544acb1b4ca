// Package deviceapi is the device listener: where enrolled machines speak to the server, with a certificate of the device CA
// (mutual TLS). It has a listener of its own, so that a proxy that ends TLS may stand before the rest. The wire is in
// internal/api; what is decided, in package deviceauth.
//
// A route says who may call it: anyone, or a device. A certificate is verified in the handshake if there is one, and asked about
// on every request: a revoked device is refused at once, and its connections are closed.
package deviceapi
