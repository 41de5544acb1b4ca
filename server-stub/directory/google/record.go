package google

import (
	"encoding/json"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// record turns a user into a record. shape says which fields have cards and codes.
func (s *Source) record(u user, sh shape) directory.Record {
	r := directory.Record{
		Key: strings.TrimSpace(u.ID), KeyKind: core.IdentityGoogleID, Where: strings.TrimSpace(u.Email), UPN: strings.TrimSpace(u.Email), Email: strings.TrimSpace(u.Email),
		DisplayName: first(u.Name.Display, u.Name.Full), Language: spoken(u.Languages), EmployeeID: employee(u.Numbers),
		Disabled: u.Suspended == nil || *u.Suspended || u.Archived, Credentials: sh.kinds,
	}
	r.Department, r.Office = where(u.Jobs, u.Places)
	if r.Where == "" {
		r.Where = "user " + r.Key
	}
	for _, list := range [][]string{u.Aliases, u.MoreAliases} {
		for _, alias := range list {
			if alias = strings.TrimSpace(alias); alias != "" && !strings.HasSuffix(strings.ToLower(alias), testSuffix) {
				r.Aliases = append(r.Aliases, alias)
			}
		}
	}
	if s.cfg.Username == directory.UsernameNickname {
		r.Nickname, _, _ = strings.Cut(r.UPN, "@")
	}
	r.Username = s.cfg.Username.Choose(r)
	seen := map[string]bool{}
	for _, f := range sh.cards {
		for _, card := range values(u.Schemas[f.schema][f.name]) {
			if !seen[card] {
				seen[card] = true
				r.Cards = append(r.Cards, secret.New(card))
			}
		}
	}
	if sh.code.name != "" {
		if codes := values(u.Schemas[sh.code.schema][sh.code.name]); len(codes) > 0 {
			r.AccessCode = secret.New(codes[0])
		}
	}
	return r
}

// testSuffix is the end of the addresses that Google makes for everybody while a domain is set up; nobody uses them.
const testSuffix = ".test-google-a.com"

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// where takes department and place from the primary job, or else the first one that has some; a desk goes before the job's
// place.
func where(jobs []job, places []place) (department, office string) {
	for _, primary := range []bool{true, false} {
		for _, j := range jobs {
			if j.Primary || !primary {
				department = first(department, j.Department)
				office = first(office, j.Location)
			}
		}
	}
	for _, p := range places {
		text := strings.Join(strings.Fields(p.Building+" "+p.Floor+" "+p.Section), " ")
		if text = first(text, p.Area); text != "" && text != "desk" {
			return department, text
		}
	}
	return department, office
}

// spoken is the language that somebody prefers, or else the first one.
func spoken(list []language) string {
	for _, l := range list {
		if strings.EqualFold(l.Preference, "preferred") && l.Code != "" {
			return l.Code
		}
	}
	if len(list) > 0 {
		return list[0].Code
	}
	return ""
}

// employee is the number that the console calls "Employee ID".
func employee(list []number) string {
	for _, n := range list {
		if n.Type == "organization" { //nolint:misspell // the name in the API
			return strings.TrimSpace(n.Value)
		}
	}
	return ""
}

// values reads a custom field: a text or a number, or a list of {"value": ...} where the field has several.
func values(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	var several []struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(raw, &several); err == nil {
		var list []string
		for _, v := range several {
			list = append(list, one(v.Value)...)
		}
		return list
	}
	return one(raw)
}

func one(raw json.RawMessage) []string {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		var n json.Number
		if err := json.Unmarshal(raw, &n); err != nil {
			return nil
		}
		text = n.String()
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return []string{text}
}
