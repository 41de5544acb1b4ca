package capabilities

import "github.com/platenprint/platen/internal/api"

// synchronise is A2-01.
func synchronise(v view) cell {
	if v.column == SecureLDAP {
		return notYet("People are read from the directory, with their names; groups are not. This waits for groups.")
	}
	return notYet("Entra ID is not read as a directory yet; people come with their first sign-in (microsoft.create), from a CSV file or by import. This waits for the connector to Entra ID, and for groups.")
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
	case v.Microsoft == nil:
		return no(configureMicrosoft)
	case v.Microsoft.Create:
		return yes("", "Whoever comes by Microsoft for the first time gets an account with their UPN as its username. Choosing another name waits for the connector to Entra ID.")
	}
	return no("Accounts keep the usernames that they were imported with. Set microsoft.create: yes and whoever comes by Microsoft for the first time gets an account with their UPN as its username.")
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

// aliases is A2-21.
func aliases(v view) cell {
	if v.column == SecureLDAP {
		return yes("", "The UPN, the sAMAccountName, the mail nickname and what attributes: aliases: names are names of the person: each signs in.")
	}
	return notYet("Entra ID is not read as a directory yet, so that only names given here (user alias, import, CSV) are aliases. This waits for the connector to Entra ID.")
}
