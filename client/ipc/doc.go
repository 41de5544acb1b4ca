// Package ipc is how the window and the command line speak to the resident program of the same person, and nobody else
// does. It carries the types of client/status and knows nothing about what they mean.
//
// Transport: a Unix socket in a folder that only its owner can enter, or a Windows named pipe whose name has the user's
// SID and session and whose access list has that user alone. Both ends ask the kernel who the other one is and hang up on
// any other user (R-IPC-1, R-IPC-2); the folder and the pipe are checked before anything is said.
//
// Wire: frames of a 4-byte big-endian length and that many bytes of JSON, at most MaxFrame, replies with details at most
// MaxReply. Unknown fields, unknown verbs and trailing bytes are errors (R-IPC-4). One connection is one conversation:
//
//	client                              resident
//	hello {platen, program}  ─────────▶
//	                         ◀─────────  hello {platen, program}     another number: the client says so and leaves
//	request {verb: "do", action}  ────▶
//	                         ◀─────────  reply {result}, end
//	request {verb: "watch", after} ───▶
//	                         ◀─────────  reply {snapshot}, again at every change, newest only, until one side hangs up
//
// A watcher that does not read for writeTime is dropped; nobody waits for it. A password is a secret.String on both
// sides; wire.go is the one place that reveals it.
package ipc
