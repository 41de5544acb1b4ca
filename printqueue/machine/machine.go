package machine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/private"
)

// Options is what New needs. All but Proxy and the times are required.
type Options struct {
	Dir      *private.Dir
	Identity Identity // of this computer, now (ThisComputer)
	// Report says what the computer says about itself. LastError is filled in.
	Report func(context.Context) api.DeviceReport
	Proxy  Proxy // nil: none
	Clock  clock.Clock
	Logger *slog.Logger

	// For tests; zero: the real ones.
	Roots *x509.CertPool // believed where an enrolment has no pin; nil: the system's
	Every time.Duration  // api.DeviceStateEvery
	Look  time.Duration  // how often the folder is looked at for a token
	Retry time.Duration  // the first wait after a failure
}

// Machine is this computer as a device of the server. It is safe for concurrent use.
type Machine struct {
	opts Options

	stepping sync.Mutex // one step at a time

	mu      sync.Mutex
	record  record
	link    *link             // to record.Device's server, nil if there is none
	pair    *tls.Certificate  // record.Device's
	problem *ipc.Error        // why the latest talk with the server failed
	refusal *ipc.Error        // why the latest token was of no use, until there is an enrolment
	wish    Wish              // what the computer's settings want
	unclear error             // why they cannot be understood; wish is the latest that could
	nextTry time.Time         // of Run; zero: not known
	missed  int               // reports in a row that did not reach the device's server
	aside   map[string]string // keys of enrolments that were dropped, by the server's URL (setAside)
	spent   string            // hash of a token that is done with but could not be removed, so that it is not tried for ever
}

// New reads what the computer was when it ran last. If it is another computer by now, it throws away what it was, and asks the
// same server to be enrolled anew, as this one.
func New(opts Options) (*Machine, error) {
	if opts.Identity.empty() {
		return nil, ErrNoIdentity
	}
	r, err := load(opts.Dir)
	if err != nil {
		return nil, err
	}
	m := &Machine{opts: opts, record: r}
	if r.Machine.empty() || r.Machine.another(opts.Identity) {
		if err := m.startAnew(); err != nil {
			return nil, err
		}
	}
	if d := m.record.Device; d != nil {
		use, err := m.connect(*d)
		if err != nil {
			return nil, err
		}
		use()
	}
	return m, nil
}

// startAnew makes a record for this computer. The key of the computer that it was copied from is gone after it.
func (m *Machine) startAnew() error {
	old := m.record
	m.record = record{V: recordVersion, Machine: m.opts.Identity}
	if old.Device != nil {
		m.opts.Logger.Warn("this computer is a copy of another one, or was set up anew: its key is thrown away and it asks to be enrolled anew",
			"device", old.Device.ID)
		key, err := newKey()
		if err != nil {
			return err
		}
		m.record.Next = &attempt{Server: old.Device.Server, Key: key, From: fromCopy}
	}
	return m.record.save(m.opts.Dir)
}

// connect makes the link of a device; use puts it to use.
func (m *Machine) connect(d device) (use func(), err error) {
	pair, err := keyPair(d.Key, d.Certificate)
	if err != nil {
		return nil, err
	}
	roots, err := m.roots(d.Server)
	if err != nil {
		return nil, err
	}
	l := newLink(d.Server.Address, roots, pair, m.opts.Proxy, m.opts.Clock)
	return func() {
		if m.link != nil {
			m.link.close()
		}
		m.pair, m.link = pair, l
	}, nil
}

func (m *Machine) roots(s server) (*x509.CertPool, error) {
	if s.CA == "" {
		return m.opts.Roots, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.CA)) {
		return nil, errors.New("the server's certificate authority in the device's record cannot be read; enrol the computer anew")
	}
	return pool, nil
}

