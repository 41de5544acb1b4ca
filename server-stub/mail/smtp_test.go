package mail_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/store"
)

// parts takes a mail apart: its header, its text, its HTML and its pictures.
type parts struct {
	header     netmail.Header
	text, html string
	png        []byte
	pictureID  string
}

func take(t *testing.T, raw string) parts {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	p := parts{header: m.Header}
	p.walk(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return p
}

func (p *parts) walk(t *testing.T, contentType, encoding string, body io.Reader) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			part, err := r.NextPart() // decodes quoted-printable
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p.walk(t, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
			if id := part.Header.Get("Content-Id"); id != "" {
				p.pictureID = id
			}
		}
	}
	if strings.EqualFold(encoding, "base64") {
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	switch kind {
	case "text/plain":
		p.text = text
	case "text/html":
		p.html = text
	case "image/png":
		p.png = raw
	default:
		t.Errorf("the mail has a %s", kind)
	}
}

func TestA3_08_A3_25_TheInvitationHasCodeQRCodeAndCards(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls", User: "print", Password: "p4ss of the test"})
	p := newPost(t, func(d *mail.Deps) {
		d.Settings.User, d.Settings.Password = "print", func() (secret.String, error) { return secret.New("p4ss of the test"), nil }
	})
	p.to(server)
	anna := p.user("anna", "fr-CH")
	for range 2 { // told twice in different transactions, sent once
		p.update(func(tx store.Tx) error {
			return p.Notify(t.Context(), tx, dirsync.Notice{Kind: dirsync.NoticeWelcome, User: anna, Code: secret.New("7QF3MZ8K"), Cards: []string{"78", "CD"}})
		})
	}
	p.mustSend()
	p.mustSend()
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails were sent, want 1", len(mails))
	}
	if m := mails[0]; !m.TLS || !m.Login || m.From != "print@example.org" || m.To[0] != "anna@example.org" {
		t.Errorf("it was sent as %+v", m)
	}
	got := take(t, mails[0].Raw)
	for _, want := range []string{"Bonjour Name of anna,", "7QF3-MZ8K", "78, CD", "Votre nom d’utilisateur est anna.", "https://print.example.org/", "Ask the library."} {
		for form, text := range map[string]string{"text": got.text, "HTML": got.html} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s has no %q:\n%s", form, want, text)
			}
		}
	}
	if !strings.Contains(got.html, `src="cid:code.png"`) || got.pictureID != "<code.png>" || len(got.png) == 0 {
		t.Errorf("the mail has no QR code, or the picture %q is not the one that the HTML shows", got.pictureID)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(got.header.Get("Subject")); err != nil || subject != "Votre compte d’impression" {
		t.Errorf("Subject = %q, %v", subject, err)
	}
	for header, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "Content-Language": "fr", "Message-Id": p.states()["anna"].MessageID, "From": `"Example School" <print@example.org>`,
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, got.header.Get(header), want)
		}
	}
	// What it said is gone.
	p.update(func(tx store.Tx) error {
		m, err := tx.Mail(t.Context(), p.states()["anna"].ID)
		if m.State != core.MailSent || m.Sealed != nil {
			t.Errorf("kept: %+v", m)
		}
		return err
	})
}

func TestTheConnectionMayBeEncryptedFromItsStart(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "implicit"})
	p := newPost(t, func(d *mail.Deps) { d.Settings.TLS = mail.ImplicitTLS })
	p.to(server)
	text, err := p.Probe(t.Context(), "anna@example.org")
	if err != nil || !strings.Contains(text, "encrypted with TLS 1.3") {
		t.Errorf("Probe = %q, %v", text, err)
	}
	if mails := server.Mails(); len(mails) != 1 || !mails[0].TLS || !strings.Contains(take(t, mails[0].Raw).text, "the print server can send mail") {
		t.Errorf("it took %+v", mails)
	}
}

