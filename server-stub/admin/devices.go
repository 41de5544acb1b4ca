package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/store"
)

// The verbs of enrolled computers.
const (
	VerbEnrolmentCreate = "enrolment.create"
	VerbEnrolmentList   = "enrolment.list"
	VerbEnrolmentRevoke = "enrolment.revoke"
	VerbDeviceList      = "device.list"
	VerbDeviceShow      = "device.show"
	VerbDeviceApprove   = "device.approve"
	VerbDeviceRevoke    = "device.revoke"
	VerbDeviceForget    = "device.forget"

	VerbDeviceWaiting    = "device.waiting"
	VerbDeviceApproveAll = "device.approve-all"
	VerbDeviceForgetAll  = "device.forget-all"
)

// EnrolAt says where machines enrol: what an enrolment token names beside its secret.
type EnrolAt struct {
	Address string // host:port of the device listener, "" when it is off
	Pin     *api.Pin
}

// EnrolmentCreate makes an enrolment token.
type EnrolmentCreate struct {
	Group       string   `json:"group,omitempty"`
	Uses        int      `json:"uses,omitempty"`
	Days        int      `json:"days,omitempty"` // 0 for the usual 72 hours
	Networks    []string `json:"networks,omitempty"`
	Campaign    bool     `json:"campaign,omitempty"`
	PerHour     int      `json:"per_hour,omitempty"`
	Description string   `json:"description,omitempty"`
}

// EnrolmentToken is a token without its secret, but for the answer to EnrolmentCreate.
type EnrolmentToken struct {
	ID          string     `json:"id"`
	Token       string     `json:"token,omitempty"` // in clear, only once
	Group       string     `json:"group"`
	State       string     `json:"state"` // usable, used up, expired, revoked
	Campaign    bool       `json:"campaign"`
	Uses        int        `json:"uses,omitempty"`
	Used        int        `json:"used"`
	PerHour     int        `json:"per_hour,omitempty"`
	Networks    string     `json:"networks,omitempty"`
	Description string     `json:"description,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	LastUsedAt  *time.Time `json:"last_used_at,omitempty"`
}

// EnrolmentTokens lists tokens, the newest first.
type EnrolmentTokens struct {
	Tokens []EnrolmentToken `json:"tokens"`
}

// EnrolmentRef names a token.
type EnrolmentRef struct {
	ID string `json:"id"`
}

// Device is an enrolled computer, or one that waits.
type Device struct {
	ID         string     `json:"id"`
	Hostname   string     `json:"hostname"`
	Group      string     `json:"group"`
	Role       string     `json:"role"` // personal, shared, or "" when its group is not configured
	Status     string     `json:"status"`
	Platform   string     `json:"platform,omitempty"`
	Version    string     `json:"version,omitempty"`
	Address    string     `json:"address,omitempty"`
	LastError  string     `json:"last_error,omitempty"`
	Users      []string   `json:"users"` // whom it vouched for in the last 30 days, the latest first
	CreatedAt  time.Time  `json:"created_at"`
	EnrolledAt *time.Time `json:"enrolled_at,omitempty"`
	LastSeenAt *time.Time `json:"last_seen_at,omitempty"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty"`
}

// Devices lists devices in the order of their host names.
type Devices struct {
	Devices []Device `json:"devices"`
}

// DeviceList asks for devices.
type DeviceList struct {
	StaleSeconds int64 `json:"stale_seconds,omitempty"` // only those not seen for so long
}

// DeviceCertificate is a certificate that a device got.
type DeviceCertificate struct {
	Serial    string     `json:"serial"`
	IssuedAt  time.Time  `json:"issued_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// DeviceDetails is everything about one device.
type DeviceDetails struct {
	Device
	Fingerprint  string              `json:"fingerprint,omitempty"` // of its key: what the computer shows too
	JoinDomain   string              `json:"join_domain,omitempty"`
	JoinRealm    string              `json:"join_realm,omitempty"`
	TokenID      string              `json:"token_id,omitempty"`
	Replaces     string              `json:"replaces,omitempty"` // the device whose record it takes over when it is approved
	Sessions     int                 `json:"sessions"`
	Certificates []DeviceCertificate `json:"certificates"`
}

// DeviceRef names a device: its id, a beginning of it, or its host name.
type DeviceRef struct {
	Device      string `json:"device"`
	Group       string `json:"group,omitempty"`       // of DeviceApprove
	Fingerprint string `json:"fingerprint,omitempty"` // of DeviceApprove: what was compared
}

// DeviceMatch says which of the waiting computers are meant: those to which all of it applies.
type DeviceMatch struct {
	Networks []string            `json:"networks,omitempty"` // 10.20.0.0/16
	Domain   string              `json:"domain,omitempty"`
	Name     string              `json:"name,omitempty"` // with * and ?
	List     []deviceauth.Listed `json:"list,omitempty"`
}

// DeviceWaiting is a computer that waits for approval.
type DeviceWaiting struct {
	deviceauth.Chosen
	Platform  string    `json:"platform,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	AskedAt   time.Time `json:"asked_at"` // the last time
}

