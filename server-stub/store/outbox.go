package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Outbox keeps mail until it is sent.
type Outbox interface {
	// QueueMail stores m under a new id and tells whether it is new: where its key was used before, nothing happens.
	QueueMail(ctx context.Context, m core.Mail) (id int64, fresh bool, err error)
	Mail(ctx context.Context, id int64) (core.Mail, error)
	// DueMail returns mail that waits and whose time has come, the longest waiting first.
	DueMail(ctx context.Context, now time.Time, limit int) ([]core.Mail, error)
	// MoveMail stores State, Sealed, Tries, NextAt, ChangedAt and Problem if the mail is still in the state from; core.ErrNotFound,
	// which leaves the transaction usable, if it is not: of two who take a mail one gets it.
	MoveMail(ctx context.Context, from core.MailState, m core.Mail) error
	// ListMail returns mail of these states (none: of all), the newest first, before the given id (0: from the newest).
	ListMail(ctx context.Context, states []core.MailState, before int64, limit int) ([]core.Mail, error)
	// CountMail tells how many there are in each state.
	CountMail(ctx context.Context) (map[core.MailState]int, error)
	// CancelMail cancels a person's waiting mail that says a code, and tells how many.
	CancelMail(ctx context.Context, user core.UserID, why string, at time.Time) (int, error)
	// DeleteUserMail removes all mail of a person.
	DeleteUserMail(ctx context.Context, user core.UserID) error
	// DeleteMailBefore forgets mail that is done with and has been for longer than since t.
	DeleteMailBefore(ctx context.Context, t time.Time) (int, error)
}
