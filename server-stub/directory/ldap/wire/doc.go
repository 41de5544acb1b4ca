// Package wire speaks as much LDAP (RFC 4511) as reading many entries needs: StartTLS, a simple bind, searches. Entries are not
// copied: the reader hands out slices of its buffer, which a caller that keeps nothing pays almost nothing for. go-ldap builds a
// tree of 34 KB for each person, four to seven times slower than the C tools; it stays in use for everything else.
//
// What a server sends is not trusted: a message is at most 16 MiB, lengths are definite (RFC 4511 section 5.1) and within what
// holds them, depth is bounded by the protocol's own (nothing recurses), each answer must be to the request that was asked.
// Anything else is an error, and the connection of no more use.
package wire
