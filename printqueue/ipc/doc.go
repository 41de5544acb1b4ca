// Package ipc is how a person's resident program asks the privileged service of the computer, platen-deploy, and how the
// service answers. It is the most attacked line of the product: every program of every user of the computer may speak to
// it, and the service is root or SYSTEM. So it can do little, and says little (R-IPC-1 to R-IPC-6).
//
// Transport: a Unix socket in a folder that only root can change, or a Windows named pipe that only SYSTEM can serve. The
// service asks the kernel who is at the other end (SO_PEERCRED, LOCAL_PEERCRED, the pipe's impersonation token) and
// believes nothing else; what the caller says holds no name, no path, no address and no command. The client makes sure
// that it speaks to the service (the socket's peer is root, the pipe's owner is SYSTEM) before it says a word.
//
// Wire: frames of a 4-byte big-endian length and that many bytes of JSON, at most MaxFrame. Unknown fields, fields that
// come twice, unknown verbs and trailing bytes are errors. One connection is one question:
//
//	resident                            service
//	{v: 1, verb: "status"}          ──▶
//	                                ◀──  {v: 1, status: {...}} or {v: 1, error: {code, ...}}, end
//	{v: 1, verb: "assert",
//	 challenge: "..."}              ──▶
//	                                ◀──  {v: 1, code: {...}} or {v: 1, error: {code, ...}}, end
//
// A caller has ioTime to ask; each user has maxSeats connections at a time and ratePerMinute questions a minute, so that
// one user cannot keep another one out (F23).
package ipc
