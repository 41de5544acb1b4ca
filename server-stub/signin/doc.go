// Package signin checks who somebody is by name and password, and limits every other proof (Limited). What comes after, a
// session, is not its business.
//
//	name ──▶ names.Find ──▶ limits: reserve a slot ──▶ the one check ──▶ settle: give back, or count ──▶ answer
//	              │ read only         │ nothing left: LimitedError        bind at the person's directory, or argon2id
//	              └ Account: the name under which tries for nobody count
//
// # What it tells
//
// Before proof there are three answers, the same for names that exist and names that do not: wrong credentials, too many tries,
// not available. Disabled, ambiguous and expired are said after the right password only. (A directory that reports a
// disabled account without looking at the password says so through us too.) For a name that several people hold one password is
// checked, that of the person of the strongest rule: the others read "wrong", whose text asks for the full address.
//
// # Equal work
//
// Every failed try computes one argon2id hash: the person's own, or a dummy. A directory's bind comes on top; tries for names
// that the rules give to a directory but nobody has wait as long as one of its latest failed binds took. So a local
// account and an unknown local name differ by nothing; a directory account and an unknown name of its domain differ by what
// the network adds, and by everything until the first failed bind after a start. A right password answers earlier: it has told
// by then. When a directory does not answer, unknown names of its domain are told so too, from the first failure on for a minute.
//
// # Identity providers
//
// People whose directory only lists them may have their passwords checked by an identity provider (Cloud), under the UPN that
// we know; whose account that was, its answer says. It limits and imitates as a directory does. What it says after it found the
// password right, such as that a second factor is missing, counts as success.
//
// Where it checks no passwords here, because people prove themselves there with more than a password, a failed try for any name of
// its domains ends in ErrElsewhere: for names that exist and names that do not, and for a local account of such a domain
// too, whose right password still leads in. What was typed decides, never whom it leads to.
//
// # Limits
//
// A slot is reserved before the work and given back by success, so that tries in parallel cannot exceed a limit. Counters are
// in the store under HMACs and hold over a restart. Windows count from the last failure, as Active Directory's do.
//
//	account               10 in an hour, 30 in 12 hours; success resets
//	account and network   9 in an hour, 27 in 12 hours; from the 3rd failure on a wait that doubles from 30 s to 15 min
//	directory account     one less than the domain's lockout threshold in its window (2 in 30 min unless configured): a
//	                      wrong name in the window never locks a stranger out of Windows. With a threshold of 5 or more, one
//	                      network gets one less again, so that the stranger can still sign in here from elsewhere.
//	network               100 failures in an hour per IPv4 /24 or IPv6 /64, 1,000 per /48, in a fixed window
//	token, code           the same per network, each by itself; refresh tokens 300 and 3,000
//
// The share of one network is smaller than the whole, so somebody who tries a stranger's name over and over stops
// themselves before the stranger. Networks count failures only, however many people are behind one address, and whoever
// succeeds takes their own mistypings back out of the count. Names nobody has are limited as the rules would treat them
// if somebody had: by the directory's threshold where their domain is a directory's. Which people have several names
// can be found out by trying two names of one person until one is limited and seeing that the other is too.
//
// Rows are bounded because a network that is over its limit makes none, and Purge forgets what has run out.
package signin
