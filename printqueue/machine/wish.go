package machine

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/printqueue/ipc"
)

// Wish is what the computer's settings want it to be: a device of a server. The zero value wants nothing, and forgets nothing.
type Wish struct {
	ServerURL string        // https, host and perhaps a port; "": only the token names a server
	Origin    string        // where ServerURL stands, for people
	Pins      []api.Pin     // the server's certificate authority has one of them
	CA        string        // PEM: the authorities to believe; "" with no pins: the system's
	Token     secret.String // an enrolment token that a policy gives; it is used once
	Note      string        // what is wrong with the settings and does not keep the wish from being done
}

// id tells one wish from another, "" for none. It holds no secret.
func (w Wish) id() string {
	if w.ServerURL == "" && w.Token.Empty() {
		return ""
	}
	sum := sha256.New()
	for _, pin := range w.Pins {
		sum.Write(pin[:])
	}
	_, _ = fmt.Fprintf(sum, "\n%q\n%q\n%s", w.ServerURL, w.CA, hashOf([]byte(w.Token.Reveal())))
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// trust tells one way of believing a server from another.
func (w Wish) trust() string {
	w.ServerURL, w.Token = "-", secret.String{}
	return w.id()
}

// Want says what the computer's settings want by now. unclear is why they cannot be understood: then the wish stays as it was, and
// the reason is shown.
func (m *Machine) Want(w Wish, unclear error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unclear = unclear; unclear != nil {
		return
	}
	if w.id() != m.wish.id() {
		m.problem = nil // of the old one
	}
	m.wish = w
}

func (m *Machine) wished() Wish {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wish
}

func (m *Machine) tryAt(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nextTry = t
}

// outdated drops an enrolment that settings began which say something else now, and the one of a copy where settings say more.
func (m *Machine) outdated() error {
	n, id := m.now().Next, m.wished().id()
	m.mu.Lock()
	unclear := m.unclear != nil
	m.mu.Unlock()
	over := n != nil && (n.From == fromSettings && n.Wish != id || n.From == fromCopy && id != "")
	if !over || unclear && id == "" {
		return nil
	}
	m.opts.Logger.Info("the computer's settings want something else than the enrolment that was under way", "server", n.Server.Address)
	return m.change(func(r *record) { r.Next = nil }, func() { m.setAside(*n) })
}

// mostAside is how many servers a policy may swing between without leaving the traces of other keys there.
const mostAside = 4

// setAside keeps the key of an enrolment that is dropped, until the program ends. The caller holds mu.
func (m *Machine) setAside(n attempt) {
	if n.From != fromSettings || n.Server.URL == "" || n.Second {
		return
	}
	if m.aside == nil || len(m.aside) >= mostAside {
		m.aside = map[string]string{}
	}
	m.aside[n.Server.URL] = n.Key
}

// keyFor is the key to ask a server with: the one it knows this computer by already, if it was asked before and the settings wanted
// something else meanwhile. Otherwise each swing of a policy would be one more computer in the administrator's list.
func (m *Machine) keyFor(server string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key := m.aside[server]; key != "" {
		delete(m.aside, server)
		return key, nil
	}
	return newKey()
}

// mayUse tells whether the policy's token is to be used: it is new, and the computer is not where it leads.
func (m *Machine) mayUse(w Wish) bool {
	if w.Token.Empty() {
		return false
	}
	now, hash := m.now(), hashOf([]byte(w.Token.Reveal()))
	if now.Spent == hash || now.Next != nil && now.Next.From == "" {
		return false
	}
	token, err := ParseToken(w.Token.Reveal())
	if err != nil {
		return true // to say so
	}
	d := now.Device
	return d == nil || d.Revoked || d.Server.Address != token.Address && (w.ServerURL == "" || d.Server.URL != w.ServerURL)
}

// enrolByPolicy uses the policy's token. It cannot remove it, so it remembers that it is done with. Not done: the token is of no
// use, and the computer goes on without.
func (m *Machine) enrolByPolicy(ctx context.Context, w Wish) (wait time.Duration, done bool, err error) {
	text := w.Token.Reveal()
	hash := hashOf([]byte(text))
	token, err := ParseToken(text)
	if err != nil {
		return 0, false, m.spend(ctx, hash, ipc.Fail(ipc.CodeInvalid, "read the policy's enrolment token: "+err.Error(), nil))
	}
	try, err := m.attempt(token, hash, w)
	if err != nil {
		return 0, true, err
	}
	wait, err = m.enrol(ctx, try, token.Secret.Reveal())
	if n := m.now().Next; err == nil && n != nil && !n.Pending {
		return wait, true, nil // another key, the same token
	}
	if e, ok := errors.AsType[*ipc.Error](err); ok && final(e.Code) {
		e.Text += "; the policy's token is of no use (used up, too old, revoked, or not for this computer): the computer asks for approval instead"
		if token.Secret.Empty() {
			return 0, true, err
		}
		return 0, false, m.spend(ctx, hash, e)
	}
	if err != nil {
		return 0, true, err
	}
	return wait, true, m.change(func(r *record) { r.Spent = hash }, func() { m.refusal = nil })
}

// spend is done with the policy's token, which was of no use.
func (m *Machine) spend(ctx context.Context, hash string, why *ipc.Error) error {
	m.opts.Logger.WarnContext(ctx, "the policy's enrolment token was of no use", "code", string(why.Code), "error", why.Text)
	return m.change(func(r *record) {
		r.Spent = hash
		if r.Next != nil && r.Next.TokenHash == hash {
			r.Next = nil
		}
	}, func() { m.refusal = why })
}

// pursue begins the enrolment that the settings want, if the computer is not there yet; errNothing if it is.
func (m *Machine) pursue(ctx context.Context, w Wish) (attempt, error) {
	var at server
	switch d := m.now().Device; {
	case w.ServerURL != "":
		replaced := d != nil && d.Server.URL == w.ServerURL && d.Server.Trust != w.trust() && m.distrusts()
		if d != nil && d.Server.URL == w.ServerURL && !replaced {
			return attempt{}, errNothing
		}
		found, authorities, err := m.listener(ctx, w)
		if err != nil && d != nil && d.Server.URL == "" && hostOf(d.Server.Address) == hostOf(w.ServerURL) {
			return attempt{}, errNothing // enrolled by hand, most likely there; asked again at the next report
		}
		if err != nil {
			return attempt{}, err
		}
		if d != nil && !replaced && (d.Server.Address == found.Address || slices.ContainsFunc(authorities, d.Server.isCA)) {
			return attempt{}, errors.Join(m.change(func(r *record) { r.Device.Server.URL, r.Device.Server.Trust = w.ServerURL, w.trust() }), errNothing)
		}
		at = found
	case !w.Token.Empty():
		token, err := ParseToken(w.Token.Reveal())
		if err != nil || d != nil {
			return attempt{}, errNothing
		}
		if at.Address = token.Address; token.Pin != nil {
			at.Pin = token.Pin.String()
		}
	default:
		return attempt{}, errNothing
	}
	key, err := m.keyFor(at.URL)
	if err != nil {
		return attempt{}, err
	}
	n := attempt{Server: at, Key: key, From: fromSettings, Wish: w.id()}
	m.opts.Logger.InfoContext(ctx, "the computer's settings want it to be a device of a server", "server", w.ServerURL, "origin", w.Origin, "listener", at.Address)
	return n, m.change(func(r *record) { r.Next = &n })
}

// distrusts tells whether the device's server could not show that it is the one. With settings that say something new of whom to
// believe, it was set up anew, and so must the device be.
func (m *Machine) distrusts() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.problem != nil && m.problem.Code == ipc.CodeCertificate
}

