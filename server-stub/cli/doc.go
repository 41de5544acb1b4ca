// Package cli is the command line of platen-server. `serve` runs the server; every other command asks the running one
// over its socket (package admin), but for `backup verify` and `backup restore`, which work on files.
//
// Every command takes --json: then its result, and nothing else, is one JSON value on the standard output, and an error
// is {"error": {"kind", "message"}} on the standard error. Without it people get tables and sentences.
//
// Exit codes:
//
//	0  done
//	1  failed; also: the ledger or a backup is not sound, a synchronisation failed
//	2  the command was not written as it must be
//	3  refused: not found, in conflict, not valid, not enough credit
//	4  the server is not running
package cli
