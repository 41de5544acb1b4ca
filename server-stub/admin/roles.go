package admin

import (
	"context"

	"github.com/platenprint/platen/server-stub/core"
)

// VerbUserRole shows, grants and takes roles.
const VerbUserRole = "user.role"

// UserRole asks for the roles of a person, or of everybody when User is "", after granting or taking some.
type UserRole struct {
	User   string   `json:"user,omitempty"`
	Grant  []string `json:"grant,omitempty"`
	Revoke []string `json:"revoke,omitempty"`
}

// UserRoles are people with roles.
type UserRoles struct {
	Users []RolesOf `json:"users"`
}

// RolesOf are the roles of one person.
type RolesOf struct {
	ID       int64    `json:"id"`
	Username string   `json:"username"`
	Roles    []string `json:"roles"`
}

func (s *Server) userRole(ctx context.Context, in UserRole) (UserRoles, error) {
	if in.User == "" {
		return s.allRoles(ctx)
	}
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return UserRoles{}, err
	}
	var grant, revoke []core.Role
	for _, list := range []struct {
		texts []string
		roles *[]core.Role
	}{{in.Grant, &grant}, {in.Revoke, &revoke}} {
		for _, text := range list.texts {
			role, err := core.ParseRole(text)
			if err != nil {
				return UserRoles{}, err
			}
			*list.roles = append(*list.roles, role)
		}
	}
	for _, role := range grant {
		if err := s.Roles.Grant(ctx, actor, u.ID, role); err != nil {
			return UserRoles{}, err
		}
	}
	for _, role := range revoke {
		if err := s.Roles.Revoke(ctx, actor, u.ID, role); err != nil {
			return UserRoles{}, err
		}
	}
	all, err := s.allRoles(ctx)
	if err != nil {
		return UserRoles{}, err
	}
	for _, r := range all.Users {
		if r.ID == int64(u.ID) {
			return UserRoles{Users: []RolesOf{r}}, nil
		}
	}
	return UserRoles{Users: []RolesOf{{ID: int64(u.ID), Username: u.Username, Roles: []string{}}}}, nil
}

// allRoles returns everybody who has a role, the mightiest first.
func (s *Server) allRoles(ctx context.Context) (UserRoles, error) {
	grants, err := s.Roles.List(ctx)
	if err != nil {
		return UserRoles{}, err
	}
	out := UserRoles{Users: []RolesOf{}}
	at := map[core.UserID]int{}
	for _, role := range core.Roles() {
		for _, g := range grants {
			if g.Role != role {
				continue
			}
			i, known := at[g.UserID]
			if !known {
				d, err := s.Users.Show(ctx, g.UserID)
				if err != nil {
					return UserRoles{}, err
				}
				i = len(out.Users)
				at[g.UserID] = i
				out.Users = append(out.Users, RolesOf{ID: int64(g.UserID), Username: d.User.Username})
			}
			out.Users[i].Roles = append(out.Users[i].Roles, string(role))
		}
	}
	return out, nil
}
