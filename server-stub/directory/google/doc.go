// Package google reads the people and groups of a Google Workspace customer over the Admin SDK's Directory API, as a service
// account that an administrator of the customer let act for one of theirs (domain-wide delegation). It speaks REST by itself;
// ADR 0010 says why.
//
//	who       all users, or those of some organisational units and of the units below them
//	what      names, addresses, department, place, language, suspended or archived; cards and access codes from the fields of
//	          custom schemas, PaperCut.cardNumber and PaperCut.accessCode at first
//	groups    all, each with its direct members; groups within groups are members like people
//	when      at each synchronisation, whole: the API cannot tell what changed. Watch hears of changes at once where Google can
//	          reach this server
//	lookup    single people by their id: whom a reading lacks, since its pages go by address, and somebody's may change meanwhile
//
// A read ends well only with the last page of everything: quota errors and passing faults are waited for within limits, and
// anything else fails it, also an organisational unit that is not there any more (R-SYNC-2, R-SYNC-3). Links are none: a page
// names the next one by a token, which is followed once. Passwords are not checked here: people sign in with Google, and are
// found by their id.
package google
