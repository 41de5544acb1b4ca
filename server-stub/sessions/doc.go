// Package sessions keeps people signed in: it issues, renews, checks and ends sessions. Who a person is was proven before
// (signin); what a person may do is decided after (httpapi).
//
// A session is a family of tokens, of which only SHA-256 hashes are stored:
//
//	plt_a_SECRET              access token, 256 random bits, ten minutes
//	plt_r_SESSION_SECRET      refresh token, the session's id and 256 random bits
//
//	plt_w_SECRET              in the cookie of a browser, 256 random bits; see web.go
//
// The prefixes are for people and programs that look for leaked secrets. A refresh token is used up by using it:
//
//	current ──▶ a new pair; the token just used becomes "previous" for Grace
//	previous ─▶ once, within Grace, while its successor is unused: a new pair (the reply was lost on the way)
//	any other ▶ somebody has a copy: the session ends, whoever has its tokens
//
// "Any other" is told from an invented token by the session's id, which is itself 128 random bits: whoever knows the id
// can end the session, never use it. So the id is shown to nobody but the person and administrators, and is not logged.
//
// The first two prove who asks even after the session ended with its person being disabled: they read "disabled", everything
// else reads no more than that the session is over. Of a session that was signed out or had a copy, nothing proves anything.
//
// Who is soft-deleted, because the directory does not list them any more, keeps their sessions: the tokens are refused as long as
// they are away (core.ErrAway), and work again when they are back. They end by time as ever, and with the person's data. Sessions in
// browsers end at once; who is disabled as well loses all.
//
// Authenticate asks the store, or remembers what it said within the last seconds (cache.go). Whatever ends a session or changes its
// person in this process is forgotten before it returns, so a person who is disabled is out with the next request.
package sessions
