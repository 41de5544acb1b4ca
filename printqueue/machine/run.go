package machine

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/statedir"
)

// How long to wait.
const (
	lookEvery = 2 * time.Second  // between two looks for a token
	firstWait = 10 * time.Second // after the first failure; doubled after each
	minPoll   = 5 * time.Second  // between two questions whether the administrator has approved
	maxPoll   = 10 * time.Minute
)

// Run keeps the computer a device until ctx ends: it uses a token that somebody left in the state folder, does what the computer's
// settings want (Want), asks whether an administrator has approved, reports, and renews. Failures are tried again, ever less often, at most api.DeviceStateEvery apart.
func (m *Machine) Run(ctx context.Context) {
	look, every := orElse(m.opts.Look, lookEvery), orElse(m.opts.Every, api.DeviceStateEvery)
	var wait time.Duration // until the next step
	var last string        // the token that the latest step saw
	var lastWish string    // and the wish
	fails := 0
	for ctx.Err() == nil {
		token := m.waitingToken()
		if token == "" {
			last = "" // the same one again is a new wish
		}
		wish := m.wished().id()
		if wait <= 0 || token != "" && token != last || wish != lastWish {
			if wish != lastWish {
				fails = 0
			}
			last, lastWish = token, wish
			next, err := m.step(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				fails++
				wait = m.backoff(fails, every, err)
			default:
				fails, wait = 0, orElse(next, jitter(every))
			}
			m.tryAt(m.opts.Clock().Add(wait))
		}
		pause := min(wait, look)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		wait -= pause
	}
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// jitter spreads 5,000 computers that were started together (F22).
func jitter(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(rand.Int64N(int64(d)/5+1))
}

func (m *Machine) backoff(fails int, most time.Duration, err error) time.Duration {
	wait := orElse(m.opts.Retry, firstWait) << min(fails-1, 10)
	if e, ok := errors.AsType[*ipc.Error](err); ok && !e.RetryAt.IsZero() {
		wait = max(wait, e.RetryAt.Sub(m.opts.Clock()))
	}
	return jitter(min(wait, most))
}

// Once does what is to be done now: enrol by a token that waits, ask about a pending enrolment, report or renew. It is what Run
// does again and again.
func (m *Machine) Once(ctx context.Context) error {
	_, err := m.step(ctx)
	return err
}

// errNothing says that there is nothing to do: the computer is no device, and nobody has asked to make it one.
var errNothing = errors.New("nothing to do")

// step does what is to be done and says when there is more; zero: at the next report.
func (m *Machine) step(ctx context.Context) (time.Duration, error) {
	m.stepping.Lock()
	defer m.stepping.Unlock()
	next, err := m.do(ctx)
	if errors.Is(err, errNothing) {
		return 0, nil // why an enrolment was refused stays to be seen
	}
	if ctx.Err() == nil {
		m.note(ctx, err)
	}
	return next, err
}

func (m *Machine) do(ctx context.Context) (time.Duration, error) {
	text, err := m.opts.Dir.Read(statedir.TokenFile)
	switch {
	case err == nil && hashOf(text) != m.spentToken():
		return m.enrolByToken(ctx, text)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return 0, ipc.Fail(ipc.CodeInternal, err.Error(), err)
	}
	if err := m.outdated(); err != nil {
		return 0, err
	}
	had := m.now().Device != nil
	wait, err := m.become(ctx)
	if errors.Is(err, errNothing) && m.now().Device != nil {
		return 0, m.keep(ctx)
	}
	if had && (err != nil || wait > 0) && ctx.Err() == nil {
		if old := m.keep(ctx); err == nil {
			err = old // the old enrolment works until the new one does
		}
	}
	return wait, err
}

// become goes on with the enrolment that is under way, or begins the one that the computer's settings want. errNothing if there
// is none.
func (m *Machine) become(ctx context.Context) (time.Duration, error) {
	wish := m.wished()
	if m.mayUse(wish) {
		if wait, done, err := m.enrolByPolicy(ctx, wish); done || err != nil {
			return wait, err
		}
	}
	if n := m.now().Next; n != nil {
		wait, err := m.enrol(ctx, *n, "")
		if err != nil && n.From == fromSettings && wish.ServerURL != "" {
			return m.moved(ctx, wish, err)
		}
		return wait, err
	}
	try, err := m.pursue(ctx, wish)
	if err != nil {
		return 0, err
	}
	return m.enrol(ctx, try, "")
}

// waitingToken is the hash of the token that waits to be used, "" if there is none. Looking costs one system call.
func (m *Machine) waitingToken() string {
	text, err := m.opts.Dir.Read(statedir.TokenFile)
	if err != nil {
		return ""
	}
	if hash := hashOf(text); hash != m.spentToken() {
		return hash
	}
	return ""
}

func (m *Machine) spentToken() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// enrolByToken uses the token in the state folder. It is removed when it was used, or is of no use.
func (m *Machine) enrolByToken(ctx context.Context, text []byte) (time.Duration, error) {
	token, err := ParseToken(string(text))
	if err != nil {
		return 0, m.dropToken(text, ipc.Fail(ipc.CodeInvalid, fmt.Sprintf("read %s: %v", statedir.TokenFile, err), nil))
	}
	try, err := m.attempt(token, hashOf(text), Wish{})
	if err != nil {
		return 0, err
	}
	wait, err := m.enrol(ctx, try, token.Secret.Reveal())
	if n := m.now().Next; err == nil && n != nil && !n.Pending {
		return wait, nil // another key, the same token
	}
	if e, ok := errors.AsType[*ipc.Error](err); ok && final(e.Code) {
		if err := m.change(func(r *record) { r.Next = nil }); err != nil {
			return 0, err
		}
		e.Text += "; the token is of no use (used up, too old, revoked, or not for this computer): " +
			"make a new one with platen-server enrolment create"
		return 0, m.dropToken(text, e)
	}
	if err != nil {
		return 0, err
	}
	return wait, m.dropToken(text, nil)
}

// final tells that asking again with the same token will not help.
func final(code ipc.Code) bool {
	return code == ipc.CodeRefused || code == ipc.CodeRevoked || code == ipc.CodeInvalid
}

// dropToken removes the token, and returns err.
func (m *Machine) dropToken(text []byte, err error) error {
	gone := m.opts.Dir.Remove(statedir.TokenFile)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusal, _ = errors.AsType[*ipc.Error](err)
	if m.spent = ""; gone != nil {
		m.spent = hashOf(text)
	}
	return errors.Join(err, gone)
}

// attempt finds the enrolment that was begun with the token, or begins one. It is written before anything is sent, so that
// whatever becomes of the answer, the next try has the same key.
func (m *Machine) attempt(token Token, hash string, wish Wish) (attempt, error) {
	if n := m.now().Next; n != nil && n.TokenHash == hash {
		return *n, nil
	}
	key, err := newKey()
	if err != nil {
		return attempt{}, err
	}
	n := attempt{Server: server{Address: token.Address}, Key: key, TokenHash: hash}
	if token.Pin != nil {
		n.Server.Pin = token.Pin.String()
	}
	if id := wish.id(); id != "" {
		n.From, n.Wish = fromSettings, id
	}
	return n, m.change(func(r *record) { r.Next = &n })
}

// enrol asks once, and says when there is more to do.
func (m *Machine) enrol(ctx context.Context, try attempt, tokenSecret string) (time.Duration, error) {
	if try.Server.Pin != "" && try.Server.CA == "" {
		pin, err := api.ParsePin(try.Server.Pin)
		if err != nil {
			return 0, ipc.Fail(ipc.CodeInvalid, "enrol: the pin cannot be read", err)
		}
		ca, err := fetchCA(ctx, try.Server.Address, []api.Pin{pin}, "the enrolment token", m.opts.Proxy, m.opts.Clock)
		if err != nil {
			return 0, err
		}
		try.Server.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	}
	roots, err := m.roots(try.Server)
	if err != nil {
		return 0, err
	}
	key, err := parseKey(try.Key)
	if err != nil {
		return 0, err
	}
	csr, err := request(key)
	if err != nil {
		return 0, err
	}
	l := newLink(try.Server.Address, roots, nil, m.opts.Proxy, m.opts.Clock)
	l.wished = try.From == fromSettings
	defer l.close()
	report := m.describe(ctx)
	report.MachineID = "" // only a device has one; Machine says who this will be
	var answer api.Enrolled
	err = l.post(ctx, "enrol", api.PathDeviceEnrol, api.Enrolment{Token: tokenSecret, CSR: csr, Machine: m.opts.Identity.api(), Report: report}, &answer)
	if e, ok := errors.AsType[*ipc.Error](err); ok && e.API == api.CodeConflict {
		return time.Millisecond, m.otherKey(ctx, try) // the server knows the key as another's, or a revoked one
	}
	if err != nil {
		return 0, err
	}
	switch answer.Status {
	case api.EnrolmentDone:
		return time.Millisecond, m.accept(ctx, try, answer)
	case api.EnrolmentPending:
		try.Pending = true
		m.opts.Logger.InfoContext(ctx, "the enrolment waits for an administrator's approval", "fingerprint", fingerprint(key))
		wait := min(max(time.Duration(answer.PollAfter)*time.Second, orElse(m.opts.Retry, minPoll)), maxPoll)
		return wait, m.change(func(r *record) { r.Next = &try })
	}
	return 0, ipc.Fail(ipc.CodeServer, "enrol: the server answers something that this version does not know", nil)
}

// otherKey goes on with another key, once; a server that wants a third has something else in mind.
func (m *Machine) otherKey(ctx context.Context, try attempt) error {
	if try.Second {
		return ipc.Fail(ipc.CodeServer, "enrol: the server wants another key again and again", nil)
	}
	m.opts.Logger.InfoContext(ctx, "the server wants another key")
	key, err := newKey()
	if err != nil {
		return err
	}
	try.Key, try.Second, try.Pending = key, true, false
	return m.change(func(r *record) { r.Next = &try })
}

// accept makes the computer the device that the server says it is.
func (m *Machine) accept(ctx context.Context, try attempt, answer api.Enrolled) error {
	if answer.ServerCA != "" {
		if block, _ := pem.Decode([]byte(answer.ServerCA)); block == nil {
			return ipc.Fail(ipc.CodeServer, "enrol: the server's certificate authority cannot be read", nil)
		} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return ipc.Fail(ipc.CodeServer, "enrol: the server's certificate authority cannot be read", err)
		}
		try.Server.CA = answer.ServerCA
	}
	d := device{Server: try.Server, ID: answer.DeviceID, Key: try.Key, Certificate: answer.Certificate}
	use, err := m.connect(d)
	if err != nil || d.ID == "" || plain(d.ID) != d.ID {
		return ipc.Fail(ipc.CodeServer, "enrol: the server's answer has no certificate for this computer", err)
	}
	if err := m.change(func(r *record) { r.Machine, r.Device, r.Next = m.opts.Identity, &d, nil }, use); err != nil {
		return err
	}
	m.opts.Logger.InfoContext(ctx, "this computer is a device of the server", "device", d.ID, "server", d.Server.Address)
	return nil
}