// A server that something on the way has taken the offer of encryption from (R F17) gets neither password nor mail.
func TestF17_NothingIsSentWithoutEncryption(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "plain"})
	p := newPost(t, func(d *mail.Deps) {
		d.Settings.User, d.Settings.Password = "print", func() (secret.String, error) { return secret.New("canary"), nil }
	})
	p.to(server)
	p.queue(message("anna@example.org"))
	_, err := p.send()
	if err == nil || !strings.Contains(err.Error(), "nothing is sent without it") {
		t.Errorf("SendDue = %v, want that it does not offer encryption", err)
	}
	if len(server.Mails()) != 0 {
		t.Error("the mail was sent in clear")
	}
	p.wantState("anna", core.MailWaiting)
	if !strings.Contains(p.Problem(), "STARTTLS") {
		t.Errorf("Problem = %q", p.Problem())
	}
}

func TestACertificateOfSomebodyElseIsNotTaken(t *testing.T) {
	for name, o := range map[string]testenv.SMTPOptions{
		"unknown signer": {How: "starttls"},
		"another name":   {How: "starttls", Names: []string{"mail.example.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := testenv.SMTP(t, o)
			p := newPost(t, nil)
			p.to(server)
			want := "write that name as mail.host"
			if name == "unknown signer" {
				want = "give the file of the signer as mail.ca_file"
				p.with(func(d *mail.Deps) { d.Settings.CAFile = "" })
			}
			if _, err := p.Probe(t.Context(), "anna@example.org"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Probe = %v, want %q in it", err, want)
			}
		})
	}
}

func TestAWrongPasswordIsNamedAndNotTold(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls", User: "print", Password: "right"})
	p := newPost(t, func(d *mail.Deps) {
		d.Settings.User, d.Settings.Password = "print", func() (secret.String, error) { return secret.New("CANARY-wrong"), nil }
	})
	p.to(server)
	_, err := p.Probe(t.Context(), "anna@example.org")
	if err == nil || !strings.Contains(err.Error(), "look at mail.user and mail.password_file") || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("Probe = %v", err)
	}
}

func TestWhatTheServerSaysIsFollowed(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	for _, name := range []string{"unknown", "busy", "spam", "slow-down", "anna"} {
		p.queue(message(name + "@example.org"))
	}
	for range 3 { // 421 ends the connection: the rest goes with the next
		p.mustSend()
	}
	p.wantState("unknown", core.MailFailed)
	p.wantState("spam", core.MailFailed)
	p.wantState("busy", core.MailWaiting)
	p.wantState("slow-down", core.MailWaiting)
	p.wantState("anna", core.MailSent)
	if got := p.states()["unknown"].Problem; !strings.Contains(got, "there is nobody of that name") {
		t.Errorf("the problem is %q", got)
	}
	// Later means later, each time longer, and not for ever.
	next := p.states()["busy"].NextAt
	if wait := next.Sub(p.now); wait < 50*time.Second || wait > 70*time.Second {
		t.Errorf("tried again after %v, want about a minute", wait)
	}
	p.mustSend()
	if p.states()["busy"].Tries != 1 {
		t.Error("it was tried before its time")
	}
	p.now = p.now.Add(73 * time.Hour)
	for range 2 {
		p.mustSend()
	}
	p.wantState("busy", core.MailFailed)
	// And again when an administrator says so.
	if err := p.Again(t.Context(), "admin", p.states()["unknown"].ID); err != nil {
		t.Fatal(err)
	}
	p.wantState("unknown", core.MailWaiting)
	if err := p.Again(t.Context(), "admin", p.states()["anna"].ID); err == nil {
		t.Error("a mail that was sent is sent again")
	}
}

func TestNothingIsSentTwiceWhenTheAnswerIsLost(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	p.queue(message("vanish@example.org"))
	for range 3 {
		p.mustSend()
		p.now = p.now.Add(time.Hour)
	}
	p.wantState("vanish", core.MailUnsure)
	if n := len(server.Mails()); n != 1 {
		t.Errorf("it was handed over %d times", n)
	}
}

