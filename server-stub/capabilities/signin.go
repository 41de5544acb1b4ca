package capabilities

import (
	"fmt"

	"github.com/platenprint/platen/internal/api"
)

// What an administrator does about a cell that says no.
const (
	configureMicrosoft = "Configure microsoft: with tenant, client_id and api_client_id; `platen-server entra setup` makes the registrations."
	offerMicrosoft     = "Put microsoft into sign_in.modes."
	configureWeb       = "Give microsoft: a web_client_secret_file, the client secret of the API's registration."
	offerPrompt        = "Put prompt into sign_in.modes."
)

// clientByPassword is A2-08: account and password, typed for the client.
func clientByPassword(v view) cell {
	return v.typed("Platen's window asks for account and password").with(v.enrolled())
}

// clientByMicrosoft is A2-09.
func clientByMicrosoft(v view) cell { return v.microsoft().with(v.enrolled()) }

const oneSession = "There is one client: this session is the one for print queues too. The queues themselves are not delivered yet."

// queuesByPassword is A2-12: there is no second client to sign in to, so it is A2-08.
func queuesByPassword(v view) cell {
	c := clientByPassword(v)
	if c.answer == api.CapabilityYes {
		c = c.with(oneSession)
	}
	return c
}

// queuesByMicrosoft is A2-13, and A2-09 in the same way.
func queuesByMicrosoft(v view) cell {
	c := clientByMicrosoft(v)
	if c.answer == api.CapabilityYes {
		c = c.with(oneSession)
	}
	return c
}

// pagesByPassword is A2-05.
func pagesByPassword(v view) cell {
	switch {
	case v.checksPasswords():
		return yes(api.MethodPrompt, "The sign-in page asks for account and password. "+v.checker()).with(v.pages())
	case v.Microsoft != nil && v.Microsoft.Web:
		return yes(api.MethodBrowser, "The sign-in page sends people to Microsoft's own, which takes account and password"+v.andSecondFactor()+".").with(v.unknown()).with(v.pages())
	}
	return v.missingPassword(configureWeb)
}

// pagesByMicrosoft is A2-06.
func pagesByMicrosoft(v view) cell {
	switch {
	case v.Microsoft == nil:
		return no(configureMicrosoft + " " + configureWeb)
	case !v.Microsoft.Web:
		return no(configureWeb)
	case v.nobody():
		return no(nobodyFits)
	}
	return yes(api.MethodBrowser, "The sign-in page has Sign in with Microsoft, whichever directory the people come from.").with(v.unknown()).with(v.pages())
}

// typed is a password that is typed for the client.
func (v view) typed(asks string) cell {
	if v.checksPasswords() {
		return yes(api.MethodPrompt, asks+". "+v.checker())
	}
	if c := v.microsoft(); c.answer == api.CapabilityYes {
		c.reason = "Platen's window opens the system browser; account and password are typed on Microsoft's own page there" + v.andSecondFactor() + "."
		return c.with(v.unknown())
	}
	return v.missingPassword(offerMicrosoft)
}

// checksPasswords tells whether a password that people type for Platen can be checked.
func (v view) checksPasswords() bool {
	switch v.column {
	case SecureLDAP:
		return v.offers(api.MethodPrompt)
	case EntraPlain:
		return v.offers(api.MethodPrompt) && v.Microsoft != nil && v.Microsoft.Passwords
	}
	return false // Entra ID takes no bare password of whoever it asks for a second factor
}

func (v view) checker() string {
	if v.column == SecureLDAP {
		return "The directory checks them, over TLS."
	}
	const checked = "Entra ID checks them (microsoft.passwords). No second factor stands behind the password: this trades security away."
	if !v.Microsoft.Listed {
		return checked + " Whoever comes for the first time comes by Microsoft's page, as no directory here lists the tenant's people (microsoft.source)."
	}
	return checked
}

func (v view) andSecondFactor() string {
	if v.column == EntraMFA {
		return ", followed by the second factor"
	}
	return ""
}

// missingPassword says what to do where no password can be typed. otherwise is how Microsoft's page can be reached when
// Microsoft is configured.
func (v view) missingPassword(otherwise string) cell {
	switch {
	case v.column == SecureLDAP:
		return no("Passwords are not asked for here. " + offerPrompt)
	case v.nobody():
		return no(nobodyFits)
	case v.column == EntraMFA && v.Microsoft == nil:
		return no("With MFA on, Entra ID takes a password on its own page only. " + configureMicrosoft)
	case v.column == EntraMFA:
		return no("With MFA on, Entra ID takes a password on its own page only. " + otherwise)
	case v.Microsoft == nil:
		return no(configureMicrosoft + " With passwords: yes in it Entra ID also checks those that people type for Platen.")
	case !v.Microsoft.Passwords:
		return no(otherwise + " Or set microsoft.passwords: yes, which trades security away.")
	}
	return no(offerPrompt)
}

// microsoft is Sign in with Microsoft in the client.
func (v view) microsoft() cell {
	m := v.Microsoft
	switch {
	case m == nil:
		return no(configureMicrosoft)
	case v.nobody():
		return no(nobodyFits)
	case v.offers(api.MethodMicrosoft):
		return yes(api.MethodMicrosoft, "Platen's window has Sign in with Microsoft: the system browser opens once, the server verifies what it brings"+v.whoever()+".").with(v.unknown())
	case v.offers(api.MethodBrowser) && m.Web:
		return yes(api.MethodBrowser, "Platen's window opens the server's sign-in page in the system browser, which has Sign in with Microsoft"+v.whoever()+".").with(v.unknown())
	}
	return no(offerMicrosoft)
}

func (v view) whoever() string {
	if v.column == SecureLDAP {
		return "; the directory that lists the people does not matter"
	}
	return ""
}

const nobodyFits = "Nobody who signs in with Microsoft could be found: microsoft.match is none and microsoft.create is off. Set match: upn, or create: yes."

// nobody tells whether Microsoft's proof leads to no account. Over LDAP an account can be found by its SID all the same.
func (v view) nobody() bool {
	m := v.Microsoft
	return m != nil && v.column != SecureLDAP && !m.Match && !m.Create
}

// unknown says what becomes of somebody who is proven and not here.
func (v view) unknown() string {
	m := v.Microsoft
	switch {
	case m.Create:
		return ""
	case v.column == SecureLDAP && !m.Match:
		return "People are found by the SID in Microsoft's token only, as microsoft.match is none."
	case v.column == SecureLDAP:
		return ""
	}
	return "Only people who have an account here get in: import them, or set microsoft.create: yes."
}

// enrolled says that some are not asked at all.
func (v view) enrolled() string {
	if !v.DeviceListener || !v.offers(api.MethodTrust) || v.Devices == 0 {
		return ""
	}
	if v.Devices == 1 {
		return "At the enrolled computer nobody is asked."
	}
	return fmt.Sprintf("At the %d enrolled computers nobody is asked.", v.Devices)
}

// pages says what stands between people and the pages.
func (v view) pages() string {
	switch {
	case !v.AdminPages:
		return "The administrators' pages are off (admin_listen)."
	case !v.Owner:
		return "The administrators' pages wait for the first owner (setup token in the data folder)."
	}
	return ""
}
