package testenv

import (
	_ "embed"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:embed smtp.py
var smtpScript string

// SMTPOptions are for one mail server.
type SMTPOptions struct {
	How      string   // "starttls" (required), "implicit" or "plain"
	User     string   // who may send; empty for everybody
	Password string   // theirs
	CA       *CA      // nil: its own
	Names    []string // of the certificate; none: its address
}

// SMTPServer is a mail server for one test. It takes mail for everybody but unknown@ (refused), busy@ (later), spam@ (refused after the
// message) and slow-down@ (later, after the message). For vanish@ it takes the message and breaks the connection without an answer.
type SMTPServer struct {
	Host   string
	Port   int
	CAFile string

	t       testing.TB
	folder  string
	process *process
	start   func() *process
}

// SMTPMail is a mail that the server took.
type SMTPMail struct {
	From  string   `json:"from"`
	To    []string `json:"to"`
	TLS   bool     `json:"tls"`
	Login bool     `json:"login"`
	Raw   string   `json:"-"` // header and body as they came
}

// SMTP starts a mail server (Debian's python3-aiosmtpd) and waits until it answers. It stops when the test ends.
func SMTP(t testing.TB, o SMTPOptions) *SMTPServer {
	t.Helper()
	program := Program(t, "python3", "python3-aiosmtpd")
	if found, _ := filepath.Glob("/usr/lib/python3/dist-packages/aiosmtpd/smtp.py"); found == nil {
		missing(t, "the Python module aiosmtpd", "python3-aiosmtpd")
	}
	address := ownAddress(t)
	if o.CA == nil {
		o.CA = NewCA(t)
	}
	if len(o.Names) == 0 {
		o.Names = []string{address}
	}
	cert, key := o.CA.Issue(time.Now().Add(24*time.Hour), o.Names...)
	at := freePort(t, address)
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	s := &SMTPServer{t: t, Host: host, CAFile: o.CA.File, folder: t.TempDir()}
	if s.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	s.start = func() *process {
		p := start(t, nil, "", t.Output(), program, "-c", smtpScript, at, s.folder, o.How, cert, key, o.User, o.Password)
		awaitPort(t, "the mail server", at)
		return p
	}
	s.process = s.start()
	t.Cleanup(func() { s.process.stop() })
	return s
}

// missing skips the test, or fails it if RequireAll is set.
func missing(t testing.TB, what, debianPackage string) {
	t.Helper()
	text := what + " is missing: install the Debian package " + debianPackage
	if os.Getenv(RequireAll) == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// Stop kills the server.
func (s *SMTPServer) Stop() { s.process.stop() }

// Restart starts it again. Mail that it took before stays.
func (s *SMTPServer) Restart() {
	s.t.Helper()
	s.process.stop()
	s.process = s.start()
}

// Mails returns what it took, in its order.
func (s *SMTPServer) Mails() []SMTPMail {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.folder, "*.eml"))
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(files)
	var list []SMTPMail
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			s.t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(raw), "\n")
		m := SMTPMail{Raw: body}
		if err := json.Unmarshal([]byte(head), &m); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}