// mostMissed is how many reports may miss the server before it is asked where its listener is by now: a server that is only down
// is spared the question.
const mostMissed = 3

// keep reports, and finds the listener again where the device's server has moved it.
func (m *Machine) keep(ctx context.Context) error {
	err := m.report(ctx)
	if ipc.CodeOf(err) != ipc.CodeUnreachable {
		m.missed = 0
		return err
	}
	d, w := m.now().Device, m.wished()
	if m.missed++; m.missed < mostMissed || w.ServerURL == "" || d.Server.URL != w.ServerURL {
		return err
	}
	m.missed = 0
	at, _, asked := m.listener(ctx, w)
	if asked != nil || at.Address == d.Server.Address {
		return err
	}
	moved := *d
	moved.Server.Address = at.Address // whom to believe there stays as it was
	use, failed := m.connect(moved)
	if failed != nil {
		return err
	}
	m.opts.Logger.InfoContext(ctx, "the server's listener for devices is somewhere else now", "listener", at.Address)
	if err := m.change(func(r *record) { r.Device.Server.Address = at.Address }, use); err != nil {
		return err
	}
	return m.report(ctx)
}

// moved asks again where the listener is after an enrolment there failed, and tries there if it is somewhere else by now. The key
// stays the same.
func (m *Machine) moved(ctx context.Context, w Wish, failed error) (time.Duration, error) {
	at, _, err := m.listener(ctx, w)
	if err != nil {
		return 0, err // this comes first: it says what stands in the way to the listener, too
	}
	n := m.now().Next
	if n == nil || n.Server.Address == at.Address && n.Server.CA == at.CA {
		return 0, failed
	}
	m.opts.Logger.InfoContext(ctx, "the server's listener for devices is somewhere else now", "listener", at.Address)
	return time.Millisecond, m.change(func(r *record) { r.Next.Server, r.Next.Pending = at, false })
}

// isCA tells whether the server is believed because of that very certificate.
func (s server) isCA(cert *x509.Certificate) bool {
	for rest := []byte(s.CA); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if slices.Equal(block.Bytes, cert.Raw) {
			return true
		}
	}
}

// hostOf is the host of an address or of HOST:PORT, lower case.
func hostOf(text string) string {
	text = strings.TrimPrefix(strings.ToLower(text), "https://")
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return strings.Trim(text, "[]")
}

