package capabilities

import (
	"strings"

	"github.com/platenprint/platen/internal/api"
)

// The columns' ids.
const (
	SecureLDAP = "O2"    // Entra Domain Services, or another directory over secure LDAP
	EntraMFA   = "O3on"  // Entra ID that asks for a second factor
	EntraPlain = "O3off" // Entra ID that does not
)

// column is one way of having a directory.
type column struct {
	id, title, posture string
}

var columns = [...]column{
	{SecureLDAP, "Entra Domain Services over secure LDAP", ""},
	{EntraMFA, "Entra ID, MFA on", PostureCompliance},
	{EntraPlain, "Entra ID, MFA off", PostureCompatibility},
}

// current is the id of the column that is the site's own, "" when its people come from elsewhere.
func (f Facts) current() string {
	switch {
	case len(f.passwordDirectories()) > 0:
		return SecureLDAP
	case f.Microsoft == nil:
		return ""
	case f.Microsoft.MFA && !f.Microsoft.Passwords:
		return EntraMFA
	}
	return EntraPlain
}

// Compute answers every cell.
func Compute(f Facts) api.Capabilities {
	out := api.Capabilities{Posture: f.posture(), Columns: []api.CapabilityColumn{}, Rows: []api.CapabilityRow{}}
	current := f.current()
	for _, c := range columns {
		out.Columns = append(out.Columns, api.CapabilityColumn{ID: c.id, Title: c.title, Posture: c.posture, Current: c.id == current})
	}
	for _, r := range rows {
		row := api.CapabilityRow{ID: r.id, Feature: r.feature}
		for i, c := range columns {
			a := r.answer(view{f, c.id})
			row.Cells = append(row.Cells, api.CapabilityCell{Answer: a.answer, Way: a.way, Reason: strings.TrimSpace(a.reason), Elsewhere: r.elsewhere[i]})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// view is the server as if its directory were of the column's kind.
type view struct {
	Facts
	column string
}

// cell is what is said about a feature in a column.
type cell struct {
	answer api.CapabilityAnswer
	way    string // api.Method..., "" where nobody signs in
	reason string
}

func yes(way, reason string) cell { return cell{api.CapabilityYes, way, reason} }
func no(reason string) cell       { return cell{api.CapabilityNo, "", reason} }
func notYet(reason string) cell   { return cell{api.CapabilityNotYet, "", reason} }

// with adds a sentence.
func (c cell) with(sentence string) cell {
	if sentence != "" {
		c.reason += " " + sentence
	}
	return c
}
