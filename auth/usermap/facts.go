package usermap

import (
	"net/netip"
	"strings"

	"github.com/platenprint/platen/auth"
)

// Kind says which authority answers for an OS account.
type Kind string

// The kinds of OS accounts.
const (
	KindUnknown Kind = ""        // not known; never followed silently
	KindLocal   Kind = "local"   // this computer only, Microsoft consumer accounts included
	KindDomain  Kind = "domain"  // a directory: Active Directory domain, SSSD, winbind
	KindAzureAD Kind = "azuread" // Microsoft Entra ID, on a computer joined to it
	KindJob     Kind = "job"     // no account: the owner's name in a print job, which a print provider vouches for
)

// Facts is what is known about an OS account. Every field may be empty; texts are as the OS gave them.
type Facts struct {
	Kind Kind `json:"kind,omitempty"`
	// Domain is the part before the backslash (a NetBIOS domain, a computer's name, "AzureAD") or the realm behind the @
	// of an SSSD name. Empty for unqualified names.
	Domain string `json:"domain,omitempty"`
	// Name is the short name. It has an @ only where the OS uses an address as the short name.
	Name string `json:"name,omitempty"`
	// UPN only where the OS itself attests it, never put together from other fields.
	UPN string `json:"upn,omitempty"`
	// SID is the Windows security identifier, empty elsewhere.
	SID string `json:"sid,omitempty"`
	// Hostname is the computer's name, with or without its DNS domain.
	Hostname string `json:"hostname,omitempty"`
	// JoinDomain is the NetBIOS name, JoinRealm the DNS name of the domain that the computer is a member of.
	JoinDomain string `json:"join_domain,omitempty"`
	JoinRealm  string `json:"join_realm,omitempty"`
	// Addresses are the computer's own, for rules by subnet.
	Addresses []netip.Addr `json:"addresses,omitempty"`
}

// standing is how the account's domain relates to the computer.
type standing int

const (
	foreign     standing = iota // a domain that is not the computer's
	own                         // the domain that the computer is joined to
	unqualified                 // no domain was given
	local                       // the computer itself
	entra                       // Microsoft Entra ID
	consumer                    // a Microsoft consumer account
	nobody                      // a service, the system, a computer
)

func (f Facts) standing() standing {
	switch domain := fold(f.Domain); {
	case f.isNobody():
		return nobody
	case domain == "microsoftaccount":
		return consumer
	case f.Kind == KindLocal, domain == ".", domain == "localhost", IsComputer(f.Domain, f.Hostname):
		return local
	case f.Kind == KindAzureAD, domain == "azuread", isEntraSID(f.SID):
		return entra
	case f.Domain == "":
		return unqualified
	case domain == "":
		return foreign // a domain that cannot be one is not ours
	case domain == fold(f.JoinDomain), domain == fold(f.JoinRealm):
		return own
	}
	return foreign
}

// netBIOSLength is how many bytes of a computer's name Windows keeps as its NetBIOS name, which is what it writes as
// the domain of local accounts.
const netBIOSLength = 15

// IsComputer tells whether domain, as the OS wrote it before the backslash, is the computer's own name.
func IsComputer(domain, hostname string) bool {
	domain, host := fold(domain), fold(hostname)
	if host == "" || domain == "" {
		return false
	}
	short, _, _ := strings.Cut(host, ".")
	return domain == host || domain == short || len(short) > netBIOSLength && domain == short[:netBIOSLength]
}

// nobodySIDs begin the SIDs behind which no person sits: the system, services, virtual machines, window managers.
// Their domains have other names in other languages ("AUTORITE NT"), their SIDs have not
// (learn.microsoft.com, "Well-known SIDs").
func nobodySIDs() []string {
	return []string{"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-7", "S-1-5-80-", "S-1-5-82-", "S-1-5-83-", "S-1-5-90-", "S-1-5-96-"}
}

func (f Facts) isNobody() bool {
	sid := strings.ToUpper(strings.TrimSpace(f.SID))
	for _, prefix := range nobodySIDs() {
		if sid == prefix || strings.HasSuffix(prefix, "-") && strings.HasPrefix(sid, prefix) {
			return true
		}
	}
	switch fold(f.Domain) {
	case "nt authority", "nt service", "iis apppool", "window manager", "font driver host", "nt virtual machine", "builtin":
		return true
	}
	return strings.HasSuffix(strings.TrimSpace(f.Name), "$") // a computer's own account
}

func isEntraSID(sid string) bool {
	_, ok := auth.EntraObjectID(strings.TrimSpace(sid))
	return ok
}

// answeredByID tells whether the SID alone says who it is. The form S-1-5-21 is shared by domains and computers, so it
// counts only where the OS says that the account is a domain's.
func (f Facts) answeredByID() bool {
	switch f.standing() {
	case own, foreign, unqualified:
		return f.Kind == KindDomain && auth.DomainSID(strings.TrimSpace(f.SID))
	case entra:
		return isEntraSID(f.SID)
	case local, consumer, nobody:
	}
	return false
}

// fold is Canon for comparing domains: "" for what is none.
func fold(domain string) string {
	if domain == "" {
		return "" // most often: without the error that says so
	}
	folded, err := auth.Canon(strings.TrimRight(strings.TrimSpace(domain), "."))
	if err != nil {
		if strings.TrimSpace(domain) == "." {
			return "."
		}
		return ""
	}
	return string(folded)
}
