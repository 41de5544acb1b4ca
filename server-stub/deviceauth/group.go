package deviceauth

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
)

// The roles of devices.
const (
	RolePersonal = "personal" // somebody's own
	RoleShared   = "shared"   // many people use it
)

// DefaultGroup is the group of devices that were given none. It may be configured like any other.
const DefaultGroup = "default"

// How many different people a device may vouch for within 24 hours, where the group says nothing.
const (
	personalUsers = 5
	sharedUsers   = 200
	mostUsers     = 100_000
)

// Group is what the configuration says of some devices: an entry of device_groups.
type Group struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"` // RolePersonal or RoleShared
	// AuthModes are the ways of signing in on these machines (api.Method...), best first; empty: the server's.
	AuthModes []string `yaml:"auth_modes"`
	// Domains are those whose people may be vouched for: NetBIOS names, or the part behind the @ of their names. Empty: all.
	Domains []string `yaml:"domains"`
	// Users are the people who may be vouched for, by a full name of theirs. Empty: all.
	Users []string `yaml:"users"`
	// UsersPerDay is how many different people one device may vouch for within 24 hours.
	UsersPerDay int `yaml:"users_per_day"`
	// LocalAccounts are accounts of the machine itself that may be vouched for, and whose each is. Empty: none.
	LocalAccounts map[string]string `yaml:"local_accounts"`
	// Networks are where the machines are. Empty: anywhere.
	Networks []netip.Prefix `yaml:"networks"`
}

// Groups are all of them.
type Groups struct{ list []Group }

// ParseGroups reads the list device_groups of a configuration file; node may be nil. Errors name the file and the line, and are
// core.ErrInvalid.
func ParseGroups(node *yaml.Node, file string) (Groups, error) {
	var g Groups
	if node != nil {
		for _, entry := range node.Content {
			group, err := parseGroup(entry)
			if err == nil && slices.ContainsFunc(g.list, func(other Group) bool { return auth.Same(other.Name, group.Name) }) {
				err = fmt.Errorf("there is a group %q already", group.Name)
			}
			if err != nil {
				return Groups{}, fmt.Errorf("%s:%d: device_groups, the entry that begins here: %w: %w", file, entry.Line, core.ErrInvalid, err)
			}
			g.list = append(g.list, group)
		}
	}
	if _, ok := g.Get(DefaultGroup); !ok {
		group := Group{Name: DefaultGroup}
		if err := group.complete(); err != nil {
			return Groups{}, err
		}
		g.list = append(g.list, group)
	}
	return g, nil
}

// Get returns the group of that name; "" is the default one.
func (g Groups) Get(name string) (Group, bool) {
	if name == "" {
		name = DefaultGroup
	}
	i := slices.IndexFunc(g.list, func(group Group) bool { return group.Name == name })
	if i < 0 {
		return Group{}, false
	}
	return g.list[i], true
}

// Names lists the groups in the order of the configuration.
func (g Groups) Names() []string {
	names := make([]string, len(g.list))
	for i, group := range g.list {
		names[i] = group.Name
	}
	return names
}

func parseGroup(node *yaml.Node) (Group, error) {
	// Decoding a node does not refuse unknown keys; decoding a text does.
	text, err := yaml.Marshal(node)
	if err != nil {
		return Group{}, err
	}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	var g Group
	if err := dec.Decode(&g); err != nil {
		return Group{}, err
	}
	return g, g.complete()
}

// complete checks the group and fills in the defaults.
func (g *Group) complete() error {
	if g.Name == "" || len(g.Name) > 64 || strings.Trim(g.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return fmt.Errorf("name: %q: write letters, digits, - and _", g.Name)
	}
	switch {
	case g.Role == "":
		g.Role = RolePersonal
	case g.Role != RolePersonal && g.Role != RoleShared:
		return fmt.Errorf("role: %q: write personal or shared", g.Role)
	}
	for _, mode := range g.AuthModes {
		if !slices.Contains([]string{api.MethodTrust, api.MethodMicrosoft, api.MethodBrowser, api.MethodPrompt}, mode) {
			return fmt.Errorf("auth_modes: %q: write trust, microsoft, browser or prompt", mode)
		}
	}
	switch {
	case g.UsersPerDay < 0 || g.UsersPerDay > mostUsers:
		return fmt.Errorf("users_per_day: %d: write how many people, up to %d", g.UsersPerDay, mostUsers)
	case g.UsersPerDay == 0 && g.Role == RoleShared:
		g.UsersPerDay = sharedUsers
	case g.UsersPerDay == 0:
		g.UsersPerDay = personalUsers
	}
	for _, name := range slices.Concat(g.Domains, g.Users) {
		if _, err := auth.Canon(name); err != nil {
			return fmt.Errorf("%q cannot be a name: %w", name, err)
		}
	}
	for account, person := range g.LocalAccounts {
		if _, err := auth.Canon(account); err != nil || !strings.Contains(person, "@") {
			return fmt.Errorf("local_accounts: %s: %s: write ACCOUNT: NAME@DOMAIN, the person's own full name", account, person)
		}
	}
	return nil
}

// from tells whether a machine of the group may be at that address.
func (g Group) from(addr netip.Addr) bool { return within(g.Networks, addr) }

// within tells whether the address is in one of the networks, or there are none.
func within(networks []netip.Prefix, addr netip.Addr) bool {
	return len(networks) == 0 || slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// parseNetworks reads prefixes or addresses separated by commas.
func parseNetworks(text string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			addr, err := netip.ParseAddr(part)
			if err != nil {
				return nil, fmt.Errorf("%w: %q: write a network such as 10.20.0.0/16", core.ErrInvalid, part)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		list = append(list, p.Masked())
	}
	return list, nil
}