// describe is what the computer says about itself.
func (m *Machine) describe(ctx context.Context) api.DeviceReport {
	r := m.opts.Report(ctx)
	r.Version, r.Platform = buildinfo.Version, runtime.GOOS+"/"+runtime.GOARCH
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record.Device != nil {
		r.MachineID = m.record.Machine.api().ID
	}
	if m.problem != nil {
		r.LastError = plain(m.problem.Text)
	}
	return r
}

// report tells the server how the computer is, keeps what the server wants, and renews the certificate when it is time.
func (m *Machine) report(ctx context.Context) error {
	if over, err := m.reissue(ctx); over || err != nil {
		return err
	}
	m.mu.Lock()
	l := m.link
	m.mu.Unlock()
	var state api.DeviceState
	err := l.post(ctx, "report this device", api.PathDeviceState, m.describe(ctx), &state)
	if ipc.CodeOf(err) == ipc.CodeRevoked {
		m.revoke(ctx, true)
	}
	if err != nil {
		return err
	}
	if !harmless(state) {
		return ipc.Fail(ipc.CodeServer, "report this device: what the server wants of it is too long, or has characters that cannot be shown; "+
			"look at device_groups in its configuration", nil)
	}
	m.revoke(ctx, false)
	seen := m.opts.Clock()
	if d := m.now().Device; !sameState(d.State, state) {
		m.opts.Logger.InfoContext(ctx, "the server wants something else of this device", "group", state.Group, "role", state.Role)
		if err := m.change(func(r *record) { r.Device.State, r.Device.SeenAt = state, seen }); err != nil {
			return err
		}
	}
	m.mu.Lock()
	kept := *m.record.Device
	kept.SeenAt = seen // written with the next change
	m.record.Device = &kept
	due := state.Renew || !seen.Before(renewAt(m.pair.Leaf))
	m.mu.Unlock()
	if due {
		return m.renew(ctx)
	}
	return nil
}

