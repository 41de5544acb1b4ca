package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Web keeps what the pages need: roles, passkeys, and what browsers have begun.
type Web interface {
	// PutRole grants; a role that the person has already stays as it was granted.
	PutRole(ctx context.Context, g core.RoleGrant) error
	DeleteRole(ctx context.Context, user core.UserID, role core.Role) error
	// UserRoles returns a person's grants in the order of the roles' names, also those of people who may not sign in.
	UserRoles(ctx context.Context, user core.UserID) ([]core.RoleGrant, error)
	// RoleGrants returns all grants in the order of role and person.
	RoleGrants(ctx context.Context) ([]core.RoleGrant, error)

	// CreatePasskey returns core.ErrConflict for an id that is there, whosever it is.
	CreatePasskey(ctx context.Context, p core.Passkey) error
	Passkey(ctx context.Context, id string) (core.Passkey, error)
	// UpdatePasskey stores Name, Credential and LastUsedAt.
	UpdatePasskey(ctx context.Context, p core.Passkey) error
	// UserPasskeys returns a person's passkeys, oldest first.
	UserPasskeys(ctx context.Context, user core.UserID) ([]core.Passkey, error)
	DeletePasskey(ctx context.Context, user core.UserID, id string) error

	CreateFlow(ctx context.Context, f core.Flow) error
	// TakeFlow removes the flow and returns it: of two who take it one gets core.ErrNotFound. Its time is not looked at.
	TakeFlow(ctx context.Context, hash [32]byte) (core.Flow, error)
	// DeleteFlowsBefore forgets flows whose time was over before t.
	DeleteFlowsBefore(ctx context.Context, t time.Time) (int, error)
}
