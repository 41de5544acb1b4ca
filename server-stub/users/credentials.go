package users

import (
	"context"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Credentials keeps what people identify with at devices. server-stub/credentials implements it.
type Credentials interface {
	// Generate gives somebody who was added in this transaction a code, where everybody has one, and welcomes them. It returns the code
	// as people write it, empty for none.
	Generate(ctx context.Context, tx store.Tx, u core.User) (secret.String, error)
	// Give keeps what is given to people, and answers in the same order. With tell people hear of new codes, and are welcomed, where there
	// is mail.
	Give(ctx context.Context, tx store.Tx, gifts []Gift, tell bool) ([]Given, error)
}

// Gift is what an import brings for one person, who exists. Kinds that are not in Kinds are not looked at.
type Gift struct {
	User  core.User
	Fresh bool     // the person was made in this transaction: they get a code, and are welcomed
	Facts []string // other names of the person: a code like one of them is weak
	Kinds []core.CredentialKind
	Cards []secret.String
	Code  secret.String
	PIN   secret.String
}

// Given is what became of a gift.
type Given struct {
	Fields   []string // "cards", "code", "pin": what changed
	Weak     []string // codes that were taken although they are weak, with the reason
	Problems []string // what was not taken and why, without the secrets
}
