package agent

import (
	"context"
	"log/slog"

	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine"
)

// Device is what the handler needs of printqueue/machine.
type Device interface {
	Status() ipc.Status
	Assert(ctx context.Context, who machine.Person, challenge string) (api.TrustCode, error)
}

// handler answers the users of this computer.
type handler struct {
	device  Device
	account func(ctx context.Context, id string) (osuser.Account, error) // osuser.Of
	session func(pid int) string                                         // sessionOf
	logger  *slog.Logger
}

// Status is the same for everybody.
func (h *handler) Status(context.Context, ipc.Peer) ipc.Status { return h.device.Status() }

// Assert vouches for the peer.
func (h *handler) Assert(ctx context.Context, peer ipc.Peer, challenge string) (api.TrustCode, error) {
	id := peer.SID
	if id == "" {
		id = peer.UID
	}
	account, err := h.account(ctx, id)
	if err != nil {
		h.logger.WarnContext(ctx, "a user whom no directory knows asks to be vouched for", "id", id, "error", err)
		return api.TrustCode{}, ipc.Fail(ipc.CodeRefused, "no directory of this computer knows the account of "+id, err)
	}
	who := machine.Person{Account: account, Session: peer.Session}
	if who.Session == "" && peer.PID > 0 {
		who.Session = h.session(peer.PID)
	}
	code, err := h.device.Assert(ctx, who, challenge)
	if err != nil {
		h.logger.InfoContext(ctx, "not vouched for", "id", id, "account", account.Raw, "session", who.Session, "code", string(ipc.CodeOf(err)), "error", err)
		return api.TrustCode{}, err
	}
	h.logger.InfoContext(ctx, "vouched for", "id", id, "account", account.Raw, "session", who.Session)
	return code, nil
}
