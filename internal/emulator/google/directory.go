package google

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// User is a user object of the Directory API, such as {"id": "1001", "primaryEmail": "alex@example.org", "suspended": false}.
type User map[string]any

// ID is the user's id, a number of 21 digits as text.
func (u User) ID() string { return u.text("id") }

// Email is the user's primary address, the name they sign in with.
func (u User) Email() string { return u.text("primaryEmail") }

func (u User) text(field string) string {
	text, _ := u[field].(string)
	return text
}

// is tells whether key names the user: id, primary address or alias.
func (u User) is(key string) bool {
	if key == u.ID() || strings.EqualFold(key, u.Email()) {
		return true
	}
	aliases, _ := u["aliases"].([]any)
	return slices.ContainsFunc(aliases, func(a any) bool { text, ok := a.(string); return ok && strings.EqualFold(key, text) })
}

// Member is a member of a group.
type Member struct {
	ID    string `json:"id,omitempty"`
	Email string `json:"email,omitempty"`
	Type  string `json:"type,omitempty"` // USER, GROUP, CUSTOMER or EXTERNAL; USER if empty
	Role  string `json:"role,omitempty"` // MEMBER if empty
}

// Group is a group with its direct members.
type Group struct {
	ID      string   `json:"id,omitempty"`
	Email   string   `json:"email"`
	Name    string   `json:"name,omitempty"`
	Members []Member `json:"members,omitempty"`
}

// Field is a field of a custom schema.
type Field struct {
	Name string `json:"fieldName"`
	Type string `json:"fieldType,omitempty"` // STRING if empty
	// ReadAccess is ADMINS_AND_SELF ("Visible to user and admin") or ALL_DOMAIN_USERS (visible to everybody of the customer);
	// the first if empty.
	ReadAccess  string `json:"readAccessType,omitempty"`
	MultiValued bool   `json:"multiValued,omitempty"`
}

// Schema is a custom schema: the console calls it a category of custom attributes.
type Schema struct {
	Name   string  `json:"schemaName"`
	Fields []Field `json:"fields"`
}

// PaperCut is the schema with the names that print management of today uses.
func PaperCut() Schema {
	return Schema{Name: "PaperCut", Fields: []Field{{Name: "cardNumber"}, {Name: "accessCode"}}}
}

// Directory is what a customer has.
type Directory struct {
	Customer string   `json:"customer,omitempty"` // C01example if empty
	Admin    string   `json:"admin,omitempty"`    // the address of the administrator whom the service account acts for
	OrgUnits []string `json:"orgUnits,omitempty"` // their paths, such as /Staff/Science; / is always there
	Schemas  []Schema `json:"schemas,omitempty"`
	Users    []User   `json:"users,omitempty"`
	Groups   []Group  `json:"groups,omitempty"`
}

// ParseDirectory reads a directory in JSON. What users and groups lack is filled in: ids are made of the addresses, nobody is
// suspended, and everybody is in the unit /.
func ParseDirectory(raw []byte) (Directory, error) {
	var d Directory
	if err := json.Unmarshal(raw, &d); err != nil {
		return Directory{}, fmt.Errorf("read the emulated customer: %w", err)
	}
	for i, u := range d.Users {
		if !strings.Contains(u.Email(), "@") {
			return Directory{}, fmt.Errorf("read the emulated customer: user %d has no primaryEmail", i+1)
		}
		for field := range u {
			if !slices.Contains(userFields, field) {
				return Directory{}, fmt.Errorf("read the emulated customer: user %d: a user has no field %q", i+1, field)
			}
		}
	}
	for i, g := range d.Groups {
		if !strings.Contains(g.Email, "@") {
			return Directory{}, fmt.Errorf("read the emulated customer: group %d has no email", i+1)
		}
	}
	return d.complete(), nil
}

// userFields are the fields of a user that the emulator knows.
var userFields = []string{
	"kind", "id", "etag", "primaryEmail", "name", "isAdmin", "isDelegatedAdmin", "suspended", "suspensionReason", "archived", "orgUnitPath", "aliases",
	"nonEditableAliases", "emails", "locations", "languages", "externalIds", "phones", "posixAccounts", "customerId", "creationTime",
	"organizations", //nolint:misspell // the name in the API
	"customSchemas", "recoveryEmail",
}

