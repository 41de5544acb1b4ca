package capabilities

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/internal/api"
)

// The postures, by the names that administrators know from the comparison (A1-18, A1-20).
const (
	PostureCompliance    = "authentication compliance"
	PostureCompatibility = "ultimate compatibility"
	PostureNone          = "no second factor"
)

// posture says what the site chose (A1-10): proof with a second factor, or everything that takes a password.
func (f Facts) posture() api.CapabilityPosture {
	open := f.passwordDirectories()
	if !f.offers(api.MethodPrompt) {
		open = nil
	}
	m := f.Microsoft
	switch {
	case m == nil && len(f.Providers) > 0:
		return api.CapabilityPosture{ID: PostureNone, Note: fmt.Sprintf(
			"Whether there is a second factor is up to %s. Platen itself asks for none.", strings.Join(f.Providers, ", "))}
	case m == nil:
		return api.CapabilityPosture{ID: PostureNone, Note: "A password is all that anybody needs. Sign in with Microsoft brings the second factor of your tenant: configure microsoft:."}
	case m.MFA && m.Passwords:
		return api.CapabilityPosture{ID: PostureCompatibility, Note: "microsoft.mfa and microsoft.passwords are both on. " +
			"Entra ID refuses a bare password of everybody whom it asks for a second factor, and whoever it does not ask is let in without: this trades security away. " +
			"Turn microsoft.passwords off for authentication compliance."}
	case !m.MFA:
		note := "microsoft.mfa is off: the tenant asks for no second factor, so that a password works in every place. This trades security away: whoever learns a password is that person, at printers and on pages too. "
		if !m.Passwords {
			note += "Passwords that are typed outside Microsoft's pages are still refused; microsoft.passwords decides that. "
		}
		return api.CapabilityPosture{ID: PostureCompatibility, Note: note + "Turn MFA on in the tenant and set microsoft.mfa: yes for authentication compliance."}
	case len(open) > 0:
		return api.CapabilityPosture{ID: PostureCompatibility, Note: fmt.Sprintf(
			"The tenant asks for a second factor, but people of the directory %s also get in by their password alone, and that trades security away. Take prompt out of sign_in.modes for authentication compliance.",
			strings.Join(open, ", "))}
	}
	return api.CapabilityPosture{ID: PostureCompliance, Note: "People of your tenant prove who they are to Microsoft, with the second factor that the tenant asks for. Platen takes no password of theirs."}
}
