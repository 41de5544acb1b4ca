// Package pki gives the server its TLS identity: either an own certificate authority, made on the first start, with a
// server certificate that renews itself, or a certificate and key that the administrator gives as files and replaces
// when they like. Both are picked up by new connections without a restart.
//
// The own CA is ECDSA P-256 and valid ten years. Its key, and the server's, are sealed under the master key (package
// keys), so that neither a stolen disk image without master.key nor a backup can speak for the server. Server
// certificates are valid 397 days, below the 825 that Apple's systems accept at most, and are renewed when fewer than 30
// days are left or when a wanted name is missing. The CA is sent along in the handshake: a client that has only its pin
// learns it from there.
package pki
