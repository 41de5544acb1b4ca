// Package osuser says who the operating system says is logged on. It reads and never decides: which person of the print
// server that is, is for auth/usermap to suggest and for the server to say.
//
// Parse is the pure part: it takes a name apart by the customs of an operating system. Current asks the operating
// system for everything that it can tell (on Windows the UPN and the SID, on Linux which directory knows the account)
// and leaves empty what it cannot tell. Only what the system itself answers counts: an environment variable is never
// taken for a directory's word.
package osuser
