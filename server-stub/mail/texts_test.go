package mail_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"rsc.io/qr"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/store"
)

var languages = []string{"en", "de", "fr", "es"}

func TestEveryLanguageHasEveryText(t *testing.T) {
	holes := regexp.MustCompile(`\{[a-z]+\}`)
	all := map[string]map[string]string{}
	for _, lang := range languages {
		raw, err := os.ReadFile("texts/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		own := map[string]string{}
		if err := json.Unmarshal(raw, &own); err != nil {
			t.Fatal(err)
		}
		all[lang] = own
	}
	for _, lang := range languages[1:] {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(all["en"])), slices.Sorted(maps.Keys(all[lang]))); diff != "" {
			t.Errorf("the keys of %s (-en +%s):\n%s", lang, lang, diff)
		}
		for key, text := range all["en"] {
			want, got := holes.FindAllString(text, -1), holes.FindAllString(all[lang][key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what is filled in in %s of %s (-en +%s):\n%s", key, lang, lang, diff)
			}
			if all[lang][key] == text && !strings.HasPrefix(text, "{") {
				t.Errorf("%s of %s is English: %q", key, lang, text)
			}
		}
	}
}

// details fill every template.
var details = map[mail.Template]map[string]string{
	mail.TemplateWelcome: {"username": "anna"}, mail.TemplateWelcomePlain: {"username": "anna"},
	mail.TemplateSyncFailed:    {"source": "corp-ad", "problem": "corp-ad: connect: connection refused; is the domain controller on?", "since": "2026-11-21 08:00"},
	mail.TemplateSyncWell:      {"source": "corp-ad"},
	mail.TemplateSecretExpires: {"source": "entra", "what": "the client secret of application 66666666", "date": "2026-12-01"},
}

// sentIn sends every mail in one language and takes them apart.
func sentIn(t *testing.T, server *testenv.SMTPServer, lang string) map[mail.Template]parts {
	t.Helper()
	p := newPost(t, nil)
	p.to(server)
	before := len(server.Mails())
	for _, template := range mail.Templates() {
		m := message("anna@example.org")
		m.Template, m.Key, m.Language, m.Cards, m.Details = template, string(template), lang, []string{"78"}, details[template]
		p.queue(m)
	}
	p.mustSend()
	out := map[mail.Template]parts{}
	for i, m := range server.Mails()[before:] {
		out[mail.Templates()[i]] = take(t, m.Raw)
	}
	return out
}

