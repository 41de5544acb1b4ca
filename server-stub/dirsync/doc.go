// Package dirsync makes the users of one directory source equal to what the source lists. It is the only writer of what
// directories say; sources only read.
//
//	read all ─▶ plan (pure) ─▶ brake ─▶ apply (one transaction) ─▶ OnChange
//
// What it promises:
//
//   - Only a complete read changes anybody. A read that fails, ends early or lists nobody changes nobody (R-SYNC-2).
//   - A person is known by the directory's immutable id, never by a name. Renames and moves keep the person; the old
//     username and UPN stay as aliases, and nobody else gets them for names.Reservation.
//   - Who is no longer listed is soft-deleted: balance, names and all stay, and when the same id appears again the person
//     is back as before. Until names.Reservation is over nobody else gets the names (quarantine). Only `user erase` ends it.
//   - A run that would disable or rename unusually many people stops and changes nothing, until an administrator
//     approves it (the brake, R-SYNC-1).
//   - Two people with one username are reported and left as they are, never guessed about.
//   - An account that an administrator disabled here stays disabled, whatever the directory says.
package dirsync