// Status is what every user of the computer may know, without asking the server.
func (m *Machine) Status() ipc.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := ipc.Status{Enrolment: ipc.EnrolmentNone, Version: buildinfo.Version}
	if d := m.record.Device; d != nil {
		s.Enrolment, s.Enrolled = ipc.EnrolmentDone, !d.Revoked
		if d.Revoked {
			s.Enrolment = ipc.EnrolmentRevoked
		}
		s.DeviceID, s.Group, s.Role = d.ID, d.State.Group, d.State.Role
		s.AuthModes, s.SharedOSUsers = d.State.AuthModes, d.State.SharedOSUsers
		s.ServerURL, s.SeenAt, s.Until = "https://"+d.Server.Address, d.SeenAt, m.pair.Leaf.NotAfter
	}
	if n := m.record.Next; n != nil {
		if s.ServerURL == "" {
			s.ServerURL = "https://" + n.Server.Address
		}
		if n.Pending && !s.Enrolled {
			s.Enrolment = ipc.EnrolmentPending
		}
		if key, err := parseKey(n.Key); err == nil {
			s.Fingerprint = fingerprint(key)
		}
	}
	switch {
	case m.refusal != nil:
		s.Problem, s.Detail = m.refusal.Code, m.refusal.Text
	case m.problem != nil:
		s.Problem, s.Detail = m.problem.Code, m.problem.Text
	case m.unclear != nil:
		s.Problem, s.Detail = ipc.CodeInvalid, plain(m.unclear.Error())
	case m.wish.Note != "":
		s.Problem, s.Detail = ipc.CodeInvalid, plain(m.wish.Note)
	}
	s.Wanted, s.WantedBy, s.NextTry = m.wish.ServerURL, m.wish.Origin, m.nextTry
	return s
}

// change writes a changed record and keeps it; then, at the same moment for everybody else, it does what goes with it. The
// caller holds stepping.
func (m *Machine) change(edit func(*record), with ...func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.record
	if r.Device != nil {
		d := *r.Device
		r.Device = &d
	}
	if r.Next != nil {
		n := *r.Next
		r.Next = &n
	}
	edit(&r)
	if err := r.save(m.opts.Dir); err != nil {
		return err
	}
	m.record = r
	for _, f := range with {
		f()
	}
	return nil
}

// now is a copy of the record.
func (m *Machine) now() record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record
}

// note keeps why the latest talk with the server failed, or that it did not.
func (m *Machine) note(ctx context.Context, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		if m.problem != nil {
			m.opts.Logger.InfoContext(ctx, "the server answers again")
		}
		if m.problem = nil; m.record.Device != nil && !m.record.Device.Revoked {
			m.refusal = nil
		}
		return
	}
	e, ok := errors.AsType[*ipc.Error](err)
	if !ok {
		e = ipc.Fail(ipc.CodeInternal, err.Error(), err)
	}
	if m.problem == nil || m.problem.Code != e.Code || m.problem.API != e.API { // the texts have request ids
		m.opts.Logger.WarnContext(ctx, "the device has a problem", "code", string(e.Code), "error", e.Text)
	}
	m.problem = e
}

// revoke notes that the server does not know the device any more. The key stays until there is a new one: an administrator
// may have been wrong, and the server may say so at the next report.
func (m *Machine) revoke(ctx context.Context, revoked bool) {
	if d := m.now().Device; d == nil || d.Revoked == revoked {
		return
	}
	m.opts.Logger.WarnContext(ctx, "the server has changed its mind about this device", "revoked", revoked)
	if err := m.change(func(r *record) { r.Device.Revoked = revoked }); err != nil {
		m.opts.Logger.ErrorContext(ctx, "keep what the server says", "error", err)
	}
}

// Forget makes the computer nobody's device: it drops key and certificate. The server is not told.
func (m *Machine) Forget() error {
	m.stepping.Lock()
	defer m.stepping.Unlock()
	err := m.change(func(r *record) { r.Device, r.Next = nil, nil }, func() { m.link, m.pair, m.problem, m.refusal, m.aside = nil, nil, nil, nil, nil })
	if err != nil {
		return fmt.Errorf("forget the enrolment: %w", err)
	}
	return nil
}