func TestEveryMailInEveryLanguage(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	code, err := qr.Encode("7QF3MZ8K", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	subjects := map[string]bool{}
	for _, lang := range languages {
		for template, m := range sentIn(t, server, lang) {
			subject, err := new(mime.WordDecoder).DecodeHeader(m.header.Get("Subject"))
			if err != nil || subject == "" || subjects[lang+subject] && template != mail.TemplateWelcomePlain && template != mail.TemplateWelcome {
				t.Errorf("%s of %s: subject %q, %v", template, lang, subject, err)
			}
			subjects[lang+subject] = true
			for form, text := range map[string]string{"text": m.text, "HTML": m.html} {
				if left := regexp.MustCompile(`\{[a-z]+\}|<no value>|\{\{`).FindString(regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(text, "")); left != "" {
					t.Errorf("%s of %s: the %s has %q left:\n%s", template, lang, form, left, text)
				}
				if !strings.Contains(text, "Ask the library.") {
					t.Errorf("%s of %s: the %s does not say whom to ask", template, lang, form)
				}
				for _, value := range details[template] {
					if !strings.Contains(strings.ReplaceAll(text, "&#39;", "'"), value) {
						t.Errorf("%s of %s: the %s does not say %q", template, lang, form, value)
					}
				}
			}
			hasCode := template == mail.TemplateWelcome || template == mail.TemplateCodeReplaced || template == mail.TemplateCodeChanged
			if got := strings.Contains(m.text, "7QF3-MZ8K"); got != hasCode {
				t.Errorf("%s of %s has the code: %v, want %v", template, lang, got, hasCode)
			}
			if hasCode != (string(m.png) == string(code.PNG())) {
				t.Errorf("%s of %s: the picture is not the QR code of the code as readers type it", template, lang)
			}
		}
	}
}

// A link of a mail only shows a page: whoever follows all of them, as scanners do, finds the portal and nothing else.
func TestRMAIL1_MailsHaveNoLinkThatDoesSomething(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	for template, m := range sentIn(t, server, "en") {
		for _, text := range []string{m.text, m.html} {
			for _, link := range regexp.MustCompile(`https?://[^\s"<]+`).FindAllString(text, -1) {
				if link != "https://print.example.org/" {
					t.Errorf("%s has the link %s", template, link)
				}
			}
			if strings.Contains(text, "<a ") || strings.Contains(text, "<form") {
				t.Errorf("%s has something to click", template)
			}
		}
	}
}

// Mails as people see them: nothing sticks out, the picture is there, light and dark, on a telephone and on a desk.
func TestMailsLookRight(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	for _, dark := range []bool{false, true} {
		for _, width := range []int{360, 900} {
			tab := testenv.Chromium(t, testenv.ChromiumOptions{Dark: dark, Width: width, Height: 900})
			for _, lang := range languages {
				for template, m := range sentIn(t, server, lang) {
					if template != mail.TemplateWelcome && (width > 360 || template != mail.TemplateSyncFailed && template != mail.TemplateSecretExpires) {
						continue // the others look like one of these
					}
					html := strings.ReplaceAll(m.html, "cid:code.png", "data:image/png;base64,"+base64.StdEncoding.EncodeToString(m.png))
					file := fmt.Sprintf("%s/%s-%s.html", t.TempDir(), template, lang)
					if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
						t.Fatal(err)
					}
					tab.Navigate("file://" + file)
					if got := tab.Eval(`String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); got != "0" {
						t.Errorf("%s of %s sticks out by %s of %d pixels", template, lang, got, width)
					}
					if tab.Eval(`String([...document.images].every(i => i.complete && i.naturalWidth > 0))`) != "true" {
						t.Errorf("the picture of %s of %s is not drawn", template, lang)
					}
				}
			}
		}
	}
}

func TestAMailIsInThePersonsLanguageElseTheSites(t *testing.T) {
	p := newPost(t, func(d *mail.Deps) { d.Settings.Language = "es" })
	for wanted, want := range map[string]string{"de": "de", "de-AT": "de", "fr_CA": "fr", "en-US": "en", "": "es", "ja": "es", "not a language": "es"} {
		name := "p" + base64.RawURLEncoding.EncodeToString([]byte(wanted))
		m := message(name + "@example.org")
		m.Language = wanted
		p.queue(m)
		if got := p.states()[name].Language; got != want {
			t.Errorf("for %q the mail is in %q, want %q", wanted, got, want)
		}
	}
}

func TestNobodyWritesIntoTheHeader(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, func(d *mail.Deps) { d.Organisation = "School\r\nBcc: spy@example.net" })
	p.to(server)
	evil := "Anna\r\nBcc: spy@example.net\r\n\r\n<script>alert(1)</script>\u2028x\u202e"
	m := message("anna@example.org")
	m.Name = evil
	p.queue(m)
	m = message("it@example.org")
	m.Template, m.Details = mail.TemplateSyncFailed, map[string]string{"source": "ad\r\nBcc: spy@example.net", "problem": "<b>bad</b>\r\nX-Evil: 1"}
	p.queue(m)
	p.mustSend()
	mails := server.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails were sent, want 2", len(mails))
	}
	for _, raw := range mails {
		got := take(t, raw.Raw)
		if got.header.Get("Bcc") != "" || got.header.Get("X-Evil") != "" || len(raw.To) != 1 {
			t.Errorf("the header was written into: %v, to %v", got.header, raw.To)
		}
		if strings.Contains(got.html, "<script>") || strings.Contains(got.html, "<b>bad") {
			t.Errorf("the HTML was written into:\n%s", got.html)
		}
	}
}

func TestOnlyAddressesThatMailCanBeSentTo(t *testing.T) {
	for text, want := range map[string]string{
		"anna@example.org":                 "anna@example.org",
		" a.b+c@example.org ":              "a.b+c@example.org",
		"anna@bücher.example":              "anna@xn--bcher-kva.example",
		"anna":                             "",
		"anna@":                            "",
		"@example.org":                     "",
		"Anna <anna@example.org>":          "",
		"anna@example.org\r\nRCPT TO:<b":   "",
		"anna@example.org, b@c.example":    "",
		"änna@example.org":                 "",
		`"a b"@example.org`:                "",
		"anna@exa mple.org":                "",
		strings.Repeat("a", 65) + "@x.org": "",
	} {
		got, err := mail.Address(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Address(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestA3_25_WhichMailIsSentIsTheSitesChoice(t *testing.T) {
	anna := core.User{ID: 1, Username: "anna", Email: "anna@example.org"}
	notices := map[dirsync.NoticeKind]dirsync.Notice{}
	for _, kind := range []dirsync.NoticeKind{dirsync.NoticeWelcome, dirsync.NoticeCodeReplaced, dirsync.NoticeCodeChanged} {
		notices[kind] = dirsync.Notice{Kind: kind, User: anna, Code: secret.New("7QF3MZ8K")}
	}
	for name, tc := range map[string]struct {
		change func(*mail.Settings)
		want   []string
	}{
		"everything":      {func(*mail.Settings) {}, []string{"code_changed", "code_replaced", "welcome"}},
		"no welcome":      {func(s *mail.Settings) { s.Welcome = "" }, []string{"code_changed", "code_replaced"}},
		"plain welcome":   {func(s *mail.Settings) { s.Welcome = mail.TemplateWelcomePlain }, []string{"code_changed", "code_replaced", "welcome_plain"}},
		"not of changes":  {func(s *mail.Settings) { s.CodeChanged = false }, []string{"code_replaced", "welcome"}},
		"not of new ones": {func(s *mail.Settings) { s.CodeReplaced = false }, []string{"code_changed", "welcome"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, func(d *mail.Deps) { tc.change(&d.Settings) })
			p.user("anna", "")
			p.update(func(tx store.Tx) error {
				for _, n := range notices {
					if err := p.Notify(t.Context(), tx, n); err != nil {
						return err
					}
				}
				return nil
			})
			list, _, err := p.List(t.Context(), nil, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range list {
				got = append(got, m.Template)
				if m.Template == "welcome_plain" && m.Secret {
					t.Error("the plain mail has the code")
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("queued (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPersonWithoutAnAddressStopsNothing(t *testing.T) {
	p := newPost(t, nil)
	p.update(func(tx store.Tx) error {
		for _, address := range []string{"", "not an address", "a@b\r\nc"} {
			n := dirsync.Notice{Kind: dirsync.NoticeWelcome, User: core.User{ID: 7, Email: address}, Code: secret.New("7QF3MZ8K")}
			if err := p.Notify(t.Context(), tx, n); err != nil {
				t.Errorf("%q: %v", address, err)
			}
		}
		return nil
	})
	if n := len(p.states()); n != 0 {
		t.Errorf("%d mails wait", n)
	}
}

func TestA3_25_ASiteWritesItsOwnTexts(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, func(d *mail.Deps) {
		d.Settings.Texts = fstest.MapFS{"de.json": {Data: []byte(`{"code_replaced": "Neuer Code der Schule."}`)}}
	})
	p.to(server)
	m := message("anna@example.org")
	m.Language = "de"
	p.queue(m)
	p.mustSend()
	if got := take(t, server.Mails()[0].Raw).text; !strings.Contains(got, "Neuer Code der Schule.") || !strings.Contains(got, "Guten Tag Anna Test,") {
		t.Errorf("the mail:\n%s", got)
	}
	for text, want := range map[string]string{
		`{"welcom": "x"}`:          `there is no text "welcom"`,
		`{"welcome": "{balance}"}`: `has no {balance} to fill in`,
		`nonsense`:                 "not as they must be",
	} {
		d := p.deps
		d.Settings.Texts = fstest.MapFS{"en.json": {Data: []byte(text)}}
		if _, err := mail.New(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
}

func TestAFewMistakesOfTheSettingsAreNamed(t *testing.T) {
	p := newPost(t, nil)
	d := p.deps
	d.Settings.From = "Print <print@example.org>"
	if _, err := mail.New(d); err == nil || !strings.Contains(err.Error(), "mail.from") {
		t.Errorf("New = %v", err)
	}
}

func TestRunSendsSoonAfterItWasQueued(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(t.Context()) }()
	p.queue(message("anna@example.org"))
	testenv.Await(t, "the mail to be sent", func() bool { return p.states()["anna"].State == core.MailSent })
	t.Cleanup(func() {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(testenv.Deadline):
			t.Error("Run did not end")
		}
	})
}

func TestRSECRET_NoCodeIsInTheDatabase(t *testing.T) {
	const canary = "CANARY7QF3"
	p := newPost(t, nil)
	m := message("anna@example.org")
	m.Code = secret.New(canary)
	p.queue(m)
	var backup strings.Builder
	if err := p.store.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(backup.String(), canary) || strings.Contains(backup.String(), base64.StdEncoding.EncodeToString([]byte(canary))[:10]) {
		t.Error("the backup has the code")
	}
	// A content that was moved to another message opens there no more: nothing is sent.
	other := message("ben@example.org")
	p.queue(other)
	p.update(func(tx store.Tx) error {
		a, err := tx.Mail(t.Context(), 1)
		if err != nil {
			return err
		}
		b, err := tx.Mail(t.Context(), 2)
		if err != nil {
			return err
		}
		a.Sealed = b.Sealed
		return tx.MoveMail(t.Context(), core.MailWaiting, a)
	})
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p.to(server)
	p.mustSend()
	p.wantState("anna", core.MailFailed)
	p.wantState("ben", core.MailSent)
}

func TestARestoredBackupSendsNothingByItself(t *testing.T) {
	server := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls"})
	p := newPost(t, nil)
	p.to(server)
	p.queue(message("old@example.org"))
	p.now = p.now.Add(time.Minute)
	p.update(func(tx store.Tx) error {
		return tx.AppendAudit(t.Context(), core.AuditEvent{At: p.now, Actor: "admin", Action: "backup.restore"})
	})
	p.now = p.now.Add(time.Minute)
	p.queue(message("new@example.org"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	testenv.Await(t, "the new mail to be sent", func() bool { return p.states()["new"].State == core.MailSent })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	p.wantState("old", core.MailUnsure)
}
