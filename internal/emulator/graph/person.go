package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/emulator/entra"
)

// Person is a user object. A nil value stands for null, which is what Graph answers for what is not set.
type Person map[string]any

// properties are those of a user that the emulator knows; what is asked for beside them is an error, as in Graph.
var properties = []string{
	"id", "userPrincipalName", "mailNickname", "onPremisesSamAccountName", "onPremisesDomainName", "onPremisesImmutableId", "onPremisesSecurityIdentifier",
	"displayName", "givenName", "surname", "mail", "proxyAddresses", "otherMails", "employeeId", "onPremisesExtensionAttributes", "officeLocation", "department",
	"accountEnabled", "userType", "jobTitle", "mobilePhone", "businessPhones", "preferredLanguage", "employeeType", "faxNumber", "postalCode",
}

// directoryExtension is a property that an application has added to users.
var directoryExtension = regexp.MustCompile(`^extension_[0-9a-f]{32}_[A-Za-z0-9]+$`)

// usual are the properties without $select.
var usual = []string{
	"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id",
}

// collections are never null, only empty.
var collections = []string{"proxyAddresses", "otherMails", "businessPhones"}

// ID is the person's object id.
func (p Person) ID() string { return p.text("id") }

func (p Person) text(property string) string {
	text, _ := p[property].(string)
	return text
}

// row is the person as an answer shows them.
func (p Person) row(selected []string) map[string]any {
	row := map[string]any{}
	for _, name := range selected {
		row[name] = p[name]
		if row[name] == nil && slices.Contains(collections, name) {
			row[name] = []string{}
		}
	}
	row["id"] = p.ID() // whether it was asked for or not
	return row
}

// Synced makes n people of a tenant that is synchronised from Active Directory: person0@example.org and so on. The same
// number gives the same person.
func Synced(n int) []Person {
	people := make([]Person, n)
	for i := range people {
		name := fmt.Sprintf("person%d", i)
		people[i] = Person{
			"id": GUID(name), "userPrincipalName": name + "@example.org", "mailNickname": name + ".nick", "displayName": fmt.Sprintf("Person %d", i), "givenName": "Person",
			"surname": fmt.Sprint(i), "mail": name + "@mail.example.org", "proxyAddresses": []string{"SMTP:" + name + "@mail.example.org", "smtp:" + name + "@example.com"},
			"onPremisesSamAccountName": name, "onPremisesDomainName": "corp.example.org", "onPremisesSecurityIdentifier": fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i),
			"accountEnabled": true, "userType": "Member", "department": "Science", "officeLocation": "B 2", "employeeId": fmt.Sprint(100_000 + i), "preferredLanguage": "en-GB",
			"onPremisesImmutableId": immutableID(name),
		}
	}
	return people
}

// GUID makes the same GUID of the same text.
func GUID(text string) string {
	b := sha256.Sum256([]byte(text))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// immutableID makes what Entra Connect writes of an objectGUID, the same of the same text.
func immutableID(text string) string {
	b := sha256.Sum256([]byte("objectGUID of " + text))
	return base64.StdEncoding.EncodeToString(b[:16])
}

// ParsePeople reads a JSON list of user objects. An unknown property is an error; what is not there is null, but
// accountEnabled, which is true, userType, which is Member, and id, which is made of the UPN.
func ParsePeople(raw []byte) ([]Person, error) {
	var people []Person
	if err := json.Unmarshal(raw, &people); err != nil {
		return nil, fmt.Errorf("read the emulated people: %w", err)
	}
	for i, p := range people {
		for name := range p {
			if !slices.Contains(properties, name) && !directoryExtension.MatchString(name) {
				return nil, fmt.Errorf("read the emulated people: number %d: a user has no property %q", i+1, name)
			}
		}
		upn := p.text("userPrincipalName")
		if upn == "" {
			return nil, fmt.Errorf("read the emulated people: number %d has no userPrincipalName", i+1)
		}
		for name, value := range map[string]any{"id": GUID("user " + strings.ToLower(upn)), "accountEnabled": true, "userType": "Member"} {
			if _, ok := p[name]; !ok {
				p[name] = value
			}
		}
	}
	return people, nil
}

// OfTenant makes the people of those who can sign in to an emulated tenant, with the same ids.
func OfTenant(config entra.Config) []Person {
	people := make([]Person, 0, len(config.Users))
	for _, u := range config.Users {
		p := Person{"id": strings.ToLower(u.OID), "userPrincipalName": u.UPN, "displayName": u.Name, "accountEnabled": !u.Disabled, "userType": "Member"}
		nickname, _, _ := strings.Cut(u.UPN, "@")
		p["mailNickname"] = nickname
		if u.Email != "" {
			p["mail"], p["proxyAddresses"] = u.Email, []string{"SMTP:" + u.Email}
		}
		if u.SID != "" {
			p["onPremisesSecurityIdentifier"] = u.SID
		}
		people = append(people, p)
	}
	return people
}
