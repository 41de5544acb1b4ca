package core

import (
	"fmt"
	"slices"
	"time"
)

// Role is what a person may do beyond their own affairs. Somebody without one may do nothing beyond them.
type Role string

// The roles.
const (
	RoleOwner    Role = "owner"    // everything, roles included
	RoleAdmin    Role = "admin"    // everything but roles
	RoleHelpdesk Role = "helpdesk" // looks after people
	RoleAuditor  Role = "auditor"  // reads, changes nothing, sees no secret
)

// Roles are all there are, the mightiest first.
func Roles() []Role { return []Role{RoleOwner, RoleAdmin, RoleHelpdesk, RoleAuditor} }

// ParseRole reads a role as an administrator writes it. Errors: ErrInvalid.
func ParseRole(text string) (Role, error) {
	if slices.Contains(Roles(), Role(text)) {
		return Role(text), nil
	}
	return "", fmt.Errorf("%w: there is no role %q; write owner, admin, helpdesk or auditor", ErrInvalid, text)
}

// RoleGrant says that a person has a role.
type RoleGrant struct {
	UserID    UserID
	Role      Role
	GrantedBy string // an actor, see AuditEvent
	GrantedAt time.Time
}
