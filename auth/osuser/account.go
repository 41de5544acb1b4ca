package osuser

import (
	"net"
	"net/netip"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
)

// Account is the OS account of a session. Texts are as the OS gave them; a field that it cannot tell is empty.
type Account struct {
	Raw  string       `json:"raw"` // the login name as the OS gave it: `CORP\alex.test`, "alex.test@corp.example.org"
	Kind usermap.Kind `json:"kind,omitempty"`
	// Domain is the NetBIOS domain, the computer's name, "AzureAD", or the realm of an SSSD name.
	Domain string `json:"domain,omitempty"`
	Name   string `json:"name"` // the short name: sAMAccountName, MailNickName, uid
	// UPN only where the OS itself attests it (Windows: NameUserPrincipal; Linux: Himmelblau).
	UPN string `json:"upn,omitempty"`
	SID string `json:"sid,omitempty"` // Windows
	UID string `json:"uid,omitempty"` // Unix, decimal
	// EntraID is the object id that an Entra SID carries.
	EntraID    string `json:"entra_id,omitempty"`
	Hostname   string `json:"hostname,omitempty"`
	JoinDomain string `json:"join_domain,omitempty"` // NetBIOS name of the domain that the computer is a member of
	JoinRealm  string `json:"join_realm,omitempty"`  // its DNS name
	// DisplayName is the person's full name (GECOS on Unix).
	DisplayName string `json:"display_name,omitempty"`
}

// Facts are the account for usermap.Map, without the computer's addresses (see Addresses).
func (a Account) Facts() usermap.Facts {
	return usermap.Facts{
		Kind: a.Kind, Domain: a.Domain, Name: a.Name, UPN: a.UPN, SID: a.SID,
		Hostname: a.Hostname, JoinDomain: a.JoinDomain, JoinRealm: a.JoinRealm,
	}
}

// Key names the account on this computer for good: the SID on Windows, the UID elsewhere. Renames do not change it.
func (a Account) Key() string {
	if a.SID != "" {
		return a.SID
	}
	return "uid:" + a.UID
}

// withSID notes the SID and what it alone tells.
func (a Account) withSID(sid string) Account {
	a.SID = sid
	if id, ok := auth.EntraObjectID(sid); ok {
		a.EntraID, a.Kind = id, usermap.KindAzureAD
	}
	return a
}

// Parse takes a login name apart by the customs of an operating system (a runtime.GOOS value). host is the computer's
// name: as a domain it means a local account. A name without a domain has the kind usermap.KindUnknown, for the name
// alone does not tell where it comes from. Parse never fails; what it cannot take apart is the name.
//
//	windows  DOMAIN\name, COMPUTER\name, .\name, AzureAD\name, MicrosoftAccount\address
//	linux    name, DOMAIN\name and DOMAIN+name (winbind), name@realm (SSSD)
//	darwin   name, DOMAIN\name, name@realm
func Parse(raw, host, goos string) Account {
	a := Account{Raw: raw, Name: strings.TrimSpace(raw), Hostname: host}
	a.Domain, a.Name = split(a.Name, goos)
	a.Kind = kindOf(a.Domain, host)
	return a
}

// split takes the domain off a name.
func split(name, goos string) (domain, short string) {
	if d, n, ok := strings.Cut(name, `\`); ok && d != "" && n != "" {
		return d, n
	}
	if goos == "windows" {
		return "", name
	}
	// SSSD's full name is name@domain; the name itself may be an address, so the last @ counts.
	if i := strings.LastIndexByte(name, '@'); i > 0 && i < len(name)-1 {
		return name[i+1:], name[:i]
	}
	if d, n, ok := strings.Cut(name, "+"); ok && goos == "linux" && d != "" && n != "" {
		return d, n
	}
	return "", name
}

// kindOf tells the kind from the domain alone. usermap knows the customs (NetBIOS names are cut to 15 bytes).
func kindOf(domain, host string) usermap.Kind {
	switch {
	case domain == "":
		return usermap.KindUnknown
	case domain == ".", auth.Same(domain, "MicrosoftAccount"), usermap.IsComputer(domain, host):
		return usermap.KindLocal
	case auth.Same(domain, "AzureAD"):
		return usermap.KindAzureAD
	}
	return usermap.KindDomain
}

// Addresses returns the computer's own addresses for rules by subnet, without loopback and link-local ones; none when
// the system does not tell.
func Addresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var found []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().IsGlobalUnicast() {
			found = append(found, prefix.Addr().Unmap())
		}
	}
	return found
}
