// Package mail sends what people and administrators are told. A message is queued in the transaction of what it tells of: what is
// rolled back is told to nobody. A worker sends it soon after.
//
// Nothing is sent twice. A key says what a message tells; the same key is never queued again. Before the worker hands a message over
// it notes that it does (sending), and afterwards what came of it. When the connection or the program ends between the end of the
// message and the mail server's answer, nobody can know whether it was taken: such a message is noted as unsure and not sent again by
// itself. An administrator sees it in `mail queue` and may send it again; its Message-ID is the same, so many mailboxes show it once.
// Everything before that point (no connection, a refusal, a broken line in the middle of the message) is known not to have been
// taken and is tried again, for three days.
//
// What a message says is sealed in the database, as it may be an access code, and gone once it was sent. It is written when it is
// sent: in the person's language, as text and as HTML, with the code as a QR code too. A message to somebody who was disabled or
// removed meanwhile is not sent.
//
// The connection is encrypted, or there is none: the server's certificate is checked, and a mail server that does not offer STARTTLS
// gets nothing. Links in mails only show pages: nothing happens because a scanner of links looks at them (R-MAIL-1).
package mail
