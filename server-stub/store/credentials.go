package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Credentials keeps cards, access codes and PINs. A value (kind and lookup) is in force once at most, whosever it is.
type Credentials interface {
	// CreateCredential stores c under a new id; core.ErrConflict, which leaves the transaction usable, when its value is in force.
	CreateCredential(ctx context.Context, c core.Credential) (int64, error)
	// UpdateCredential stores Sealed, PHC, Weak, WithPIN and Place.
	UpdateCredential(ctx context.Context, c core.Credential) error
	// EndCredentials ends those that are in force; others are let pass.
	EndCredentials(ctx context.Context, at time.Time, why string, ids ...int64) error
	// ReviveCredential puts an ended one in force again. core.ErrNotFound when it is not ended, or its value is in force elsewhere.
	ReviveCredential(ctx context.Context, id int64) error
	// UserCredentials returns a person's, in force and ended, oldest first.
	UserCredentials(ctx context.Context, user core.UserID) ([]core.Credential, error)
	// CredentialsOf hands out those in force of many people, each person's in the order of kind, place and id. yield must not use
	// the transaction.
	CredentialsOf(ctx context.Context, users []core.UserID, yield func(core.Credential)) error
	// CredentialsByLookup hands out all with these values, in force and ended. yield must not use the transaction.
	CredentialsByLookup(ctx context.Context, kind core.CredentialKind, lookups [][32]byte, yield func(core.Credential)) error
	// FindCredential returns the one in force with this value.
	FindCredential(ctx context.Context, kind core.CredentialKind, lookup [32]byte) (core.Credential, error)
	// ListCredentials returns those of a kind that are in force, in the order of their ids, after the given one.
	ListCredentials(ctx context.Context, kind core.CredentialKind, after int64, limit int) ([]core.Credential, error)
	// UnhashedPINs returns PINs in force that wait to be hashed.
	UnhashedPINs(ctx context.Context, limit int) ([]core.Credential, error)
	// WithoutCode returns people who are neither deleted nor erased and have no code in force, in the order of their ids.
	WithoutCode(ctx context.Context, after core.UserID, limit int) ([]core.UserID, error)
	// EraseCredentials removes a person's cards and PINs. Codes are ended and lose what they held; their lookups stay, so that nobody
	// gets one of them soon.
	EraseCredentials(ctx context.Context, user core.UserID, at time.Time) error
	// DeleteCredentialsBefore forgets codes that ended before the one time, cards and PINs that ended before the other, and then also
	// what ended codes held.
	DeleteCredentialsBefore(ctx context.Context, codes, others time.Time) (int, error)
}
