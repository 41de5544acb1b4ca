// Package tokenstore keeps the signed-in session of one person at one server over restarts, so that nobody signs in
// twice on the same computer. Nothing of it is ever in clear on a disk.
//
//	OS keyring         one random key of 32 bytes ("Platen", account "sealing-key"), shared by all servers
//	DIR/session-*.sealed   the tokens, DIR/note-*.sealed   a note of the session's own (the last known balance),
//	DIR/microsoft-*.sealed   the cache of Microsoft's sign-in library
//
// Keyrings have small limits (2560 bytes on Windows, about 2900 on macOS), so they hold the key only and the documents
// are files, sealed with AES-256-GCM. What a file belongs to (server, OS account, kind) is authenticated with it: a file
// copied from another account or server does not open, and says so. Such a file, and a damaged one, is moved aside to
// NAME.unreadable; the person signs in again.
//
// Keyrings also hang, prompt and are missing. So every call runs beside the caller with a deadline, and a probe comes
// first that never prompts and never starts a bus. Where there is no keyring, or it is locked, everything is kept in
// memory only, and Status says so and why, so that the person can be told:
//
//	            Save, key at hand
//	persistent ◀──────────────────┐
//	    │ disk full, file error   │ tried again at each Save
//	    ▼                         │
//	memory only ──────────────────┘   an older file is removed: its tokens are spent
package tokenstore
