package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// TLS says how the connection is encrypted.
type TLS string

// The ways to encrypt.
const (
	StartTLS    TLS = "starttls" // required: a server that does not offer it gets nothing
	ImplicitTLS TLS = "implicit" // from the first byte, usually port 465
	NoTLS       TLS = "none"     // only for a mail server on this computer
)

// timeout bounds every step of a delivery.
const timeout = time.Minute

// maxAnswers is how many bytes a mail server may send in one connection: some hundreds for each message. Without a limit one line
// without an end would fill the memory, also before the connection is encrypted.
const maxAnswers = 4 << 20

// listened is a connection with that limit.
type listened struct {
	net.Conn

	left int
}

// Read implements io.Reader.
func (l *listened) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("it sends more than %d bytes", maxAnswers)
	}
	n, err := l.Conn.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// spoken is an error in which a mail server may have had a word: it is shown as one short line.
type spoken struct{ error }

func (s spoken) Error() string { return line(s.error.Error(), 300) }
func (s spoken) Unwrap() error { return s.error }

// what became of a message.
type what int

const (
	taken   what = iota // the server has it
	later               // not taken, may be tried again
	refused             // not taken, and it never will be
	unsure              // nobody knows
)

type outcome struct {
	what    what
	problem string
}

// transport is a connection to the mail server. Not safe for concurrent use.
type transport struct {
	client *smtp.Client
	from   string
	broken bool
}

// connect reaches the mail server and signs in. Its error names the step and the remedy, never the password.
func (s *Service) connect(ctx context.Context) (*transport, error) {
	c := s.d.Settings
	failed := func(step string, err error, remedy string) error {
		return fmt.Errorf("mail server %s: %s: %w; %s", net.JoinHostPort(c.Host, fmt.Sprint(c.Port)), step, spoken{err}, remedy)
	}
	config, err := c.tlsConfig()
	if err != nil {
		return nil, failed("read mail.ca_file", err, "it must have certificates in PEM form")
	}
	var conn net.Conn // the client forgets to close it where a step fails
	policy := gomail.TLSMandatory
	if c.TLS == NoTLS || c.TLS == ImplicitTLS {
		policy = gomail.NoTLS
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		raw = &listened{raw, maxAnswers}
		conn = raw
		if deadline, ok := ctx.Deadline(); ok { // for the greeting and all before the first message
			if err := raw.SetDeadline(deadline); err != nil {
				return nil, err
			}
		}
		if c.TLS == ImplicitTLS {
			secured := tls.Client(raw, config)
			conn = secured
			return secured, secured.HandshakeContext(ctx)
		}
		return raw, nil
	}
	_, helo, _ := strings.Cut(s.writer.from.Address, "@")
	client, err := gomail.NewClient(c.Host, gomail.WithPort(c.Port), gomail.WithTimeout(timeout), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(config),
		gomail.WithDialContextFunc(dial), gomail.WithHELO(helo))
	if err != nil {
		return nil, failed("make a client", err, "look at the block mail of the configuration")
	}
	t := &transport{from: s.writer.from.Address}
	if t.client, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		if conn != nil {
			_ = conn.Close() // the error before tells more
		}
		return nil, failed("connect", err, remedy(err, c.TLS))
	}
	if err := s.signIn(t); err != nil {
		t.quit()
		return nil, failed("sign in", err, "look at mail.user and mail.password_file")
	}
	return t, nil
}

func remedy(err error, how TLS) string {
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "its certificate is signed by somebody unknown here: give the file of the signer as mail.ca_file"
	case errors.As(err, &other):
		return "its certificate is for another name: write that name as mail.host"
	case strings.Contains(err.Error(), "STARTTLS"):
		return "it does not offer encryption, or something on the way takes the offer away; nothing is sent without it"
	case how == StartTLS:
		return "look at mail.host and mail.port, and whether a firewall is between; port 465 needs tls: implicit"
	}
	return "look at mail.host and mail.port, and whether a firewall is between"
}

// tlsConfig checks the server's certificate, always.
func (c Settings) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", c.CAFile)
	}
	return config, nil
}

