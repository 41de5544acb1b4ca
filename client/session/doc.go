// Package session is the one state machine of the desktop: who is signed in at the print server, and what they have.
// It knows no network, no files and no operating system; the interfaces it needs (Server, Vault, Identity, Machine, Browser,
// Microsoft) are declared here and filled in by client/agent.
//
// The states are those of client/status:
//
//	                  nobody kept here, and no way without a question
//	┌──────────┐──────────────────────────▶┌────────────┐◀──────────────────────────────┐
//	│ starting │                           │ signed-out │                               │
//	└────┬─────┘                           └─┬────────▲─┘                               │
//	     │ a session is kept, or     sign-in │        │ refused, cancelled, not         │ signed out here or at the
//	     │ this computer vouches             ▼        │ finished in the browser         │ server, refresh token of no
//	     │                                 ┌────────────┐                               │ use, account disabled, "not me"
//	     │                                 │ signing-in │                               │
//	     │                                 └─┬────────┬─┘                               │
//	     │ first balance       first balance │        │ accepted, but then no answer    │
//	     ├─────────────────────────────────▶ ▼        │                                 │
//	     │                          ┌───────────┐     │                                 │
//	     │                          │ following │─────┼─────────────────────────────────┤
//	     │                          └──┬─────▲──┘     │                                 │
//	     │                  no answer  │     │ answer │                                 │
//	     │ no answer, or none in 10 s  ▼     │        ▼                                 │
//	     └────────────────────────▶ ┌─────────────────────┐                             │
//	                                │       offline       │─────────────────────────────┘
//	                                └─────────────────────┘
//
// Ways of signing in (waysOf): what the group of this computer offers, else what the site offers, as far as it works here and
// now; the setting AuthMode restricts that, and when its one way cannot work, the snapshot says why and offers those that do.
//
//	without a question (silent.go)   a kept session, then: this computer vouches for the OS account (trust), or, after a session
//	                                 that ended by itself, Microsoft remembers the person. Nothing is shown while it lasts
//	                                 ("starting") nor when it is refused; then the person is asked.
//	in the browser (attempt.go)      microsoft and browser: open, wait for the person (10 minutes at most), and ask once more
//	                                 when somebody else came back than was expected.
//	prompt                           account and password.
//
// A server that only the network or the package's file name names (Settings.Unconfirmed, confirm.go) is not spoken to, and nobody is
// asked anything but whether it is theirs. After the answer the session starts as if it had just begun.
//
// Somebody whom the directory does not list any more is signed out like one who is disabled, but for the tokens (unlisted.go): they
// are kept and tried again, and once the server takes them the person is signed in again without a question.
//
// There is one attempt at a time. A second click joins it, another way replaces it, and whatever an attempt that was given up
// still brings is ended at the server: nobody is ever half signed in. A session that came about without a question and ends
// within a minute is not begun again, nor is one that the person ended.
//
// The state is not stored, it follows from three things (machine.state): is somebody signed in, are they connected, is a
// sign-in under way. So there are no combinations that mean nothing.
//
// One goroutine, Session.Run, owns all of it. What has to wait (calls to the server, the keyring) runs in goroutines of
// its own and comes back as a function that the one goroutine runs. While somebody is signed in, a follower (follow.go)
// keeps the tokens fresh and the balance current: it reads the balance, then follows the event stream from that version
// on, so that a change between two connections is never lost; where a proxy holds the stream back, it polls. Between
// attempts it waits 1 to 4, then 8, and at last 60 seconds, with full jitter, so that a server that comes back is not run over.
//
// Manners (UX 1 to 8): a name is never submitted by itself; the window is asked for once, and not before the server
// answers; a stored session that ended is asked for once, with the last balance still in sight; on a shared computer
// nothing is kept and nothing is pre-filled, and whoever has left is signed out (unattended.go).
package session
