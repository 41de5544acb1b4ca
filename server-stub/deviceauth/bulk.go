package deviceauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/pki"
	"github.com/platenprint/platen/server-stub/store"
)

// Waiting is a machine that waits for approval.
type Waiting struct {
	core.Device
	Fingerprint string // of its key: what it shows itself, and the only thing here that another cannot claim
	Replaces    string // the device whose record it takes over when it is approved
}

// Match says which of the waiting machines are meant: those to which all of it applies. Networks, Domain and Name go by what a
// machine says of itself, and by where it is; only a fingerprint of a List is proof.
type Match struct {
	Networks []string // it is in one of these
	Domain   string   // it has joined this one, by its short name or its realm
	Name     string   // its host name is like this: * and ? stand for others (path.Match)
	List     []Listed // it is one of these
}

// Listed is one machine of a list that a management system wrote; "" where that does not know.
type Listed struct {
	Fingerprint string `json:"fingerprint,omitempty"`
	UUID        string `json:"uuid,omitempty"` // of its firmware (SMBIOS, IOPlatformUUID)
}

// MostListed is how many machines one List may have.
const MostListed = 5000

// Waiting returns the machines that wait for approval and are meant, in the order of their host names. Errors: core.ErrInvalid
// with what to write instead.
func (s *Service) Waiting(ctx context.Context, m Match) ([]Waiting, error) {
	meant, err := m.compile()
	if err != nil {
		return nil, fmt.Errorf("look who waits for approval: %w", err)
	}
	var found []Waiting
	err = s.o.Store.View(ctx, func(tx store.Tx) error {
		found = nil
		all, err := tx.Devices(ctx)
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.Status != core.DevicePending || !meant(d) {
				continue
			}
			w := Waiting{Device: d, Fingerprint: pki.Fingerprint(d.KeyHash)}
			old, ok, err := s.sameHardware(ctx, tx, d)
			if err != nil {
				return err
			}
			if ok {
				w.Replaces = old.ID
			}
			found = append(found, w)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look who waits for approval: %w", err)
	}
	return found, nil
}

// compile makes a question of the match.
func (m Match) compile() (func(core.Device) bool, error) {
	networks, err := parseNetworks(strings.Join(m.Networks, ","))
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(m.Name)
	if _, err := path.Match(name, ""); err != nil {
		return nil, fmt.Errorf("%w: the name %q: * and ? stand for others, [ needs its ]", core.ErrInvalid, m.Name)
	}
	if len(m.List) > MostListed {
		return nil, fmt.Errorf("%w: the list has %d machines; at most %d go at once", core.ErrInvalid, len(m.List), MostListed)
	}
	fingerprints, firmwares := map[string]Listed{}, map[string]bool{}
	for _, l := range m.List {
		switch {
		case l.Fingerprint != "":
			fingerprints[plainHex(l.Fingerprint)] = l
		case l.UUID != "":
			firmwares[HardwareID(l.UUID)] = true
		default:
			return nil, fmt.Errorf("%w: a machine of the list has neither a fingerprint nor a UUID", core.ErrInvalid)
		}
	}
	return func(d core.Device) bool {
		addr, err := netip.ParseAddr(d.Address)
		if len(networks) > 0 && (err != nil || !within(networks, addr)) {
			return false
		}
		if m.Domain != "" && !auth.Same(m.Domain, d.JoinDomain) && !auth.Same(m.Domain, d.JoinRealm) {
			return false
		}
		if ok, err := path.Match(name, strings.ToLower(d.Hostname)); name != "" && (!ok || err != nil) {
			return false
		}
		if len(m.List) == 0 {
			return true
		}
		l, listed := fingerprints[plainHex(pki.Fingerprint(d.KeyHash))]
		if listed {
			return l.UUID == "" || HardwareID(l.UUID) == d.HardwareID
		}
		return d.HardwareID != "" && firmwares[d.HardwareID]
	}, nil
}

func plainHex(text string) string {
	return strings.ToLower(strings.NewReplacer("-", "", ":", "", " ", "", "{", "", "}", "").Replace(text))
}

// HardwareID is what a machine whose firmware has this UUID calls its hardware (printqueue/machine makes it there).
func HardwareID(uuid string) string {
	sum := sha256.Sum256([]byte("platen-machine-1\nhardware\n" + plainHex(uuid)))
	return hex.EncodeToString(sum[:])
}

// Chosen is a waiting machine as the administrator saw it.
type Chosen struct {
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	Hostname    string `json:"hostname"`
	Address     string `json:"address"`
	Domain      string `json:"domain"`
	Replaces    string `json:"replaces,omitempty"` // the device whose record, and perhaps group, it takes over
}

// Left is a machine that was left out, and why.
type Left struct {
	Chosen
	Why string `json:"why"`
}

// atOnce is how many machines are changed in one transaction: others want to write, too.
const atOnce = 100

// ApproveAll lets exactly these machines become devices of the group, as Approve does. Those that changed since they were looked at,
// or do not wait any more, are left out. progress is told how many of them were looked at. When it fails half-way, what was done
// stays, and doing it again does the rest.
//
// A machine that would take over another record than was shown is left out, and so are all that claim the same hardware at the
// same time: who is the computer with that firmware, an administrator finds out by comparing fingerprints.
func (s *Service) ApproveAll(ctx context.Context, actor, group string, chosen []Chosen, progress func(done int)) ([]core.Device, []Left, error) {
	if _, ok := s.o.Groups.Get(group); !ok {
		return nil, nil, fmt.Errorf("approve devices: %w: there is no group %q in device_groups; there are %s",
			core.ErrInvalid, group, strings.Join(s.o.Groups.Names(), ", "))
	}
	done, left, err := s.each(ctx, chosen, progress, s.unmistakable, func(tx store.Tx, d *core.Device) error {
		return errors.Join(s.approve(ctx, tx, actor, d, group, "in bulk"), tx.UpdateDevice(ctx, *d))
	})
	if err != nil {
		return done, left, fmt.Errorf("approve devices: %w", err)
	}
	return done, left, nil
}

// ForgetAll turns exactly these waiting machines away: their records go. A machine that goes on asking waits again.
func (s *Service) ForgetAll(ctx context.Context, actor string, chosen []Chosen, progress func(done int)) ([]core.Device, []Left, error) {
	anyone := func(context.Context, store.Tx, Chosen, core.Device) (string, error) { return "", nil }
	done, left, err := s.each(ctx, chosen, progress, anyone, func(tx store.Tx, d *core.Device) error {
		return errors.Join(tx.DeleteDevice(ctx, d.ID), s.audit(ctx, tx, actor, "device.forget", d.ID, "in bulk"))
	})
	if err != nil {
		return done, left, fmt.Errorf("forget devices: %w", err)
	}
	return done, left, nil
}

// unmistakable says what speaks against approving a machine unseen, "" if nothing does.
func (s *Service) unmistakable(ctx context.Context, tx store.Tx, c Chosen, d core.Device) (why string, err error) {
	list, err := tx.DevicesByHardware(ctx, d.HardwareID)
	if err != nil {
		return "", err
	}
	for _, other := range list {
		waits := other.Status == core.DevicePending || other.Status == core.DeviceApproved
		if waits && other.ID != d.ID && !other.LastSeenAt.Before(s.o.Clock().Add(-silentAfter)) {
			return "another one that waits says that it has the same hardware; compare the fingerprints and approve one of them by its id", nil
		}
	}
	old, ok, err := s.sameHardware(ctx, tx, d)
	switch {
	case err != nil:
		return "", err
	case ok && old.ID != c.Replaces:
		return "it would take over the record of " + old.ID + " by now", nil
	case !ok && c.Replaces != "":
		return "there is no record of " + c.Replaces + " to take over any more", nil
	}
	return "", nil
}

// each does something with each of the chosen machines that are as they were and that are allowed: allowed says why one is not.
func (s *Service) each(ctx context.Context, chosen []Chosen, progress func(done int), allowed func(context.Context, store.Tx, Chosen, core.Device) (string, error),
	do func(tx store.Tx, d *core.Device) error,
) (done []core.Device, left []Left, err error) {
	looked := 0
	for part := range slices.Chunk(chosen, atOnce) {
		var partDone []core.Device
		var partLeft []Left
		err := s.o.Store.Update(ctx, func(tx store.Tx) error {
			partDone, partLeft = nil, nil // the function may run again
			for _, c := range part {
				d, err := tx.Device(ctx, c.ID)
				if isNot(err, core.ErrNotFound) {
					return err
				}
				why := c.changed(d, err == nil)
				if why == "" {
					if why, err = allowed(ctx, tx, c, d); err != nil {
						return err
					}
				}
				if why != "" {
					partLeft = append(partLeft, Left{Chosen: c, Why: why})
					continue
				}
				if err := do(tx, &d); err != nil {
					return err
				}
				partDone = append(partDone, d)
			}
			return nil
		})
		if err != nil {
			return done, left, err
		}
		done, left = append(done, partDone...), append(left, partLeft...)
		looked += len(part)
		progress(looked)
	}
	return done, left, nil
}

// changed says what is another than the administrator saw, "" if nothing is.
func (c Chosen) changed(d core.Device, known bool) string {
	switch {
	case !known:
		return "it does not wait any more"
	case d.Status != core.DevicePending:
		return "it is " + string(d.Status) + " by now"
	case !sameFingerprint(c.Fingerprint, pki.Fingerprint(d.KeyHash)):
		return "it has another key by now"
	case c.Hostname != d.Hostname:
		return "it calls itself " + d.Hostname + " by now"
	case c.Address != d.Address:
		return "it is at " + d.Address + " by now"
	case c.Domain != d.JoinDomain:
		return "it says that it joined " + d.JoinDomain + " by now"
	}
	return ""
}
