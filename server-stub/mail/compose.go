package mail

import (
	"bytes"
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	texttemplate "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"
	"rsc.io/qr"
)

//go:embed layout.html
var htmlLayout string

//go:embed layout.txt
var textLayout string

// page is what the layouts show.
type page struct {
	Language string
	Site     string
	Subject  string
	Hello    string
	Before   []string // paragraphs
	Label    string   // above the code
	Code     string
	QR       htmltemplate.URL // of the picture
	QRAlt    string
	After    []string
	Quoted   string // what a machine said
	Command  string
	Footer   []string
}

// content is what fills a template; it is what is sealed in the database.
type content struct {
	Name    string            `json:"name,omitempty"`
	Code    string            `json:"code,omitempty"`
	Shown   string            `json:"shown,omitempty"` // the code as people write it
	Cards   []string          `json:"cards,omitempty"`
	WithPIN bool              `json:"-"` // the code works only together with a PIN
	Details map[string]string `json:"details,omitempty"`
}

// writer turns contents into messages.
type writer struct {
	texts        texts
	organisation string
	help, portal string
	from         netmail.Address
	replyTo      string
	html         *htmltemplate.Template
	text         *texttemplate.Template
}

func newWriter(t texts, d Deps, from string) (*writer, error) {
	w := &writer{
		texts: t, organisation: line(d.Organisation, 100), help: line(d.HelpText, 300), portal: d.PortalURL,
		from: netmail.Address{Name: line(d.Organisation, 100), Address: from}, replyTo: d.Settings.ReplyTo,
	}
	var err error
	if w.html, err = htmltemplate.New("html").Parse(htmlLayout); err != nil {
		return nil, fmt.Errorf("read the layout of mail: %w", err)
	}
	if w.text, err = texttemplate.New("text").Funcs(texttemplate.FuncMap{"indented": indented}).Parse(textLayout); err != nil {
		return nil, fmt.Errorf("read the layout of mail: %w", err)
	}
	return w, nil
}

// indented keeps what a machine said apart from what we say, also where it has several lines.
func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n    ") }

// qrFile is the name and content id of the picture.
const qrFile = "code.png"

// page writes a mail in one language.
func (w *writer) page(template Template, lang string, c content) page {
	values := map[string]string{"name": personName(c.Name), "organisation": w.organisation, "help": w.help, "url": w.portal, "cards": strings.Join(c.Cards, ", ")}
	for k, v := range c.Details {
		values[k] = line(v, 300)
	}
	say := func(key string) string { return w.texts.say(lang, key, values) }
	p := page{Language: lang, Site: w.organisation, Subject: line(say(template.subject(c)), 150), Hello: say("hello_nobody")}
	if values["name"] != "" {
		p.Hello = say("hello")
	}
	switch template {
	case TemplateWelcome, TemplateWelcomePlain, TemplateCodeReplaced, TemplateCodeChanged:
		w.personal(&p, template, c, say)
	case TemplateSyncFailed:
		p.Before = []string{say("sync_failed")}
		if values["since"] == "" {
			p.Before = append(p.Before, say("sync_failed_never"))
		} else {
			p.Before = append(p.Before, say("sync_failed_since"))
		}
		p.Before = append(p.Before, say("sync_failed_problem")+":")
		p.Quoted, p.After, p.Command = lines(c.Details["problem"]), []string{say("sync_failed_do")}, "platen-server sync runs "+line(values["source"], 100)
	case TemplateSyncWell:
		p.Before = []string{say("sync_well")}
	case TemplateSecretExpires:
		p.Before, p.Quoted = []string{say("secret_expires")}, values["what"]
		p.After, p.Command = []string{say("secret_expires_do")}, "platen-server sync test "+line(values["source"], 100)
	case TemplateTest:
		p.Before = []string{say("test")}
	}
	if w.help != "" {
		p.Footer = append(p.Footer, say("help"))
	}
	if w.organisation != "" {
		p.Footer = append(p.Footer, say("automatic"))
	} else {
		p.Footer = append(p.Footer, say("automatic_nobody"))
	}
	return p
}

// personal writes the mails that have a code.
func (w *writer) personal(p *page, template Template, c content, say func(string) string) {
	first := template
	if template == TemplateWelcomePlain {
		first, c.Code = TemplateWelcome, ""
	}
	p.Before = []string{say(string(first))}
	if c.Code != "" {
		p.Label, p.Code, p.QRAlt = say("code"), c.Shown, say("qr")
		p.After = append(p.After, say("code_how"))
		if c.WithPIN {
			p.After = append(p.After, say("code_pin"))
		}
		p.After = append(p.After, say("code_private"))
	} else if template == TemplateWelcomePlain && len(c.Cards) == 0 {
		p.After = append(p.After, say("welcome_plain"))
	}
	switch len(c.Cards) {
	case 0:
	case 1:
		p.After = append(p.After, say("card"))
	default:
		p.After = append(p.After, say("cards"))
	}
	if first == TemplateWelcome && c.Details["username"] != "" {
		p.After = append(p.After, say("username"))
	}
	if w.portal != "" {
		p.After = append(p.After, say("portal"))
	}
}

// render makes both forms of a page.
func (w *writer) render(p page) (text, html string, err error) {
	var plain, rich bytes.Buffer
	if err := w.text.Execute(&plain, p); err != nil {
		return "", "", fmt.Errorf("write the text of a mail: %w", err)
	}
	if err := w.html.Execute(&rich, p); err != nil {
		return "", "", fmt.Errorf("write the HTML of a mail: %w", err)
	}
	return strings.TrimLeft(plain.String(), "\n"), rich.String(), nil
}

// message makes the whole mail.
func (w *writer) message(m envelope, template Template, lang string, c content) (*gomail.Msg, error) {
	p := w.page(template, lang, c)
	var picture []byte
	if p.Code != "" {
		// The code as it is looked up: capital letters and digits only, which makes the smallest picture, and what a reader types.
		code, err := qr.Encode(c.Code, qr.M)
		if err != nil {
			return nil, fmt.Errorf("draw the QR code: %w", err)
		}
		picture = code.PNG()
		p.QR = "cid:" + qrFile
	}
	text, html, err := w.render(p)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&w.from)
	msg.ToMailAddress(&netmail.Address{Name: personName(c.Name), Address: m.to})
	if w.replyTo != "" {
		msg.ReplyToMailAddress(&netmail.Address{Address: w.replyTo})
	}
	msg.Subject(p.Subject)
	msg.SetMessageIDWithValue(strings.Trim(m.messageID, "<>"))
	msg.SetDateWithValue(m.date)
	// RFC 3834, and Exchange's own: no holiday replies.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("Content-Language", lang)
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	if picture != nil {
		if err := msg.EmbedReader(qrFile, bytes.NewReader(picture), gomail.WithFileContentID("<"+qrFile+">"), gomail.WithFileContentType("image/png")); err != nil {
			return nil, fmt.Errorf("put the QR code into the mail: %w", err)
		}
	}
	return msg, nil
}

// envelope is what a message has outside of its text.
type envelope struct {
	to, messageID string
	date          time.Time
}
