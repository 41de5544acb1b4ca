package directory

import (
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

// UsernameRule chooses which name of a record is the username. It is set per source (`username:` in the configuration).
type UsernameRule string

// The rules. UsernameAuto takes the first name the record has: UPN, short name, nickname, mail. The others take exactly
// that name: a record without it is reported, never given another name that might be somebody else's.
const (
	UsernameAuto     UsernameRule = ""
	UsernameUPN      UsernameRule = "upn"
	UsernameSAM      UsernameRule = "sam"
	UsernameNickname UsernameRule = "nickname"
	UsernameMail     UsernameRule = "mail"
)

// ParseUsernameRule accepts the constants' texts, and "auto" for UsernameAuto.
func ParseUsernameRule(text string) (UsernameRule, error) {
	switch rule := UsernameRule(text); rule {
	case UsernameAuto, UsernameUPN, UsernameSAM, UsernameNickname, UsernameMail:
		return rule, nil
	}
	if text == "auto" {
		return UsernameAuto, nil
	}
	return "", fmt.Errorf("%w: username %q: write upn, sam, nickname, mail or auto", core.ErrInvalid, text)
}

// Choose returns the username the rule takes from r, "" when r has no such name.
func (rule UsernameRule) Choose(r Record) string {
	switch rule {
	case UsernameUPN:
		return r.UPN
	case UsernameSAM:
		return r.SAM
	case UsernameNickname:
		return r.Nickname
	case UsernameMail:
		return r.Email
	case UsernameAuto:
		for _, name := range []string{r.UPN, r.SAM, r.Nickname, r.Email} {
			if name != "" {
				return name
			}
		}
	}
	return ""
}
