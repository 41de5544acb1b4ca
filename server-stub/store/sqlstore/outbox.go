package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const mailColumns = `id, key, message_id, template, language, user_id, recipient, secret, sealed, state, tries, created_at, next_at, changed_at, problem`

func scanMail(row scanner) (core.Mail, error) {
	var m core.Mail
	err := row.Scan(&m.ID, &m.Key, &m.MessageID, &m.Template, &m.Language, &m.UserID, &m.To, boolOf{&m.Secret}, &m.Sealed, &m.State, &m.Tries,
		timeOf{&m.CreatedAt}, timeOf{&m.NextAt}, timeOf{&m.ChangedAt}, &m.Problem)
	return m, err
}

// QueueMail implements store.Outbox.
func (t *tx) QueueMail(ctx context.Context, m core.Mail) (int64, bool, error) {
	ids, err := all(ctx, t, scanInt, "queue a mail", `INSERT INTO outbox (key, message_id, template, language, user_id, recipient, secret, sealed,
			state, tries, created_at, next_at, changed_at, problem)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING RETURNING id`,
		m.Key, m.MessageID, m.Template, m.Language, m.UserID, m.To, m.Secret, m.Sealed, m.State, m.Tries, m.CreatedAt, m.NextAt, m.ChangedAt, m.Problem)
	if err != nil || len(ids) == 0 {
		return 0, false, err
	}
	return ids[0], true, nil
}

// Mail implements store.Outbox.
func (t *tx) Mail(ctx context.Context, id int64) (core.Mail, error) {
	return one(ctx, t, scanMail, fmt.Sprintf("read the mail %d", id), `SELECT `+mailColumns+` FROM outbox WHERE id = $1`, id)
}

// DueMail implements store.Outbox.
func (t *tx) DueMail(ctx context.Context, now time.Time, limit int) ([]core.Mail, error) {
	return all(ctx, t, scanMail, "read the mail that is due", `SELECT `+mailColumns+` FROM outbox
		WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT $2`, now, limit)
}

// MoveMail implements store.Outbox.
func (t *tx) MoveMail(ctx context.Context, from core.MailState, m core.Mail) error {
	return t.execOne(ctx, fmt.Sprintf("note how the mail %d stands", m.ID), `UPDATE outbox SET state = $1, sealed = $2, tries = $3, next_at = $4,
			changed_at = $5, problem = $6 WHERE id = $7 AND state = $8`, m.State, m.Sealed, m.Tries, m.NextAt, m.ChangedAt, m.Problem, m.ID, from)
}

// ListMail implements store.Outbox.
func (t *tx) ListMail(ctx context.Context, states []core.MailState, before int64, limit int) ([]core.Mail, error) {
	where, args := "($1 = 0 OR id < $1)", []any{before, limit}
	if len(states) > 0 {
		var places []string
		for _, s := range states {
			args = append(args, s)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		where += " AND state IN (" + strings.Join(places, ", ") + ")"
	}
	return all(ctx, t, scanMail, "list mail", `SELECT `+mailColumns+` FROM outbox WHERE `+where+` ORDER BY id DESC LIMIT $2`, args...)
}

// mailCount is how many mails are in a state.
type mailCount struct {
	state core.MailState
	n     int
}

// CountMail implements store.Outbox.
func (t *tx) CountMail(ctx context.Context) (map[core.MailState]int, error) {
	list, err := all(ctx, t, func(row scanner) (c mailCount, err error) {
		err = row.Scan(&c.state, &c.n)
		return c, err
	}, "count mail", `SELECT state, COUNT(*) FROM outbox GROUP BY state`)
	if err != nil {
		return nil, err
	}
	counts := map[core.MailState]int{}
	for c := range slices.Values(list) {
		counts[c.state] = c.n
	}
	return counts, nil
}

// CancelMail implements store.Outbox.
func (t *tx) CancelMail(ctx context.Context, user core.UserID, why string, at time.Time) (int, error) {
	n, err := t.exec(ctx, fmt.Sprintf("cancel mail to user %d", user), `UPDATE outbox SET state = 'cancelled', sealed = NULL, problem = $1, changed_at = $2
		WHERE user_id = $3 AND state = 'waiting' AND secret = 1`, why, at, user)
	return int(n), err
}

// DeleteUserMail implements store.Outbox.
func (t *tx) DeleteUserMail(ctx context.Context, user core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("delete the mail to user %d", user), `DELETE FROM outbox WHERE user_id = $1`, user)
	return err
}

// DeleteMailBefore implements store.Outbox.
func (t *tx) DeleteMailBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget mail", `DELETE FROM outbox WHERE changed_at < $1 AND state NOT IN ('waiting', 'sending')`, before)
	return int(n), err
}