// DevicesWaiting lists them in the order of their host names.
type DevicesWaiting struct {
	Waiting []DeviceWaiting `json:"waiting"`
}

// DevicesChosen are waiting computers as the administrator saw them, to be approved or turned away.
type DevicesChosen struct {
	Devices []deviceauth.Chosen `json:"devices"` // at most MostChosen
	Group   string              `json:"group,omitempty"`
}

// MostChosen is how many computers one call may name.
const MostChosen = 1000

// DevicesDone says what was done.
type DevicesDone struct {
	Done []Device          `json:"done"`
	Left []deviceauth.Left `json:"left"` // not done, and why
}

// deviceRoutes has the verbs of this file.
func (s *Server) deviceRoutes() {
	on(s, VerbEnrolmentCreate, s.enrolmentCreate)
	on(s, VerbEnrolmentList, s.enrolmentList)
	on(s, VerbEnrolmentRevoke, s.enrolmentRevoke)
	on(s, VerbDeviceList, s.deviceList)
	on(s, VerbDeviceShow, s.deviceShow)
	on(s, VerbDeviceApprove, func(ctx context.Context, in DeviceRef) (Device, error) {
		d, err := s.Devices.Approve(ctx, actor, in.Device, in.Group, in.Fingerprint)
		return s.device(d), err
	})
	on(s, VerbDeviceWaiting, s.deviceWaiting)
	onLong(s, VerbDeviceApproveAll, func(ctx context.Context, in DevicesChosen, progress func(Progress)) (DevicesDone, error) {
		return s.devicesDone(in, progress, func(tell func(int)) ([]core.Device, []deviceauth.Left, error) {
			return s.Devices.ApproveAll(ctx, actor, in.Group, in.Devices, tell)
		})
	})
	onLong(s, VerbDeviceForgetAll, func(ctx context.Context, in DevicesChosen, progress func(Progress)) (DevicesDone, error) {
		return s.devicesDone(in, progress, func(tell func(int)) ([]core.Device, []deviceauth.Left, error) {
			return s.Devices.ForgetAll(ctx, actor, in.Devices, tell)
		})
	})
	on(s, VerbDeviceRevoke, func(ctx context.Context, in DeviceRef) (Device, error) {
		d, err := s.Devices.Revoke(ctx, actor, in.Device)
		return s.device(d), err
	})
	on(s, VerbDeviceForget, func(ctx context.Context, in DeviceRef) (Device, error) {
		d, err := s.Devices.Forget(ctx, actor, in.Device)
		return s.device(d), err
	})
}

func (s *Server) deviceWaiting(ctx context.Context, in DeviceMatch) (DevicesWaiting, error) {
	list, err := s.Devices.Waiting(ctx, deviceauth.Match(in))
	out := DevicesWaiting{Waiting: []DeviceWaiting{}}
	for _, d := range list {
		out.Waiting = append(out.Waiting, DeviceWaiting{
			Chosen:   deviceauth.Chosen{ID: d.ID, Fingerprint: d.Fingerprint, Hostname: d.Hostname, Address: d.Address, Domain: d.JoinDomain, Replaces: d.Replaces},
			Platform: d.Platform, CreatedAt: d.CreatedAt, AskedAt: d.LastSeenAt,
		})
	}
	return out, err
}

// devicesDone does something with many computers and says what became of each.
func (s *Server) devicesDone(in DevicesChosen, progress func(Progress), do func(tell func(int)) ([]core.Device, []deviceauth.Left, error)) (DevicesDone, error) {
	if len(in.Devices) > MostChosen {
		return DevicesDone{}, invalid("at most %d computers in one call", MostChosen)
	}
	done, left, err := do(func(n int) { progress(Progress{Step: "computers", Done: int64(n), Total: int64(len(in.Devices))}) })
	out := DevicesDone{Done: []Device{}, Left: []deviceauth.Left{}}
	for _, d := range done {
		out.Done = append(out.Done, s.device(d))
	}
	out.Left = append(out.Left, left...)
	return out, err
}

