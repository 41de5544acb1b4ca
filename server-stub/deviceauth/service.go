package deviceauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
)

// The errors that only devices get; each is also of a kind of core. What is not right with a request is core.ErrInvalid.
var (
	// ErrUnknown: it is no device (any more), or a clone of one: it must enrol anew.
	ErrUnknown = fmt.Errorf("the device is not enrolled, or was revoked: %w", core.ErrUnauthenticated)
	// ErrToken: the enrolment token is wrong, used up, over, revoked, or not for machines from there: deliberately not which.
	ErrToken = fmt.Errorf("the enrolment token is of no use: %w", core.ErrUnauthenticated)
	// ErrKeyUsed: the key belongs to another machine, or was revoked: the machine must make a new one.
	ErrKeyUsed = fmt.Errorf("the key was used before: make a new one: %w", core.ErrConflict)
	// ErrAssertion: the assertion is forged, or of another device.
	ErrAssertion = fmt.Errorf("the assertion proves nothing: %w", core.ErrUnauthenticated)
	// ErrNonce: the nonce is unknown, used, over, or another device's: ask for a new one.
	ErrNonce = fmt.Errorf("the nonce is of no use: %w", core.ErrUnauthenticated)
	// ErrClock: the times of the assertion are not of now.
	ErrClock = fmt.Errorf("the device's clock is wrong: %w", core.ErrUnauthenticated)
	// ErrRefused: the device may not vouch for this account: ask the person. Deliberately not why.
	ErrRefused = fmt.Errorf("trust refused: %w", core.ErrForbidden)
)

// Options is what a Service works with. All are needed but those that say so.
type Options struct {
	Store store.Store
	Clock clock.Clock
	CA    *pki.Devices
	Codes *codes.Service
	Rules names.Rules // see also SetRules
	// Groups are the configured groups of devices.
	Groups Groups
	// Modes are the server's ways of signing in (api.Method...); a group may have its own. Where trust is not among them nobody
	// is vouched for.
	Modes []string
	// SharedOSUsers are OS accounts that many people use: they vouch for nobody.
	SharedOSUsers []string
	// Key is for nonces and for the keys of counters. All nodes have the same.
	Key [32]byte
	// ServerCA is the PEM of what the server's own certificate is signed by, "" for a public one.
	ServerCA string
	// OnRevoke is called after a device was revoked, replaced or forgotten; may be nil. It must return soon.
	OnRevoke func(ctx context.Context, device string)
	Logger   *slog.Logger
}

// Service keeps devices. Safe for concurrent use.
type Service struct {
	o      Options
	shared map[string]bool
	rate   *rate
	rules  atomic.Pointer[names.Rules]
	swept  atomic.Pointer[time.Time] // when makeRoom looked last
}

// New returns a Service.
func New(o Options) *Service {
	if o.OnRevoke == nil {
		o.OnRevoke = func(context.Context, string) {}
	}
	s := &Service{o: o, shared: foldAll(o.SharedOSUsers), rate: newRate()}
	s.SetRules(o.Rules)
	return s
}

// SetRules says whose names are whose from now on: a directory was added, changed or removed.
func (s *Service) SetRules(r names.Rules) { s.rules.Store(&r) }

// Groups are the configured groups.
func (s *Service) Groups() Groups { return s.o.Groups }

// newID returns 128 random bits in lower-case base32.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// triesPerMinute is how often one address may ask to enrol without success (SECURITY.md D4).
const triesPerMinute = 10

// tryKey is the row that counts an address's tries; the address cannot be read from it. IPv6 addresses count by their /64.
func (s *Service) tryKey(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	text := addr.String()
	if addr.Is6() {
		text = netip.PrefixFrom(addr, 64).Masked().String()
	}
	mac := hmac.New(sha256.New, s.o.Key[:])
	mac.Write([]byte("enrolment tries\n" + text))
	return "enrolment:" + hex.EncodeToString(mac.Sum(nil)[:20])
}

// free returns a core.LimitedError when the address has no try left in this minute.
func (s *Service) free(ctx context.Context, tx store.Tx, addr netip.Addr) error {
	a, err := tx.Attempts(ctx, s.tryKey(addr))
	if err != nil {
		return err
	}
	now := s.o.Clock()
	if until := a.FirstAt.Add(time.Minute); a.Count >= triesPerMinute && now.Before(until) && !a.FirstAt.After(now.Add(time.Minute)) {
		return &core.LimitedError{RetryAt: until}
	}
	return nil
}

// countTry counts a try that brought nothing.
func (s *Service) countTry(ctx context.Context, tx store.Tx, addr netip.Addr) error {
	now := s.o.Clock()
	a, err := tx.Attempts(ctx, s.tryKey(addr))
	if err != nil {
		return err
	}
	if a.Count == 0 || !now.Before(a.FirstAt.Add(time.Minute)) || a.FirstAt.After(now) {
		a.Count, a.FirstAt = 0, now
	}
	a.Count++
	a.LastAt = now
	return tx.PutAttempts(ctx, a)
}

// audit writes a line about a device. detail has ids and the names of reasons only.
func (s *Service) audit(ctx context.Context, tx store.Tx, actor, action, device, detail string) error {
	return tx.AppendAudit(ctx, core.AuditEvent{At: s.o.Clock(), Actor: actor, Action: action, Target: "device:" + device, Detail: detail})
}

// checkReport bounds what a machine says about itself.
func checkReport(r api.DeviceReport) error {
	for _, f := range []struct {
		name, text string
		most       int
	}{
		{"hostname", r.Hostname, 255},
		{"platform", r.Platform, 64},
		{"version", r.Version, 64},
		{"join_domain", r.JoinDomain, 255},
		{"join_realm", r.JoinRealm, 255},
		{"last_error", r.LastError, 500},
		{"machine_id", r.MachineID, 128},
	} {
		if len(f.text) > f.most || strings.ContainsFunc(f.text, isControl) {
			return fmt.Errorf("%w: %s: at most %d bytes without control characters", core.ErrInvalid, f.name, f.most)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }

func checkMachine(m api.MachineID) error {
	if len(m.ID) < 8 || len(m.ID) > 128 || len(m.Hardware) > 128 || strings.ContainsFunc(m.ID+m.Hardware, isControl) {
		return fmt.Errorf("%w: machine: id has 8 to 128 bytes, hardware at most 128", core.ErrInvalid)
	}
	return nil
}

// take copies a report into the device.
func take(d *core.Device, r api.DeviceReport) {
	d.Hostname, d.Platform, d.Version = r.Hostname, r.Platform, r.Version
	d.JoinDomain, d.JoinRealm, d.LastError = r.JoinDomain, r.JoinRealm, r.LastError
}

func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.Unmap().String()
}

// isNot tells whether err is none and none of that kind: something else went wrong.
func isNot(err, kind error) bool { return err != nil && !errors.Is(err, kind) }
