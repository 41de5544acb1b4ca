// Package residents finds the programs of this installation that run in people's sessions, whoever they are, and restarts or ends
// them: after an upgrade, before a removal. What is kept of people is removed in their own sessions, by their own residents, or
// as them; the privileged process itself reads, writes and follows nothing in a folder that somebody else can change (R-LINK-1).
//
//	              Linux, macOS                                     Windows
//	which         the program's file (/proc, ps)                   the program's file, in each session
//	start         no: it starts at the next log-on (macOS:         in each session where none runs, as at log-on
//	              launchd starts it)
//	restart       SIGUSR1: it goes on as the new program           started again where it ran before
//	stop          SIGTERM, after 10 s SIGKILL                      "platen.exe stop" in the session, after 10 s ended
//	purge         SIGUSR2, after 10 s SIGKILL, then for everybody  "platen.exe purge --yes" in the session, after 10 s ended, then
//	              with a local home "platen purge --offline", run  the folder below each local profile, through os.Root, which
//	              as them with an empty environment                leaves it through no link
//
// A program is known by the file that the kernel says it was started from, never by its name or arguments, and, on Linux, held by
// a pidfd, so that no signal reaches another one that has got its number.
package residents
