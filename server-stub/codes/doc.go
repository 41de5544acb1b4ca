// Package codes keeps one-use codes: what a proof of identity that happened elsewhere (in the system browser, or on an
// enrolled machine) is carried to the client by. The client asks with a challenge, BASE64URL(SHA-256(verifier)) of RFC 7636
// (S256), and redeems the code with the verifier, so whoever sees the code on its way can do nothing with it.
//
// Only hashes of codes are stored. A code is taken by the first who shows it, also by one with a wrong verifier: somebody has
// a copy then.
package codes
