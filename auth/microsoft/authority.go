package microsoft

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// clouds are the hosts of Entra ID: the public cloud, the one of the US government and the one in China, whose second
// name is its older one.
var clouds = []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}

// KnownAuthority tells whether an authority is a tenant of one of Microsoft's clouds, such as
// https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555. People may be sent there with their password
// whoever has named it; anywhere else only machine policy sends them.
func KnownAuthority(authority string) bool {
	u, err := parseAuthority(authority)
	return err == nil && slices.Contains(clouds, u.Host)
}

// parseAuthority reads an authority: https, a host, and a tenant as the path.
func parseAuthority(authority string) (*url.URL, error) {
	u, err := url.Parse(authority)
	if err != nil {
		return nil, fmt.Errorf("it is no address: %w", err)
	}
	tenant := strings.Trim(u.Path, "/")
	switch {
	case u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "":
		return nil, fmt.Errorf("it must be https://HOST/TENANT")
	case tenant == "" || strings.Contains(tenant, "/"):
		return nil, fmt.Errorf("it must name one tenant: https://HOST/TENANT")
	case slices.Contains([]string{"adfs", "dstsv2", "consumers"}, strings.ToLower(tenant)): // which MSAL takes for another product
		return nil, fmt.Errorf("%s is no tenant of Entra ID", tenant)
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// ownScope tells whether a scope is one of an API that somebody registered, api://APPLICATION/NAME. The server names the client id
// and the scope, and is given the token: one that was broken into could otherwise name Microsoft's own clients and APIs (Graph,
// Azure), and get tokens that are good for people's mail and files.
func ownScope(scope string) bool {
	rest, ok := strings.CutPrefix(scope, "api://")
	i := strings.LastIndexByte(rest, '/')
	return ok && i > 0 && i < len(rest)-1 && !strings.HasPrefix(rest, "/") && !strings.ContainsAny(rest, "?#%\\@")
}

// mayOpen tells whether the browser may be sent to an address that the authority's configuration names.
func mayOpen(authority, address *url.URL) bool {
	return address.Scheme == "https" && address.User == nil && (strings.EqualFold(address.Host, authority.Host) || slices.Contains(clouds, address.Host))
}
