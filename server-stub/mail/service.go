package mail

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
)

// Template says which mail it is.
type Template string

// The mails there are. What Details fill in stands behind each.
const (
	TemplateWelcome       Template = "welcome"        // username
	TemplateWelcomePlain  Template = "welcome_plain"  // the same without the code
	TemplateCodeReplaced  Template = "code_replaced"  // none
	TemplateCodeChanged   Template = "code_changed"   // none
	TemplateSyncFailed    Template = "sync_failed"    // source, problem, since (when the last good run began; "" for never)
	TemplateSyncWell      Template = "sync_well"      // source
	TemplateSecretExpires Template = "secret_expires" // source, what, date (see Date), today ("yes" on the last day)
	TemplateTest          Template = "test"           // none
)

// Templates are all of them.
func Templates() []Template {
	return []Template{TemplateWelcome, TemplateWelcomePlain, TemplateCodeReplaced, TemplateCodeChanged, TemplateSyncFailed, TemplateSyncWell, TemplateSecretExpires, TemplateTest}
}

func (t Template) subject(c content) string {
	switch {
	case t == TemplateWelcomePlain:
		return "welcome_subject"
	case t == TemplateSecretExpires && c.Details["today"] != "":
		return "secret_expires_subject_today"
	}
	return string(t) + "_subject"
}

// Date writes a day as mails in every language have it.
func Date(t time.Time) string { return t.Format(time.DateOnly) }

// Settings is how mail is sent, and which.
type Settings struct {
	Host     string
	Port     int
	TLS      TLS
	CAFile   string // PEM; empty for the system's
	User     string // empty: no sign-in
	Password func() (secret.String, error)

	From      string
	ReplyTo   string
	Admins    []string
	Language  string // the site's
	PerMinute int

	Welcome      Template // "" for no mail to new people
	CodeReplaced bool
	CodeChanged  bool
	Texts        fs.FS // the site's own texts, nil for none
}

// Deps is what a Service needs.
type Deps struct {
	Store        store.Store
	Clock        clock.Clock
	Keys         *keys.Keys
	Settings     Settings
	Organisation string // may be empty
	HelpText     string // whom to ask; may be empty
	PortalURL    string // may be empty
	// ShowCode puts hyphens into codes. Nil: they stay as they are.
	ShowCode func(secret.String) secret.String
	// CodeState tells how a person's code stands when a mail that says it is about to be sent. Nil: it is in force.
	CodeState func(ctx context.Context, tx store.Tx, user core.UserID, code secret.String) (CodeState, error)
	Logger    *slog.Logger
}

// CodeState says how a code stands.
type CodeState struct {
	InForce  bool // a mail about a code that has ended is not sent; a welcome is, without the code
	NeedsPIN bool
}

// Service queues and sends mail. Safe for concurrent use.
type Service struct {
	d      Deps
	writer *writer
	key    [32]byte // of the digests of codes in keys of messages
	wake   chan struct{}

	mu      sync.Mutex
	problem string // why nothing can be sent now
}

// New returns a Service. Its errors are mistakes of the settings.
func New(d Deps) (*Service, error) {
	from, err := Address(d.Settings.From)
	if err != nil {
		return nil, fmt.Errorf("mail.from: %w", err)
	}
	for i, a := range d.Settings.Admins {
		if d.Settings.Admins[i], err = Address(a); err != nil {
			return nil, fmt.Errorf("mail.admins: %w", err)
		}
	}
	if d.Settings.ReplyTo != "" {
		if d.Settings.ReplyTo, err = Address(d.Settings.ReplyTo); err != nil {
			return nil, fmt.Errorf("mail.reply_to: %w", err)
		}
	}
	if d.ShowCode == nil {
		d.ShowCode = func(c secret.String) secret.String { return c }
	}
	if d.CodeState == nil {
		d.CodeState = func(context.Context, store.Tx, core.UserID, secret.String) (CodeState, error) {
			return CodeState{InForce: true}, nil
		}
	}
	all, err := loadTexts(d.Settings.Texts)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(all, d, from)
	if err != nil {
		return nil, err
	}
	return &Service{d: d, writer: w, key: d.Keys.Derive("mail keys"), wake: make(chan struct{}, 1)}, nil
}

