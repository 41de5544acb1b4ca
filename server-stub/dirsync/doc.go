// Package dirsync makes the people and groups of directories what the directories list. It is the only writer of what directories
// say; sources only read.
//
//	Run    read (whole, or since a bookmark) ─▶ scope ─▶ compare, chunk by chunk ─▶ brake ─▶ one transaction ─▶ OnChange
//	Plan   the same up to the brake, kept sealed under an id for 7 days             ─▶ Apply: that very listing, on what is true then
//	Push   what a directory sent by itself, through the same comparison
//	Undo   a run's journal backwards
//
// What it promises:
//
//   - Only a reading that went through to its end changes anybody. One that fails, ends early or lists nobody changes nobody
//     (R-SYNC-2). Whom a source that can look people up does not list is looked for before they are taken for gone. A scope that names no group of the source changes nobody either.
//   - A person is known by the directory's immutable id, never by a name. Renames and moves keep the person; the old username and
//     UPN stay as aliases, and nobody else gets them for names.Reservation.
//   - Who is no longer listed is soft-deleted: balance, names, cards and all stay, and when the same id appears again the person is
//     back as before, sessions too. Until names.Reservation is over nobody else gets the names. Only `user erase` ends it.
//   - A run that would disable or rename unusually many people, of the source or of one group, stops and changes nothing until an
//     administrator approves its plan with a reason (the brake, R-SYNC-1). The same holds for what a directory sent in 24 hours.
//   - Two people with one username, a name that mixes scripts, an attribute that is too long: such records are left out and told
//     of with the reason, and the rest goes on. Nobody is guessed about.
//   - Somebody of another source with the same id in the local directory, or the same SID, is the same person. Somebody with the
//     same UPN or e-mail address only may be: an administrator decides (Settings.Replaces).
//   - An account that an administrator disabled here stays disabled, whatever the directory says.
//   - A run can be undone for 30 days, but for what somebody changed since.
//
// What a run costs: each person is kept with a fingerprint of what was listed. Who is listed with the same one again is neither
// taken apart nor compared. Whatever changes a person takes the fingerprint away (by triggers of the database), and once a day
// everything is compared. What is new or changed is put aside packed (arena) and compared in chunks, so that 100,000 new people
// need less than 100 MB. Why it is so: docs/adr/0009.
package dirsync