// listener asks the server of the settings where its devices' listener is, and says whom to believe there: the same authority,
// or the one that the server names if the system's store vouched for it. authorities are the server's own that were verified.
func (m *Machine) listener(ctx context.Context, w Wish) (at server, authorities []*x509.Certificate, err error) {
	u, err := url.Parse(w.ServerURL)
	if err != nil {
		return at, nil, ipc.Fail(ipc.CodeInvalid, "the setting ServerURL cannot be read", err)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "443")
	}
	at.URL, at.Trust = w.ServerURL, w.trust()
	if at.CA, err = m.believed(ctx, address, w); err != nil {
		return at, nil, err
	}
	roots, err := m.roots(at)
	if err != nil {
		return at, nil, err
	}
	l := newLink(address, roots, nil, m.opts.Proxy, m.opts.Clock)
	l.wished = true
	defer l.close()
	known, authorities, err := l.wellKnown(ctx)
	if err != nil {
		return at, nil, err
	}
	if at.Address, err = deviceAddress(known.DeviceAddress, u.Hostname()); err != nil {
		return at, nil, ipc.Fail(ipc.CodeServer, fmt.Sprintf("ask %s for its devices' listener: %v", w.ServerURL, err), nil)
	}
	var pins []api.Pin
	for _, text := range known.CAPins {
		if pin, err := api.ParsePin(text); err == nil {
			pins = append(pins, pin)
		}
	}
	// An authority that makes certificates for others, too, says nothing about which server this is.
	authorities = slices.DeleteFunc(authorities, func(ca *x509.Certificate) bool { return !slices.Contains(pins, api.PinOf(ca)) })
	if at.CA != "" || len(pins) == 0 {
		return at, authorities, nil
	}
	// The system's store vouched for who said this.
	ca, err := fetchCA(ctx, at.Address, pins, "the server's own statement", m.opts.Proxy, m.opts.Clock)
	if err != nil {
		return at, nil, err
	}
	at.CA = pemOf(ca)
	return at, append(authorities, ca), nil
}

// believed is the authority that a wish names, PEM: of CAFile, of CAPin, or of both; "" for the system's store.
func (m *Machine) believed(ctx context.Context, address string, w Wish) (string, error) {
	if len(w.Pins) == 0 {
		return w.CA, nil
	}
	if w.CA == "" {
		ca, err := fetchCA(ctx, address, w.Pins, "CAPin", m.opts.Proxy, m.opts.Clock)
		if err != nil {
			return "", err
		}
		return pemOf(ca), nil
	}
	pinned := ""
	for rest := []byte(w.CA); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && slices.Contains(w.Pins, api.PinOf(cert)) {
			pinned += pemOf(cert)
		}
	}
	if pinned == "" {
		return "", ipc.Fail(ipc.CodeInvalid, "no certificate of CAFile has the pin of CAPin; set one of them right", nil)
	}
	return pinned, nil
}

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// deviceAddress completes what the server says of its listener with the host that was asked.
func deviceAddress(text, asked string) (string, error) {
	if text == "" {
		return "", errors.New("it has none, so no computer can be a device of it (listen_devices in its configuration)")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("it says something that is no address")
	}
	if host == "" {
		host = asked
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || !settings.ValidHost(host) {
		return "", errors.New("it says something that is no address")
	}
	return net.JoinHostPort(host, port), nil
}

// wellKnown asks a server what it says of itself, and returns the roots of the chains by which it was believed.
func (l *link) wellKnown(ctx context.Context) (api.WellKnown, []*x509.Certificate, error) {
	const op = "ask the server for its devices' listener"
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	target := url.URL{Scheme: "https", Host: l.address, Path: api.PathWellKnown}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return api.WellKnown{}, nil, ipc.Fail(ipc.CodeInternal, op+": the server's address is of no use", nil)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "platen-deploy/"+buildinfo.Version)
	response, err := l.http.Do(request)
	if err != nil {
		return api.WellKnown{}, nil, l.failed(ctx, op, err)
	}
	defer func() { _ = response.Body.Close() }()
	known, err := sources.ReadWellKnown(response)
	switch {
	case errors.Is(err, sources.ErrNotPlaten) && response.StatusCode/100 == 3:
		return known, nil, ipc.Fail(ipc.CodeServer, fmt.Sprintf("%s at %s: it sends us elsewhere (%s), and that is not followed; set ServerURL to where the server is",
			op, l.address, plain(response.Header.Get("Location"))), nil)
	case errors.Is(err, sources.ErrNotPlaten):
		return known, nil, ipc.Fail(ipc.CodeServer, fmt.Sprintf("%s at %s: %s; check ServerURL", op, l.address, plain(err.Error())), nil)
	case err != nil:
		return known, nil, l.failed(ctx, op, err)
	}
	var roots []*x509.Certificate
	if response.TLS != nil {
		for _, chain := range response.TLS.VerifiedChains {
			roots = append(roots, chain[len(chain)-1])
		}
	}
	return known, roots, nil
}
