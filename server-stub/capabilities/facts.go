package capabilities

import "slices"

// Facts is what the table is computed from.
type Facts struct {
	Directories []Directory
	// Modes are the ways of signing in (api.Method...) that the server offers.
	Modes     []string
	Microsoft *Microsoft // nil when nobody signs in with Microsoft
	Providers []string   // the names of the other identity providers
	// DeviceListener tells whether computers can be enrolled; Devices is how many are.
	DeviceListener bool
	Devices        int
	// AdminPages tells whether there are pages for administrators; Owner whether somebody owns the server, who may enter them.
	AdminPages bool
	Owner      bool
}

// Directory is a place where people come from.
type Directory struct {
	ID   string
	Kind Kind
	// Cards tells whether it says which cards people have; Direct whether members of groups within its groups are left out.
	Cards  bool
	Direct bool
}

// Kind says what a directory is.
type Kind string

// The kinds.
const (
	KindCSV  Kind = "csv"  // a file; it checks no passwords
	KindLDAP Kind = "ldap" // Active Directory, Entra Domain Services or OpenLDAP, over TLS; it checks passwords

	KindEntra  Kind = "entra"  // Entra ID, read over Graph
	KindSCIM   Kind = "scim"   // Entra ID or another one, which sends its changes by itself
	KindGoogle Kind = "google" // Google Workspace
)

// Microsoft is the tenant that people sign in with.
type Microsoft struct {
	MFA       bool // the tenant asks for a second factor
	Passwords bool // the server has Entra ID check passwords that people type elsewhere
	Web       bool // pages can send people there
	Create    bool // whoever is proven and has no account gets one
	Match     bool // whoever is proven is found by the UPN the first time
	Listed    bool // a directory here lists the tenant's people (microsoft.source)
}

// of are the directories that a column is about, of those that are configured.
func (v view) of() (list []Directory) {
	for _, d := range v.Directories {
		if v.column == SecureLDAP && d.Kind == KindLDAP || v.column != SecureLDAP && (d.Kind == KindEntra || d.Kind == KindSCIM) {
			list = append(list, d)
		}
	}
	return list
}

func (f Facts) offers(method string) bool { return slices.Contains(f.Modes, method) }

// passwordDirectories are the ids of those that check passwords.
func (f Facts) passwordDirectories() []string {
	var ids []string
	for _, d := range f.Directories {
		if d.Kind == KindLDAP {
			ids = append(ids, d.ID)
		}
	}
	return ids
}