// Admins are the addresses of those who look after the server.
func (s *Service) Admins() []string { return s.d.Settings.Admins }

// Message is something to tell.
type Message struct {
	// Key says what it tells: a message with a key that was used before is not queued. Required.
	Key      string
	Template Template
	To       string // an e-mail address
	Name     string // of the person, for the first line
	Language string // BCP 47; the site's when it is empty or another one than ours
	User     core.UserID
	Code     secret.String // canonical
	Cards    []string      // the ends of their numbers
	Details  map[string]string
}

// Queue queues a message in a transaction and tells whether it is a new one. Errors: core.ErrInvalid for an address that mail cannot be
// sent to.
func (s *Service) Queue(ctx context.Context, tx store.Tx, m Message) (bool, error) {
	to, err := Address(m.To)
	if err != nil {
		return false, fmt.Errorf("queue the mail %q: %w", m.Template, err)
	}
	if m.Key == "" || !slices.Contains(Templates(), m.Template) {
		return false, fmt.Errorf("queue a mail: %w: it has no key, or there is no mail %q", core.ErrInvalid, m.Template)
	}
	c := content{Name: m.Name, Cards: m.Cards, Details: m.Details}
	if m.Template != TemplateWelcomePlain {
		c.Code, c.Shown = m.Code.Reveal(), s.d.ShowCode(m.Code).Reveal()
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return false, fmt.Errorf("queue the mail %q: %w", m.Template, err)
	}
	now := s.d.Clock()
	mail := core.Mail{
		Key: m.Key, MessageID: s.messageID(), Template: string(m.Template), Language: pick(m.Language, s.d.Settings.Language), UserID: m.User, To: to,
		Secret: c.Code != "", State: core.MailWaiting, CreatedAt: now, NextAt: now, ChangedAt: now,
	}
	mail.Sealed = s.d.Keys.Seal(purpose, place(mail), plain)
	_, fresh, err := tx.QueueMail(ctx, mail)
	if fresh {
		s.wakeUp()
	}
	return fresh, err
}

// purpose is the key that contents are sealed with.
const purpose = "mail"

// place is where a sealed content belongs: it opens in no other message and for no other address.
func place(m core.Mail) string { return "outbox/" + m.MessageID + "/" + m.To }

func (s *Service) messageID() string {
	_, domain, _ := strings.Cut(s.writer.from.Address, "@")
	return "<" + strings.ToLower(rand.Text()) + "@" + domain + ">"
}

// Notify tells a person something; it is dirsync's Notify. Where the site wants no such mail, or the person has no address, nobody is
// told.
func (s *Service) Notify(ctx context.Context, tx store.Tx, n dirsync.Notice) error {
	m := Message{To: n.User.Email, Name: n.User.DisplayName, Language: n.User.Language, User: n.User.ID, Code: n.Code, Cards: n.Cards}
	switch n.Kind {
	case dirsync.NoticeWelcome:
		m.Template, m.Key = s.d.Settings.Welcome, fmt.Sprintf("welcome:%d", n.User.ID)
		m.Details = map[string]string{"username": n.User.Username}
	case dirsync.NoticeCodeReplaced:
		m.Template, m.Key = TemplateCodeReplaced, s.codeKey("code_replaced", n)
		if !s.d.Settings.CodeReplaced {
			return nil
		}
	case dirsync.NoticeCodeChanged:
		m.Template, m.Key = TemplateCodeChanged, s.codeKey("code_changed", n)
		if !s.d.Settings.CodeChanged {
			return nil
		}
	}
	if m.Template == "" || m.To == "" || m.Template == TemplateCodeReplaced && n.Code.Empty() {
		return nil
	}
	_, err := s.Queue(ctx, tx, m)
	if errors.Is(err, core.ErrInvalid) {
		s.d.Logger.WarnContext(ctx, "no mail was queued: the address cannot be used", "user_id", n.User.ID, "template", string(m.Template))
		return nil
	}
	return err
}