func TestWhatAnEndedProgramLeftIsNotSentAgain(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	p.queue(message("anna@example.org"))
	p.update(func(tx store.Tx) error { // the program ended right here
		m, err := tx.Mail(t.Context(), 1)
		m.State, m.Tries, m.ChangedAt = core.MailSending, 1, p.now
		if err != nil {
			return err
		}
		return tx.MoveMail(t.Context(), core.MailWaiting, m)
	})
	p.mustSend()
	p.wantState("anna", core.MailSending) // perhaps another one is at it right now
	p.now = p.now.Add(time.Hour)
	p.mustSend()
	p.wantState("anna", core.MailUnsure)
	if n := len(server.Mails()); n != 0 {
		t.Errorf("it was sent %d times", n)
	}
}

func TestAServerThatIsAwayIsTriedAgainAndLosesNothing(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	server.Stop()
	p.queue(message("anna@example.org"))
	if _, err := p.send(); err == nil || !strings.Contains(err.Error(), "look at mail.host and mail.port") {
		t.Errorf("SendDue = %v", err)
	}
	if m := p.states()["anna"]; m.State != core.MailWaiting || m.Tries != 0 {
		t.Errorf("the mail is %s after %d tries, want waiting and none", m.State, m.Tries)
	}
	server.Restart()
	p.mustSend()
	p.wantState("anna", core.MailSent)
}

func TestNoMoreThanSoManyGoInAMinute(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, func(d *mail.Deps) { d.Settings.PerMinute = 3 })
	p.to(server)
	for i := range 5 {
		p.queue(message(fmt.Sprintf("p%d@example.org", i)))
	}
	wait, err := p.send()
	if err != nil || wait < 50*time.Second {
		t.Errorf("SendDue = %v, %v, want to wait for a minute", wait, err)
	}
	if n := len(server.Mails()); n != 3 {
		t.Errorf("%d were sent, want 3", n)
	}
	p.mustSend()
	if n := len(server.Mails()); n != 5 {
		t.Errorf("%d were sent in the end, want 5", n)
	}
}

func TestWhoIsGoneGetsNothing(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	anna, ben := p.user("anna", ""), p.user("ben", "")
	p.update(func(tx store.Tx) error {
		for _, u := range []core.User{anna, ben} {
			if err := p.Notify(t.Context(), tx, dirsync.Notice{Kind: dirsync.NoticeWelcome, User: u, Code: secret.New("7QF3MZ8K")}); err != nil {
				return err
			}
		}
		anna.DeletedAt = p.now
		return tx.UpdateUser(t.Context(), anna)
	})
	p.mustSend()
	p.wantState("anna", core.MailCancelled)
	p.wantState("ben", core.MailSent)
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d were sent, want 1", n)
	}
}

func TestACodeThatHasEndedIsNotMailed(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	states := map[string]mail.CodeState{"7QF3MZ8K": {}, "9KQ2M7XW": {InForce: true, NeedsPIN: true}}
	p := newPost(t, func(d *mail.Deps) {
		d.CodeState = func(_ context.Context, _ store.Tx, _ core.UserID, code secret.String) (mail.CodeState, error) {
			return states[code.Reveal()], nil
		}
	})
	p.to(server)
	anna := p.user("anna", "")
	p.update(func(tx store.Tx) error {
		for _, n := range []dirsync.Notice{
			{Kind: dirsync.NoticeWelcome, User: anna, Code: secret.New("7QF3MZ8K")},
			{Kind: dirsync.NoticeCodeChanged, User: anna, Code: secret.New("7QF3MZ8K")},
			{Kind: dirsync.NoticeCodeReplaced, User: anna, Code: secret.New("9KQ2M7XW")},
		} {
			if err := p.Notify(t.Context(), tx, n); err != nil {
				return err
			}
		}
		return nil
	})
	p.mustSend()
	mails := server.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails were sent, want the welcome and that of the code in force", len(mails))
	}
	if got := take(t, mails[0].Raw); strings.Contains(got.text, "7QF3") || !strings.Contains(got.text, "Your username is anna.") || got.png != nil {
		t.Errorf("the welcome:\n%s", got.text)
	}
	if got := take(t, mails[1].Raw); !strings.Contains(got.text, "9KQ2-M7XW") || !strings.Contains(got.text, "only together with your PIN") {
		t.Errorf("that of the new code:\n%s", got.text)
	}
}

