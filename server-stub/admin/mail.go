package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// The verbs of mail.
const (
	VerbMailTest  = "mail.test"
	VerbMailQueue = "mail.queue"
	VerbMailAgain = "mail.again"
)

func (s *Server) mailRoutes() {
	on(s, VerbMailTest, s.mailTest)
	on(s, VerbMailQueue, s.mailQueue)
	on(s, VerbMailAgain, s.mailAgain)
}

// errNoMail says what is missing.
func (s *Server) errNoMail() error {
	if s.Mail != nil {
		return nil
	}
	return fmt.Errorf("%w: no mail server is configured; write mail: {host: ..., from: ...} into the configuration and restart the server", core.ErrConflict)
}

// MailTest sends a test to an address.
type MailTest struct {
	Address string `json:"address"`
}

// MailTested says how it went.
type MailTested struct {
	Result string `json:"result"`
}

func (s *Server) mailTest(ctx context.Context, in MailTest) (MailTested, error) {
	if err := s.errNoMail(); err != nil {
		return MailTested{}, err
	}
	result, err := s.Mail.Probe(ctx, in.Address)
	if err != nil && KindOf(err) == "failed" {
		err = fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	return MailTested{result}, err
}

// MailQueue asks for mail of some states, of none for what is not done with.
type MailQueue struct {
	All    bool     `json:"all,omitempty"`
	States []string `json:"states,omitempty"`
	Limit  int      `json:"limit,omitempty"`
}

// MailQueued is mail, without what it says.
type MailQueued struct {
	Problem string         `json:"problem,omitempty"` // why nothing can be sent now
	Counts  map[string]int `json:"counts"`
	Mails   []QueuedMail   `json:"mails"`
}

// QueuedMail is one mail.
type QueuedMail struct {
	ID       int64      `json:"id"`
	Template string     `json:"template"`
	Language string     `json:"language"`
	UserID   int64      `json:"user_id,omitempty"`
	To       string     `json:"to"`
	State    string     `json:"state"`
	Tries    int        `json:"tries"`
	Queued   time.Time  `json:"queued"`
	Changed  time.Time  `json:"changed"`
	Next     *time.Time `json:"next_try,omitempty"`
	Problem  string     `json:"problem,omitempty"`
}

func (s *Server) mailQueue(ctx context.Context, in MailQueue) (MailQueued, error) {
	if err := s.errNoMail(); err != nil {
		return MailQueued{}, err
	}
	all := []core.MailState{core.MailWaiting, core.MailSending, core.MailFailed, core.MailUnsure, core.MailSent, core.MailCancelled}
	states := all[:4]
	if in.All {
		states = nil
	}
	if len(in.States) > 0 {
		states = nil
		for _, text := range in.States {
			state := core.MailState(strings.ToLower(text))
			known := false
			for _, one := range all {
				known = known || one == state
			}
			if !known {
				return MailQueued{}, invalid("mail is never %q; write waiting, sending, sent, failed, unsure or cancelled", text)
			}
			states = append(states, state)
		}
	}
	if in.Limit <= 0 || in.Limit > MaxList {
		in.Limit = MaxList
	}
	list, counts, err := s.Mail.List(ctx, states, 0, in.Limit)
	if err != nil {
		return MailQueued{}, err
	}
	out := MailQueued{Problem: s.Mail.Problem(), Counts: map[string]int{}, Mails: []QueuedMail{}}
	for state, n := range counts {
		out.Counts[string(state)] = n
	}
	for _, m := range list {
		out.Mails = append(out.Mails, QueuedMail{
			ID: m.ID, Template: m.Template, Language: m.Language, UserID: int64(m.UserID), To: m.To, State: string(m.State), Tries: m.Tries, Queued: m.CreatedAt,
			Changed: m.ChangedAt, Next: optionalTime(m.NextAt), Problem: m.Problem,
		})
	}
	return out, nil
}

// MailAgain sends mail again that failed, or of which nobody knows whether it was sent: one, or all that failed.
type MailAgain struct {
	ID     int64 `json:"id,omitempty"`
	Failed bool  `json:"failed,omitempty"`
}

func (s *Server) mailAgain(ctx context.Context, in MailAgain) (Count, error) {
	if err := s.errNoMail(); err != nil {
		return Count{}, err
	}
	if !in.Failed {
		return Count{1}, s.Mail.Again(ctx, actor, in.ID)
	}
	n, err := s.Mail.AllAgain(ctx, actor)
	return Count{n}, err
}
