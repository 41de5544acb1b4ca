package ldap

import (
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// equal is the filter (attribute=value) with the value escaped. Filters with values are made here only (R-LDAP-1).
func equal(attribute, value string) string {
	return "(" + attribute + "=" + goldap.EscapeFilter(value) + ")"
}

// both is the filter of entries that all the given filters match.
func both(filters ...string) string { return "(&" + strings.Join(filters, "") + ")" }