// reissue asks for a new certificate without the old one, when that is over: the computer was off for long. over tells that there
// is nothing to report now.
func (m *Machine) reissue(ctx context.Context) (over bool, err error) {
	m.mu.Lock()
	d, ends := *m.record.Device, m.pair.Leaf.NotAfter
	m.mu.Unlock()
	if m.opts.Clock().Before(ends) || d.Revoked {
		return false, nil
	}
	key, err := parseKey(d.Key)
	if err != nil {
		return true, err
	}
	csr, err := request(key)
	if err != nil {
		return true, err
	}
	roots, err := m.roots(d.Server)
	if err != nil {
		return true, err
	}
	l := newLink(d.Server.Address, roots, nil, m.opts.Proxy, m.opts.Clock)
	defer l.close()
	report := m.describe(ctx)
	report.MachineID = ""
	var answer api.Enrolled
	err = l.post(ctx, "renew the device's certificate, which has ended", api.PathDeviceEnrol,
		api.Enrolment{CSR: csr, Machine: m.now().Machine.api(), Report: report}, &answer)
	if e, ok := errors.AsType[*ipc.Error](err); ok && e.API == api.CodeConflict {
		m.revoke(ctx, true)
		e.Code = ipc.CodeRevoked
	}
	if err != nil {
		return true, err
	}
	if answer.Status != api.EnrolmentDone { // the server knows nothing of this device any more
		m.revoke(ctx, true)
		return true, ipc.Fail(ipc.CodeRevoked, "the server does not know this device any more; enrol the computer anew", nil)
	}
	return false, m.renewed(ctx, d, answer.Certificate)
}

