// Package users has what administrators do with people: add, change, rename, disable, erase, list and import them. Every
// change and its audit line are one transaction. Who keeps a person decides what may be changed here: what a directory
// lists (names, mail, department) is changed there and arrives with the next synchronisation.
//
// Names. A name given here by hand (username, alias) must be nobody else's in any form: a text that two people hold finds
// neither of them. E-mail addresses may be shared, but may not be somebody's username. A name that ended is kept for its
// holder for names.Reservation unless an administrator frees it.
//
// Erasing a person removes everything that tells who it was and leaves the id: the ledger holds ids only, its texts sit
// outside the hash chain, so the chain stays valid. A directory that still lists the person brings them back as somebody
// new: take them out there first.
package users
