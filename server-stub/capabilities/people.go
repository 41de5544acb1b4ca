package capabilities

import (
	"slices"

	"github.com/platenprint/platen/internal/api"
)

const (
	addEntra = "No tenant is read here, so that people come with their first sign-in (microsoft.create), from a CSV file or by import. " +
		"Add it: platen-server sync add entra, or sync add scim to have the tenant send its changes."
	planned = "What would change is shown before anything does (sync plan), and every run can be taken back (sync undo)."
)

// synchronise is A2-01.
func synchronise(v view) cell {
	switch {
	case v.column == SecureLDAP:
		return yes("", "People and groups are read from the directory, what changed alone where it can tell. "+planned)
	case len(v.of()) == 0:
		return no(addEntra)
	case v.of()[0].Kind == KindSCIM:
		return yes("", "Entra ID sends people and groups by itself, over SCIM. Every run can be taken back (sync undo).")
	}
	return yes("", "People and groups come over Microsoft Graph, after the first time only what changed. "+planned)
}

// cost is A2-17. The answer is yes where Platen itself asks for no fee, and that is everywhere.
func cost(v view) cell {
	const free = "Platen asks for no fee and no licence key."
	if v.column == SecureLDAP {
		return yes("", free+" Microsoft charges for Entra Domain Services; an Active Directory or OpenLDAP of your own needs none.")
	}
	return yes("", free)
}

// username is A2-18.
func username(v view) cell {
	switch {
	case v.column == SecureLDAP:
		return yes("", "username: of the directory chooses the UPN, the sAMAccountName, the mail nickname or the address; without it Entra Domain Services gives the sAMAccountName. The other names become aliases.")
	case len(v.of()) > 0:
		return yes("", "The UPN, or what username: of the directory chooses: the mail nickname, the sAMAccountName from on premises or the address. The other names become aliases.")
	case v.Microsoft == nil:
		return no(addEntra)
	case v.Microsoft.Create:
		return yes("", "Whoever comes by Microsoft for the first time gets an account with their UPN as its username. A tenant that is read (platen-server sync add entra) lets you choose another name.")
	}
	return no("Accounts keep the usernames that they were imported with. " + addEntra)
}

// secondFactor is A2-19.
func secondFactor(v view) cell {
	const bare = "A password alone still lets people in as long as prompt stands in sign_in.modes."
	m := v.Microsoft
	switch {
	case v.column == EntraPlain:
		return no("With MFA off the tenant asks for none. Turn MFA on there and set microsoft.mfa: yes; Platen has no second factor of its own for everybody yet.")
	case m == nil:
		return no("The directory gives none. " + configureMicrosoft + " The tenant's second factor then holds here, whichever directory the people come from.")
	case v.column == SecureLDAP && !m.MFA:
		return no("The directory gives none, and the tenant asks for none. Turn MFA on there and set microsoft.mfa: yes.")
	}
	way := v.microsoft()
	if way.answer != api.CapabilityYes {
		return way
	}
	c := yes(way.way, "Microsoft asks for the second factor when people sign in"+v.whoever()+".")
	if v.checksPasswords() {
		c = c.with(bare)
	}
	return c
}

// cards is A2-20.
func cards(v view) cell {
	const several = "Several cards, an access code and a PIN of each person come with every synchronisation; duplicates are refused and named."
	list := v.of()
	switch {
	case v.column != SecureLDAP && len(list) == 0:
		return no(addEntra)
	case len(list) == 0 || anyOf(list, func(d Directory) bool { return d.Cards }):
		return yes("", several)
	case v.column == SecureLDAP:
		return no("Say which attributes of the directory have the card numbers, such as attributes: {card: employeeNumber}.")
	}
	return no("Say which properties have the card numbers: cards: [employeeId] of the directory, or user-source.update-user-details-card-id: Y.")
}

// aliases is A2-21.
func aliases(v view) cell {
	switch {
	case v.column == SecureLDAP:
		return yes("", "The UPN, the sAMAccountName, the mail nickname and what attributes: aliases: names are names of the person: each signs in.")
	case len(v.of()) == 0:
		return no(addEntra)
	}
	return yes("", "The UPN, the mail nickname, the sAMAccountName from on premises and the addresses are names of the person: each signs in.")
}

// nested is A2-22.
func nested(v view) cell {
	const closed = "Members of groups within groups count, also where groups contain each other; platen-server group why says by which way somebody is in one."
	list := v.of()
	switch {
	case v.column != SecureLDAP && len(list) == 0:
		return no(addEntra)
	case len(list) > 0 && !anyOf(list, func(d Directory) bool { return !d.Direct }):
		return no("scope: {direct: yes} of the directory leaves groups within groups out; take it away.")
	}
	return yes("", closed)
}

func anyOf(list []Directory, is func(Directory) bool) bool { return slices.ContainsFunc(list, is) }
