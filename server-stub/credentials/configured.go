package credentials

import "github.com/platenprint/platen/server-stub/config"

// PolicyOf makes the policy of the configuration.
func PolicyOf(codes config.AccessCodes, cards config.Cards) Policy {
	p := Policy{
		Generate: codes.Generate, Codes: Keep(codes.Keep), Cards: Keep(cards.Keep), Weak: Weak(codes.Weak),
		Format: Format{Length: codes.Length, AllowShort: codes.AllowShort, Alphabet: Alphabet(codes.Alphabet), Group: DefaultPolicy().Format.Group},
	}
	if codes.Group != nil {
		p.Format.Group = *codes.Group
	}
	return p
}