// renew gets a new certificate for the same key: whatever becomes of the answer, the old one works.
func (m *Machine) renew(ctx context.Context) error {
	m.mu.Lock()
	l, d, machine := m.link, *m.record.Device, m.record.Machine
	m.mu.Unlock()
	key, err := parseKey(d.Key)
	if err != nil {
		return err
	}
	csr, err := request(key)
	if err != nil {
		return err
	}
	var answer api.Enrolled
	if err := l.post(ctx, "renew the device's certificate", api.PathDeviceRenew, api.Renewal{CSR: csr, Machine: machine.api()}, &answer); err != nil {
		if ipc.CodeOf(err) == ipc.CodeRevoked {
			m.revoke(ctx, true)
		}
		return err
	}
	return m.renewed(ctx, d, answer.Certificate)
}

// renewed puts a new certificate for the same key to use.
func (m *Machine) renewed(ctx context.Context, d device, certificate string) error {
	d.Certificate = certificate
	use, err := m.connect(d)
	if err != nil {
		return ipc.Fail(ipc.CodeServer, "renew the device's certificate: the server's answer has none for this computer", err)
	}
	if err := m.change(func(r *record) { r.Device.Certificate = d.Certificate }, use); err != nil {
		return err
	}
	m.opts.Logger.InfoContext(ctx, "the device has a new certificate")
	return nil
}
