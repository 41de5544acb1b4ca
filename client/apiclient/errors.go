package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// ErrSilent says that the event stream was open and nothing came for api.SilenceLimit, although the server sends a heartbeat
// every api.HeartbeatEvery: something between us holds it back. Poll instead.
var ErrSilent = errors.New("the event stream is silent")

// Kind is what went wrong, for programs.
type Kind string

// The kinds of failure.
const (
	KindAnswer      Kind = "answer"      // the server said no: Code says why
	KindUnreachable Kind = "unreachable" // no connection, or it broke, or no answer in time
	KindProxy       Kind = "proxy"       // the proxy does not let us through
	KindUnknownCA   Kind = "unknown_ca"  // certificate of an authority that is not believed
	KindWrongHost   Kind = "wrong_host"  // certificate of another host
	KindWrongPin    Kind = "wrong_pin"   // the authority is not the pinned one
	KindExpired     Kind = "expired"     // certificate no longer valid
	KindClock       Kind = "clock"       // certificate not yet valid by this computer's clock, or the clock is known to be wrong
	KindCertificate Kind = "certificate" // another fault of the certificate
	KindNotPlaten   Kind = "not_platen"  // something answers, but not a Platen server
	KindServer      Kind = "server"      // a Platen server, or what stands before it, answers nonsense or an internal error
	KindConfig      Kind = "config"      // a setting is of no use
)

// Error is a failed call. Use errors.AsType to get it.
type Error struct {
	Op        string // what we were doing: "sign in"
	Kind      Kind
	Code      api.Code // KindAnswer only
	Status    int      // HTTP status, 0 without an answer
	RetryAt   time.Time
	Method    status.Method  // KindAnswer only: the way of signing in that works instead
	RequestID string         // the server's log has it
	Problem   status.Problem // what to show; its Details are Error()
	Err       error          // the cause; never shown as it is
}

// Error is the technical text for the helpdesk, with the remedy. It holds no secret.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Problem.Host != "" {
		b.WriteString(" at " + e.Problem.Host)
	}
	b.WriteString(": " + e.cause())
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	if r := remedy(e.Kind); r != "" {
		b.WriteString("; " + r)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) cause() string {
	if e.Err == nil {
		return string(e.Kind)
	}
	return plain(e.Err.Error())
}

// remedy is what an administrator does about it.
func remedy(kind Kind) string {
	switch kind {
	case KindUnknownCA:
		return "set CAFile to the server's ca.pem, or CAPin to the pin that it prints when it starts"
	case KindWrongPin:
		return "compare CAPin with the pin that the server prints when it starts; if that is right, somebody else answers in its place"
	case KindWrongHost:
		return "use a name in ServerURL that is in the server's certificate"
	case KindExpired:
		return "renew the server's certificate, or set this computer's clock if it is wrong"
	case KindClock:
		return "set this computer's clock"
	case KindProxy:
		return "check the setting Proxy, or HTTPS_PROXY and NO_PROXY"
	case KindNotPlaten:
		return "check ServerURL; a network that asks for a sign-in of its own answers like this too"
	case KindUnreachable, KindCertificate, KindServer, KindAnswer, KindConfig:
	}
	return ""
}

func problemCode(kind Kind, code api.Code) status.ProblemCode {
	switch kind {
	case KindUnreachable, KindProxy:
		return status.ProblemUnreachable
	case KindUnknownCA, KindWrongHost, KindWrongPin, KindCertificate:
		return status.ProblemCertificate
	case KindExpired:
		return status.ProblemCertificateExpired
	case KindClock:
		return status.ProblemClock
	case KindConfig:
		return status.ProblemConfig
	case KindNotPlaten, KindServer:
		return status.ProblemServer
	case KindAnswer:
		return answerCode(code)
	}
	return status.ProblemServer
}

// answerCode keeps the codes that people have a sentence for; their names are the same on both sides.
func answerCode(code api.Code) status.ProblemCode {
	switch same := status.ProblemCode(code); same {
	case status.ProblemWrongCredentials, status.ProblemAmbiguousName, status.ProblemAccountDisabled, status.ProblemPasswordExpired,
		status.ProblemLimited, status.ProblemInvalid, status.ProblemDirectoryUnavailable, status.ProblemMethodOff,
		status.ProblemMFARequired, status.ProblemNoAccount, status.ProblemConsentRequired, status.ProblemDeviceBlocked,
		status.ProblemTrustRefused:
		return same
	default:
	}
	switch code {
	case api.CodeTokenInvalid, api.CodeCodeInvalid: // what the provider or the browser brought proves nothing
		return status.ProblemProvider
	case api.CodeDeviceUnknown:
		return status.ProblemTrustRefused
	default:
		return status.ProblemServer
	}
}

// knownMethod is a method of signing in that the server named, "" if it is none.
func knownMethod(name string) status.Method {
	switch m := status.Method(name); m {
	case status.MethodTrust, status.MethodMicrosoft, status.MethodBrowser, status.MethodPrompt:
		return m
	}
	return ""
}

// fail makes an Error and fills in what people are shown.
func fail(op, host string, e Error) *Error {
	e.Op = op
	e.Problem = status.Problem{Code: problemCode(e.Kind, e.Code), RetryAt: e.RetryAt, Host: host, Method: e.Method}
	e.Problem.Details = e.Error()
	return &e
}

func configError(host string, err error) *Error {
	return fail("set up the connection", host, Error{Kind: KindConfig, Err: err})
}

// failed classifies an error of the network. The caller's own cancellation is passed on as it is.
func (c *Client) failed(ctx context.Context, op string, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, context.Canceled)
	}
	kind := c.classify(err)
	if kind == KindUnknownCA {
		c.forget()
	}
	if kind == KindExpired || kind == KindClock {
		err = fmt.Errorf("%w; this computer's clock says %s", err, c.opts.Clock().Format(time.RFC3339))
	}
	return fail(op, c.Host(), Error{Kind: kind, Err: err})
}

func (c *Client) classify(err error) Kind {
	if _, ok := errors.AsType[*proxyError](err); ok {
		return KindProxy
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		switch op.Op {
		case "proxyconnect":
			return KindProxy
		case "remote error", "local error": // a TLS alert (crypto/tls): they do not agree on the protocol
			return KindServer
		}
	}
	if _, ok := errors.AsType[*pinError](err); ok {
		return KindWrongPin
	}
	if kind := c.classifyCertificate(err); kind != "" {
		return kind
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return KindNotPlaten
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return KindNotPlaten
	}
	return KindUnreachable // refused, no such name, too slow, broken off ...
}

func (c *Client) classifyCertificate(err error) Kind {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return KindUnknownCA
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return KindWrongHost
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return c.expired(invalid.Cert)
		}
		return KindCertificate
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return KindCertificate
	}
	return ""
}

// expired tells an old certificate from a wrong clock.
func (c *Client) expired(cert *x509.Certificate) Kind {
	skew, known := c.Skew()
	if c.opts.Clock().Before(cert.NotBefore) || known && skew.Abs() > ClockTolerance {
		return KindClock
	}
	return KindExpired
}

// maxText is the longest text of a server that is passed on, in runes.
const maxText = 300

// plain makes a text of somebody else harmless: one line, nothing invisible, not endless.
func plain(text string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "..."
	}
	return string(runes)
}