func (s *Server) enrolmentCreate(ctx context.Context, in EnrolmentCreate) (EnrolmentToken, error) {
	at := s.EnrolAt()
	if at.Address == "" {
		return EnrolmentToken{}, fmt.Errorf("%w: the device listener is off; set device_listen in the configuration", core.ErrConflict)
	}
	networks := ""
	for _, n := range in.Networks {
		networks += n + ","
	}
	t, text, err := s.Devices.CreateToken(ctx, actor, deviceauth.NewToken{
		Group: in.Group, Uses: in.Uses, Life: time.Duration(in.Days) * 24 * time.Hour, Networks: networks, Campaign: in.Campaign, PerHour: in.PerHour,
		Description: in.Description,
	})
	if err != nil {
		return EnrolmentToken{}, err
	}
	out := s.enrolmentToken(t)
	out.Token = api.EnrolmentToken{Address: at.Address, Pin: at.Pin, Secret: text}.Text().Reveal()
	return out, nil
}

func (s *Server) enrolmentList(ctx context.Context, _ Nothing) (EnrolmentTokens, error) {
	list, err := s.Devices.Tokens(ctx)
	out := EnrolmentTokens{Tokens: []EnrolmentToken{}}
	for _, t := range list {
		out.Tokens = append(out.Tokens, s.enrolmentToken(t))
	}
	return out, err
}

func (s *Server) enrolmentRevoke(ctx context.Context, in EnrolmentRef) (Nothing, error) {
	return Nothing{}, s.Devices.RevokeToken(ctx, actor, in.ID)
}

func (s *Server) enrolmentToken(t core.EnrolmentToken) EnrolmentToken {
	return EnrolmentToken{
		ID: t.ID, Group: t.Group, State: s.Devices.TokenState(t), Campaign: t.Campaign, Uses: t.Uses, Used: t.Used, PerHour: t.PerHour,
		Networks: t.Networks, Description: t.Description, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: optionalTime(t.LastUsedAt),
	}
}

func (s *Server) deviceList(ctx context.Context, in DeviceList) (Devices, error) {
	list, err := s.Devices.List(ctx)
	if err != nil {
		return Devices{}, err
	}
	if in.StaleSeconds > 0 {
		list = s.Devices.Stale(list, time.Duration(in.StaleSeconds)*time.Second)
	}
	var out Devices
	err = s.Store.View(ctx, func(tx store.Tx) error {
		out = Devices{Devices: []Device{}}
		names := map[core.UserID]string{}
		for _, d := range list {
			shown := s.device(d)
			users, err := tx.DeviceUsers(ctx, d.ID, s.Clock().Add(-30*24*time.Hour))
			if err != nil {
				return err
			}
			if shown.Users, err = usernames(ctx, tx, users, names); err != nil {
				return err
			}
			out.Devices = append(out.Devices, shown)
		}
		return nil
	})
	return out, err
}

// usernames are the names of those whom a device vouched for. known keeps names that were looked up.
func usernames(ctx context.Context, tx store.Tx, users []core.DeviceUser, known map[core.UserID]string) ([]string, error) {
	list := []string{}
	for _, u := range users {
		name, ok := known[u.UserID]
		if !ok {
			person, err := tx.User(ctx, u.UserID)
			if err != nil {
				return nil, err
			}
			name = person.Username
			known[u.UserID] = name
		}
		list = append(list, name)
	}
	return list, nil
}

func (s *Server) deviceShow(ctx context.Context, in DeviceRef) (DeviceDetails, error) {
	d, err := s.Devices.Show(ctx, in.Device)
	if err != nil {
		return DeviceDetails{}, err
	}
	out := DeviceDetails{
		Device: s.device(d.Device), Fingerprint: d.Fingerprint, JoinDomain: d.JoinDomain, JoinRealm: d.JoinRealm, TokenID: d.TokenID, Replaces: d.Replaces,
		Sessions: d.Sessions, Certificates: []DeviceCertificate{},
	}
	for _, c := range d.Certificates {
		out.Certificates = append(out.Certificates, DeviceCertificate{
			Serial: c.Serial, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, RevokedAt: optionalTime(c.RevokedAt), Reason: c.Reason,
		})
	}
	err = s.Store.View(ctx, func(tx store.Tx) (err error) {
		out.Users, err = usernames(ctx, tx, d.Users, map[core.UserID]string{})
		return err
	})
	return out, err
}

func (s *Server) device(d core.Device) Device {
	out := Device{
		ID: d.ID, Hostname: d.Hostname, Group: d.Group, Status: string(d.Status), Platform: d.Platform, Version: d.Version, Address: d.Address,
		LastError: d.LastError, Users: []string{}, CreatedAt: d.CreatedAt, EnrolledAt: optionalTime(d.EnrolledAt), LastSeenAt: optionalTime(d.LastSeenAt),
		RevokedAt: optionalTime(d.RevokedAt),
	}
	if out.Group == "" {
		out.Group = deviceauth.DefaultGroup
	}
	if group, ok := s.Devices.Groups().Get(d.Group); ok {
		out.Role = group.Role
	}
	return out
}
