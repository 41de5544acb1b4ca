package entra

import (
	"slices"
	"strings"
)

// graphID is the app id of Microsoft Graph, which tokens are for when no other resource is asked for.
const graphID = "00000003-0000-0000-c000-000000000000"

// asked is a scope parameter, understood.
type asked struct {
	openID, profile, email, offline bool
	resource                        App // whom the access token is for
	scopes                          []string
	appOnly                         bool // RESOURCE/.default
}

// text is the scope that the answer names: the resource's scopes in full.
func (a asked) text() string {
	var all []string
	for _, s := range a.scopes {
		if a.resource.IdentifierURI != "" {
			s = a.resource.IdentifierURI + "/" + s
		}
		all = append(all, s)
	}
	for name, on := range map[string]bool{"openid": a.openID, "profile": a.profile, "email": a.email} {
		if on && a.resource.ID == graphID {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// parseScope reads a scope parameter: the OpenID scopes, and scopes of one resource.
func (c *Config) parseScope(text string) (asked, *failure) {
	a := asked{resource: App{ID: graphID, Name: "Microsoft Graph", AccessTokenVersion: 1}}
	for _, scope := range strings.Fields(text) {
		switch scope {
		case "openid":
			a.openID = true
		case "profile":
			a.profile = true
		case "email":
			a.email = true
		case "offline_access":
			a.offline = true
		default:
			if f := a.add(c, scope); f != nil {
				return a, f
			}
		}
	}
	if !a.openID && !a.profile && !a.email && !a.offline && len(a.scopes) == 0 {
		return a, failf(900144, "The request body must contain the following parameter: 'scope'.")
	}
	return a, nil
}

// add takes one scope of a resource: api://ID/name, ID/name, a name of Graph's, or any of these with .default.
func (a *asked) add(c *Config, scope string) *failure {
	at := strings.LastIndex(scope, "/")
	resource, name := "", scope
	if at >= 0 {
		resource, name = strings.TrimSuffix(scope[:at], "/"), scope[at+1:]
	}
	next := a.resource
	switch resource {
	case "", "https://graph.microsoft.com", graphID:
		next = App{ID: graphID, Name: "Microsoft Graph", AccessTokenVersion: 1, Scopes: []string{name}}
	default:
		i := slices.IndexFunc(c.Apps, func(app App) bool {
			return strings.EqualFold(app.ID, resource) || app.IdentifierURI != "" && strings.EqualFold(app.IdentifierURI, resource)
		})
		if i < 0 {
			return failf(500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", printable(resource), c.Name)
		}
		next = c.Apps[i]
	}
	if len(a.scopes) > 0 && a.resource.ID != next.ID {
		return failf(70011, "The provided value for the input parameter 'scope' is not valid. The scope is for more than one resource.")
	}
	a.resource = next
	switch {
	case name == ".default":
		a.appOnly, a.scopes = true, next.Scopes
	case slices.Contains(next.Scopes, name):
		a.scopes = append(a.scopes, name)
	default:
		return failf(650053, "The application asked for scope '%s' that doesn't exist on the resource '%s'. Contact the app vendor.", printable(name), next.ID)
	}
	return nil
}
