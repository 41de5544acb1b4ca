package server

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/store"
)

// toldWhen are the days before the end of a secret on which somebody is told.
var toldWhen = []int{60, 30, 7, 0}

// hearers are the addresses that hear of a directory's problems, or why nobody does.
func (d *directories) hearers(c *configuredSource) (list []string, why string) {
	switch {
	case d.mail == nil:
		return nil, "nobody: the configuration has no mail: block"
	case c.entry.Notify != "":
		return []string{c.entry.Notify}, ""
	case len(d.mail.Admins()) > 0:
		return d.mail.Admins(), ""
	}
	return nil, "nobody: set notify of this directory, or admins of the mail: block"
}

// tell mails what is wrong with a directory, each problem once, and once that all is well again (row A3-49). It is called after
// every run.
func (d *directories) tell(ctx context.Context, c *configuredSource) error {
	id := c.source.ID()
	to, _ := d.hearers(c)
	return d.db.Update(ctx, func(tx store.Tx) error {
		state, err := tx.SourceState(ctx, id)
		if err != nil {
			return err
		}
		if sameProblem(state.Problem, state.Told) {
			return nil
		}
		if state.Problem == "" && state.Told == "" {
			return nil
		}
		template := mail.TemplateSyncFailed
		details := map[string]string{"source": string(id), "problem": state.Problem, "since": ""}
		if !state.LastSuccess.IsZero() {
			details["since"] = mail.Date(state.LastSuccess)
		}
		if state.Problem == "" {
			template = mail.TemplateSyncWell
		}
		told := len(to) == 0
		for _, address := range to {
			// One mail of a kind in an hour: a directory that fails and is well in turn, or fails each time in other words, must not fill
			// a mailbox. What is not told now is told after a later run, if it is still so.
			fresh, err := d.mail.Queue(ctx, tx, mail.Message{
				Key:      fmt.Sprintf("%s:%s:%d:%s", template, id, state.LastAttempt.Truncate(time.Hour).Unix(), address),
				Template: template, To: address, Details: details,
			})
			if err != nil {
				return err
			}
			told = told || fresh
		}
		if !told {
			return nil
		}
		state.Told = state.Problem
		return tx.PutSourceState(ctx, state)
	})
}

// failed hears of runs that failed, also such that a directory caused by sending.
func (d *directories) failed(run core.SyncRun) {
	if run.Kind != core.RunPush {
		return // whoever ran it tells
	}
	if c, err := d.find(run.Source); err == nil {
		d.tellLogged(context.Background(), c)
	}
}

// tellLogged is tell after a run, however it ended and whether or not somebody still waits for it.
func (d *directories) tellLogged(ctx context.Context, c *configuredSource) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := d.tell(ctx, c); err != nil {
		d.logger.ErrorContext(ctx, "cannot tell what is wrong with a directory", "source", string(c.source.ID()), "error", err)
	}
}

// sameProblem tells whether two texts tell of one problem: numbers and times in them do not make another one.
func sameProblem(a, b string) bool {
	letters := func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}
	return strings.Map(letters, a) == strings.Map(letters, b)
}

// tellEnds mails about what ends soon, once at each of the days of toldWhen, and remembers all ends for `status`.
func (d *directories) tellEnds(ctx context.Context) {
	for _, c := range d.all() {
		ends, err := d.expiries(ctx, c)
		if err != nil {
			d.logger.WarnContext(ctx, "cannot ask when the secrets of a directory end", "source", string(c.source.ID()), "error", err)
			continue
		}
		d.mu.Lock()
		d.ends[c.source.ID()] = ends
		d.mu.Unlock()
		for _, e := range ends {
			if err := d.tellEnd(ctx, c, e); err != nil {
				d.logger.ErrorContext(ctx, "cannot tell that a secret ends soon", "source", string(c.source.ID()), "error", err)
			}
		}
	}
}

func (d *directories) tellEnd(ctx context.Context, c *configuredSource, e directory.Expiry) error {
	step, soon := stepOf(e.At.Sub(d.now()))
	if !soon {
		return nil
	}
	d.logger.WarnContext(ctx, "something of a directory must be renewed", "source", string(c.source.ID()), "what", e.What, "ends", e.At)
	to, _ := d.hearers(c)
	if len(to) == 0 {
		return nil
	}
	details := map[string]string{"source": string(c.source.ID()), "what": e.What, "date": mail.Date(e.At), "today": ""}
	if step == 0 {
		details["today"] = "yes"
	}
	return d.db.Update(ctx, func(tx store.Tx) error {
		for _, address := range to {
			if _, err := d.mail.Queue(ctx, tx, mail.Message{
				Key:      fmt.Sprintf("%s:%s:%s:%d:%d:%s", mail.TemplateSecretExpires, c.source.ID(), e.What, e.At.Unix(), step, address),
				Template: mail.TemplateSecretExpires, To: address, Details: details,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// stepOf is the day of toldWhen that an end is at: the last that has come.
func stepOf(left time.Duration) (step int, soon bool) {
	days := int(left / (24 * time.Hour))
	if left < 0 {
		return 0, false // runs fail by now, and that is told
	}
	for _, s := range toldWhen {
		if days <= s {
			step, soon = s, true
		}
	}
	return step, soon
}

// endsOf are the ends that were last seen of a directory.
func (d *directories) endsOf(id core.SourceID) []directory.Expiry {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.ends[id]
}
