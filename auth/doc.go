// Package auth has the words both sides share when they speak about who somebody is: the kinds of names, and Canon,
// the one answer to "is this the same name?" (R-NAME-1). It does no I/O.
//
// The rooms below it belong to the desktop, but for auth/usermap, which the server uses too:
//
//	osuser      who the operating system says is logged on
//	usermap     which account names that person may have (pure)
//	tokenstore  where the signed-in session is kept (OS keyring and an encrypted file)
package auth