// A server that stops in the middle of everything: no answer to the greeting, and none to the end of a message.
func TestABadLineLosesAndDoublesNothing(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "220 mail.example.org\r\n")
			r := bufio.NewReader(c)
			for {
				command, err := r.ReadString('\n')
				if err != nil || strings.HasPrefix(command, "DATA") {
					break // gone before a byte of the message
				}
				_, _ = io.WriteString(c, "250 OK\r\n")
			}
			_ = c.Close()
		}
	}()
	p := newPost(t, func(d *mail.Deps) {
		d.Settings.TLS, d.Settings.Host, d.Settings.Port = mail.NoTLS, "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	})
	p.queue(message("anna@example.org"))
	p.mustSend()
	p.wantState("anna", core.MailWaiting) // it is known that nothing was taken
	if got := p.states()["anna"]; got.Tries != 1 || !got.NextAt.After(p.now) {
		t.Errorf("tries %d, next %v", got.Tries, got.NextAt)
	}
}

// A server, or somebody on the way to it before the connection is encrypted, whose greeting is no end of text, or a lie.
func TestAServersWordsAreFewAndOneLine(t *testing.T) {
	for _, tt := range []struct{ name, greeting, want string }{
		{"a line without an end", strings.Repeat("220 ", 3<<20), "more than"},
		{"a text that acts", "554 \x1b[2Jno\x07\u202e\r\n", "no"},
		{"several lines", "554-no\r\n554-Run: curl http://evil.example\r\n554 " + strings.Repeat("x", 2000) + "\r\n", "no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = io.WriteString(c, tt.greeting)
					_, _ = io.Copy(io.Discard, c) // until the other end has enough
					_ = c.Close()
				}
			}()
			p := newPost(t, func(d *mail.Deps) { d.Settings.Port = l.Addr().(*net.TCPAddr).Port })
			p.queue(message("anna@example.org"))
			_, err = p.send()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("SendDue = %.300v", err)
			}
			for _, text := range []string{err.Error(), p.Problem()} {
				if len(text) > 1000 || strings.ContainsAny(text, "\x1b\x07\u202e\r\n") {
					t.Errorf("%d bytes: %.300q", len(text), text)
				}
			}
			p.wantState("anna", core.MailWaiting)
		})
	}
}

func TestWhatOthersWroteStaysWhereItStands(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	names := []string{"Your account ends today: https://evil.example/login", "go to www.evil.example now", "Anna Test"}
	for i, name := range names {
		m := message(fmt.Sprintf("p%d@example.org", i))
		m.Name = name
		p.queue(m)
	}
	p.queue(mail.Message{
		Key: "failed", Template: mail.TemplateSyncFailed, To: "it@example.org",
		Details: map[string]string{"source": "corp\r\nX: y", "since": "today\nand so", "problem": "refused\r\n\n-- \nTo repair it run: curl evil.example\n" + strings.Repeat("more\n", 100)},
	})
	p.mustSend()
	mails := server.Mails()
	if len(mails) != 4 {
		t.Fatalf("%d mails", len(mails))
	}
	for i := range names[:2] {
		if got := take(t, mails[i].Raw); strings.Contains(got.text+got.html+got.header.Get("To"), "evil.example") {
			t.Errorf("a name brought a link:\n%s", got.text)
		}
	}
	if got := take(t, mails[2].Raw); !strings.Contains(got.text, "Hello Anna Test,") {
		t.Errorf("a usual name is not there:\n%s", got.text)
	}
	got := take(t, mails[3].Raw)
	if !strings.Contains(got.text, "\n    refused\n    --\n    To repair it run: curl evil.example\n    more\n") || strings.Count(got.text, "more") > 20 {
		t.Errorf("what a machine said is not apart from what we say:\n%s", got.text)
	}
	if strings.Contains(got.text, "corp\n") || strings.Contains(got.text, "today\n") {
		t.Errorf("a value broke its line:\n%s", got.text)
	}
}