// codeKey is the key of a mail about one code of one person.
func (s *Service) codeKey(what string, n dirsync.Notice) string {
	h := hmac.New(sha256.New, s.key[:])
	h.Write([]byte(n.Code.Reveal()))
	return fmt.Sprintf("%s:%d:%s", what, n.User.ID, hex.EncodeToString(h.Sum(nil)[:12]))
}

// wakeUp lets Run look. The message is not committed yet; Run waits a moment.
func (s *Service) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Problem says why nothing can be sent now, "" when nothing is known to be in the way.
func (s *Service) Problem() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

func (s *Service) setProblem(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem = text
}

// List returns mail of these states (none: of all), the newest first, before the given id (0: from the newest). What it says is not in it.
func (s *Service) List(ctx context.Context, states []core.MailState, before int64, limit int) (list []core.Mail, counts map[core.MailState]int, err error) {
	err = s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		if counts, err = tx.CountMail(ctx); err != nil {
			return err
		}
		list, err = tx.ListMail(ctx, states, before, limit)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list mail: %w", err)
	}
	for i := range list {
		list[i].Sealed = nil
	}
	return list, counts, nil
}

// Again sends a mail again that failed, or of which nobody knows whether it was sent. core.ErrConflict for one that is neither.
func (s *Service) Again(ctx context.Context, actor string, id int64) error {
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		m, err := tx.Mail(ctx, id)
		if err != nil {
			return err
		}
		if m.State != core.MailFailed && m.State != core.MailUnsure || m.Sealed == nil {
			return fmt.Errorf("%w: it is %s", core.ErrConflict, m.State)
		}
		from, now := m.State, s.d.Clock()
		m.State, m.Tries, m.NextAt, m.ChangedAt, m.Problem = core.MailWaiting, 0, now, now, ""
		if err := tx.MoveMail(ctx, from, m); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "mail.again", Target: fmt.Sprintf("mail:%d", id)})
	})
	if err != nil {
		return fmt.Errorf("send the mail %d again: %w", id, err)
	}
	s.wakeUp()
	return nil
}

// AllAgain sends all mail again that failed, and tells how much.
func (s *Service) AllAgain(ctx context.Context, actor string) (int, error) {
	n := 0
	for before := int64(0); ; {
		list, _, err := s.List(ctx, []core.MailState{core.MailFailed}, before, batch)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, m := range list {
			if err := s.Again(ctx, actor, m.ID); err != nil && !errors.Is(err, core.ErrConflict) && !errors.Is(err, core.ErrNotFound) {
				return n, err
			} else if err == nil {
				n++
			}
			before = m.ID
		}
	}
}

// restoredAction is what a restore of a backup is called in the audit log.
const restoredAction = "backup.restore"

// holdBack looks whether a backup was restored: mail that waited in it may have been sent since it was made, so it is not sent by
// itself.
func (s *Service) holdBack(ctx context.Context) error {
	var restored time.Time
	var list []core.Mail
	if err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		if restored, err = lastRestore(ctx, tx, s.d.Clock().Add(-giveUp-keepFor)); err != nil || restored.IsZero() {
			return err
		}
		list, err = tx.ListMail(ctx, []core.MailState{core.MailWaiting, core.MailSending}, 0, 1<<31-1)
		return err
	}); err != nil {
		return fmt.Errorf("hold the mail of a restored backup back: %w", err)
	}
	for _, m := range list {
		if !m.CreatedAt.Before(restored) {
			continue
		}
		from := m.State
		m.State, m.Problem = core.MailUnsure, "it waited in a backup that was restored; it may have been sent before"
		if err := s.move(ctx, from, m); err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
	}
	return nil
}

// lastRestore returns when a backup was last restored, zero for not since then.
func lastRestore(ctx context.Context, tx store.Tx, since time.Time) (time.Time, error) {
	const page = 1000
	for before := int64(0); ; {
		events, err := tx.AuditEvents(ctx, before, page)
		if err != nil {
			return time.Time{}, err
		}
		for _, e := range events {
			if e.Action == restoredAction {
				return e.At, nil
			}
		}
		if len(events) < page || events[page-1].At.Before(since) {
			return time.Time{}, nil
		}
		before = events[page-1].ID
	}
}