// signIn signs in where a user is configured. The password goes over an encrypted connection, or to this computer.
func (s *Service) signIn(t *transport) error {
	c := s.d.Settings
	if c.User == "" {
		return nil
	}
	password, err := c.Password()
	if err != nil {
		return err
	}
	offered, ways := t.client.Extension("AUTH")
	local := c.TLS == NoTLS
	switch list := strings.Fields(strings.ToUpper(ways)); {
	case !offered:
		return errors.New("it does not offer to sign in")
	case slices.Contains(list, "PLAIN"):
		err = t.client.Auth(smtp.PlainAuth("", c.User, password.Reveal(), c.Host, local))
	case slices.Contains(list, "LOGIN"):
		err = t.client.Auth(smtp.LoginAuth(c.User, password.Reveal(), c.Host, local))
	default:
		return fmt.Errorf("it offers %s only; PLAIN or LOGIN is needed", ways)
	}
	return err
}

// send hands one message over. Up to the end of the message nothing was taken, whatever goes wrong; between it and the answer nobody
// knows.
func (t *transport) send(to string, msg *gomail.Msg) outcome {
	if err := t.client.UpdateDeadline(timeout); err != nil {
		t.broken = true
		return outcome{later, err.Error()}
	}
	if err := t.client.Mail(t.from); err != nil {
		result := t.notTaken("sender", err)
		result.what = later // it is our address or our rights that are wrong, not this message
		return result
	}
	if err := t.client.Rcpt(to); err != nil {
		return t.notTaken("recipient", err)
	}
	w, err := t.client.Data()
	if err != nil {
		return t.notTaken("message", err)
	}
	if _, err := msg.WriteTo(w); err != nil {
		t.abandon() // without the end of the message the server must not take it (RFC 5321, 4.1.1.4)
		return outcome{later, "write the message: " + err.Error()}
	}
	if err := t.client.UpdateDeadline(timeout); err != nil {
		t.abandon()
		return outcome{later, err.Error()}
	}
	if err := w.Close(); err != nil {
		if answered(err) {
			return t.notTaken("message", err)
		}
		t.abandon()
		return outcome{unsure, "the connection ended before the mail server answered: " + err.Error()}
	}
	return outcome{what: taken}
}

// notTaken tells what an answer means: 4xx is for now, 5xx for good (RFC 5321, 4.2.1); no answer is for now.
func (t *transport) notTaken(step string, err error) outcome {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		t.abandon()
		return outcome{later, step + ": " + err.Error()}
	}
	if answer.Code == 421 || t.client.Reset() != nil { // it is about to close the connection
		t.abandon()
	}
	if answer.Code >= 500 && answer.Code < 600 {
		return outcome{refused, step + ": " + answer.Error()}
	}
	return outcome{later, step + ": " + answer.Error()}
}

func answered(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer)
}

// abandon closes the connection without another word.
func (t *transport) abandon() {
	t.broken = true
	_ = t.client.Close() // it is of no use any more
}

func (t *transport) quit() {
	if t.broken {
		return
	}
	t.broken = true
	if t.client.UpdateDeadline(5*time.Second) != nil || t.client.Quit() != nil {
		_ = t.client.Close() // whoever does not answer is left
	}
}

// Probe reaches the mail server, signs in and hands a test over, and returns how it went in one sentence.
func (s *Service) Probe(ctx context.Context, address string) (string, error) {
	to, err := Address(address)
	if err != nil {
		return "", err
	}
	t, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	defer t.quit()
	lang := pick("", s.d.Settings.Language)
	msg, err := s.writer.message(envelope{to, s.messageID(), s.d.Clock()}, TemplateTest, lang, content{})
	if err != nil {
		return "", err
	}
	encrypted := "without encryption"
	if state, err := t.client.GetTLSConnectionState(); err == nil {
		encrypted = "encrypted with " + tls.VersionName(state.Version)
	}
	if result := t.send(to, msg); result.what != taken {
		return "", fmt.Errorf("the mail server did not take the test mail: %s", line(result.problem, 300))
	}
	return fmt.Sprintf("%s took a test mail for %s, %s.", net.JoinHostPort(s.d.Settings.Host, fmt.Sprint(s.d.Settings.Port)), to, encrypted), nil
}
