// Package credentials keeps what people identify with at devices: cards, access codes and PINs. They come from directories (the
// Service is dirsync's Credentials), from imports, from administrators, or are made here.
//
// One form. A value is brought to its canonical form before anything else looks at it, so that how somebody types it does not
// matter. A code: upper case, O is 0, I and L are 1, spaces, hyphens and underscores are left out. A card: upper case, and spaces,
// hyphens, colons, dots and underscores are left out; leading zeros count. A PIN: 4 to 16 digits.
//
// Storage (SECURITY.md C6). The database has an HMAC-SHA-256 of the value under a key that is derived from the master key and lies
// outside of it: finding somebody costs one look, and the table is of no use without the key. A salted hash for each person would
// cost N of them for every code somebody types. Where the site wants to show values again, a copy is sealed for the kind, the person
// and the value it belongs to. A PIN has few digits, so it never works alone; its hash is argon2id with a pepper. PINs that a
// directory or a file gave wait sealed until they are hashed, because a hundred thousand hashes would hold the database for an hour,
// and have an HMAC too, to tell whether they changed: the directory has them in clear anyway.
//
// A value is in force once at most. What is somebody else's is refused and reported; nobody loses a card because a directory
// gives it to another person. A card that moves between people in one run arrives with the run after. Cards listed for two people at
// once are given to neither.
//
// Codes made here are long enough that all people's tries together find one in a thousand years (R-CODE-1), and are used by nobody
// again for two years. Codes that come from elsewhere are graded; weak ones work only together with a PIN unless the site says
// otherwise (R-CODE-2).
package credentials