// notBasic are those that projection=basic leaves out.
var notBasic = []string{"customSchemas"}

// complete fills in what is not there.
func (d Directory) complete() Directory {
	if d.Customer == "" {
		d.Customer = "C01example"
	}
	if d.Admin == "" {
		d.Admin = "admin@example.org"
	}
	users := make([]User, 0, len(d.Users)+1)
	for _, u := range d.Users {
		users = append(users, d.user(u))
	}
	if !slices.ContainsFunc(users, func(u User) bool { return u.is(d.Admin) }) {
		users = append(users, d.user(User{"primaryEmail": d.Admin, "name": object{"fullName": "Workspace Admin"}, "isAdmin": true}))
	}
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.Email(), b.Email()) }) // each page sorts, which then costs little
	d.Users = users
	d.Groups = slices.Clone(d.Groups)
	for i, g := range d.Groups {
		if g.ID == "" {
			d.Groups[i].ID = GroupID(g.Email)
		}
		if g.Name == "" {
			d.Groups[i].Name, _, _ = strings.Cut(g.Email, "@")
		}
		d.Groups[i].Members = slices.Clone(g.Members)
	}
	for _, u := range d.Users {
		if path := u.text("orgUnitPath"); path != "/" && !slices.Contains(d.OrgUnits, path) {
			d.OrgUnits = append(slices.Clip(d.OrgUnits), path)
		}
	}
	return d
}

// user is a user with what every user has.
func (d Directory) user(u User) User {
	u = maps.Clone(u)
	local, _, _ := strings.Cut(u.Email(), "@")
	for field, value := range (object{
		"kind": "admin#directory#user", "id": UserID(u.Email()), "etag": `"e"`, "name": object{"fullName": local}, "isAdmin": false, "suspended": false,
		"archived": false, "orgUnitPath": "/", "customerId": d.Customer, "creationTime": "2026-01-01T00:00:00.000Z",
	}) {
		if _, ok := u[field]; !ok {
			u[field] = value
		}
	}
	return u
}

// UserID makes the same id of the same address: 21 digits, as Google's.
func UserID(email string) string {
	sum := sha256.Sum256([]byte("user " + strings.ToLower(email)))
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(sum[:8]))
}

// GroupID makes the same id of the same address.
func GroupID(email string) string {
	sum := sha256.Sum256([]byte("group " + strings.ToLower(email)))
	return fmt.Sprintf("0%x", sum[:7])
}

// Made makes n users, person0@example.org and so on, in the unit /Staff, each with a card, and every second one with an access
// code. The same number gives the same person.
func Made(n int) []User {
	users := make([]User, n)
	for i := range users {
		name := fmt.Sprintf("person%d", i)
		values := object{"cardNumber": fmt.Sprintf("04A1%08d", i)}
		if i%2 == 0 {
			values["accessCode"] = fmt.Sprintf("7K3F%06d", i)
		}
		users[i] = User{
			"primaryEmail": name + "@example.org", "name": object{"givenName": "Person", "familyName": fmt.Sprint(i), "fullName": fmt.Sprintf("Person %d", i)},
			"orgUnitPath": "/Staff", "aliases": []any{name + ".alias@example.org"}, "nonEditableAliases": []any{name + "@example.org.test-google-a.com"},
			"organizations": []any{object{"department": "Science", "primary": true}}, //nolint:misspell // the name in the API
			"locations":     []any{object{"type": "desk", "area": "desk", "buildingId": "B", "floorName": "2"}},
			"languages":     []any{object{"languageCode": "en", "preference": "preferred"}},
			"externalIds":   []any{object{"type": "organization", "value": fmt.Sprint(40000 + i)}}, //nolint:misspell // the name in the API
			"customSchemas": object{"PaperCut": values},
		}
	}
	return users
}

// clone copies an object whole.
func clone(u User) User {
	raw, err := json.Marshal(u)
	if err != nil {
		panic(err) // it came from JSON or is like it
	}
	var c User
	if err := json.Unmarshal(raw, &c); err != nil {
		panic(err)
	}
	return c
}
