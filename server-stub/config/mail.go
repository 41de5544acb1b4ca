package config

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/internal/secret"
)

// Mail is how the server sends mail, and which.
type Mail struct {
	Host         string   `yaml:"host"`
	Port         int      `yaml:"port,omitempty"`          // 587, with tls: implicit 465, with tls: none 25
	TLS          string   `yaml:"tls,omitempty"`           // starttls, implicit or none
	CAFile       string   `yaml:"ca_file,omitempty"`       // what the mail server's certificate is signed by; empty for the system's
	User         string   `yaml:"user,omitempty"`          // to sign in at the mail server
	PasswordFile string   `yaml:"password_file,omitempty"` // its password; or PLATEN_MAIL_PASSWORD
	From         string   `yaml:"from"`                    // the address that mail comes from
	ReplyTo      string   `yaml:"reply_to,omitempty"`
	Admins       []string `yaml:"admins,omitempty"` // who is told when a synchronisation fails or a secret ends soon
	Language     string   `yaml:"language,omitempty"`
	PerMinute    int      `yaml:"per_minute,omitempty"` // the most mails in a minute
	// Welcome is the mail to new people: yes, no, or plain for one that does not have the access code in it.
	Welcome      string `yaml:"welcome,omitempty"`
	CodeReplaced bool   `yaml:"code_replaced"`   // when the server made a new code
	CodeChanged  bool   `yaml:"code_changed"`    // when the directory changed it
	Texts        string `yaml:"texts,omitempty"` // a folder with own texts: en.json, de.json ...

	Secret secret.String `yaml:"-"` // from the environment; see Password
}

// Languages are those that mail is written in.
var Languages = []string{"en", "de", "fr", "es"}

// Password reads the password; empty for a server that wants none. It is read anew each time, so that it can be replaced while the
// server runs.
func (m *Mail) Password() (secret.String, error) {
	return readSecret("mail.password_file", m.PasswordFile, m.Secret)
}

// mail reads and checks the block. It returns nil when the block is not fit to be looked at.
func (f *file) mail(node *yaml.Node) *Mail {
	m := &Mail{TLS: "starttls", Language: "en", PerMinute: 120, Welcome: "yes", CodeReplaced: true}
	if !f.decode("mail", node, m) {
		return nil
	}
	b := blockCheck{f, node, "mail"}
	b.oneOf("tls", m.TLS, "starttls", "implicit", "none")
	b.oneOf("language", m.Language, Languages...)
	switch strings.ToLower(m.Welcome) {
	case "true":
		m.Welcome = "yes"
	case "false":
		m.Welcome = "no"
	}
	b.oneOf("welcome", m.Welcome, "yes", "no", "plain")
	if m.Port == 0 {
		m.Port = map[string]int{"implicit": 465, "none": 25}[m.TLS]
		if m.Port == 0 {
			m.Port = 587
		}
	}
	switch {
	case m.Host == "" || strings.ContainsAny(m.Host, " /:@") && net.ParseIP(m.Host) == nil:
		b.wrong("host", "write the name of the mail server, such as mail.example.org")
	case m.TLS == "none" && !loopback(m.Host):
		b.wrong("tls", "without TLS everybody on the way can read access codes; only a mail server on this computer (127.0.0.1 or localhost) may do without")
	}
	if m.Port < 1 || m.Port > 65535 {
		b.wrong("port", "write a port from 1 to 65535")
	}
	if m.PerMinute < 1 || m.PerMinute > 6000 {
		b.wrong("per_minute", "write how many mails the mail server takes in a minute, from 1 to 6000")
	}
	b.address("from", m.From)
	if m.ReplyTo != "" {
		b.address("reply_to", m.ReplyTo)
	}
	for _, a := range m.Admins {
		b.address("admins", a)
	}
	if m.PasswordFile != "" && m.User == "" {
		b.wrong("password_file", "a password needs a user")
	}
	m.CAFile, m.PasswordFile, m.Texts = f.relative(m.CAFile), f.relative(m.PasswordFile), f.relative(m.Texts)
	if m.Texts != "" {
		if info, err := os.Stat(m.Texts); err != nil || !info.IsDir() {
			b.wrong("texts", "%s is no folder", m.Texts)
		}
	}
	return m
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// address checks roughly; package mail looks closely.
func (b blockCheck) address(key, value string) {
	before, after, ok := strings.Cut(value, "@")
	if !ok || before == "" || after == "" || strings.ContainsAny(value, " <>,;\"\r\n") || slices.Contains(strings.Split(after, "."), "") {
		b.wrong(key, "%q is no e-mail address; write it like print@example.org", value)
	}
}
