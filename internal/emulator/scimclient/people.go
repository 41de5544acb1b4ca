package scimclient

import "fmt"

// Person is somebody in the identity provider's directory. ID is the provider's own id of them.
type Person struct {
	ID         string `json:"id"`
	UserName   string `json:"user_name"`
	Nickname   string `json:"nickname"` // mailNickname: what Entra sends as externalId unless it is told otherwise
	Display    string `json:"display_name"`
	Given      string `json:"given_name"`
	Family     string `json:"family_name"`
	Mail       string `json:"mail"`
	Department string `json:"department"`
	Employee   string `json:"employee_id"`
	Office     string `json:"office"`
	Language   string `json:"language"`
	Manager    string `json:"manager"` // the ID of another person
	Card       string `json:"card"`
	Code       string `json:"code"`
	Disabled   bool   `json:"disabled"`
}

// Group is a group; Members are IDs of people and groups.
type Group struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// Scope is whom the application is assigned to.
type Scope struct {
	People []Person `json:"people"`
	Groups []Group  `json:"groups"`
}

// Where an attribute of a person goes. The names are those of the default mapping, and of the two extension attributes.
const (
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	cards      = "urn:ietf:params:scim:schemas:extension:papercut:2.0:User"
)

// mapped are the attributes of a person as target attributes, in the order in which they are sent. Empty ones are "not there".
func (p Person) mapped() [][2]string {
	return [][2]string{
		{"userName", p.UserName},
		{"externalId", p.Nickname},
		{"displayName", p.Display},
		{"name.givenName", p.Given},
		{"name.familyName", p.Family},
		{`emails[type eq "work"].value`, p.Mail},
		{`addresses[type eq "other"].formatted`, p.Office},
		{"preferredLanguage", p.Language},
		{enterprise + ":department", p.Department},
		{enterprise + ":employeeNumber", p.Employee},
		{cards + ":accessCard", p.Card},
		{cards + ":accessCode", p.Code},
	}
}

// MakeUp makes up people and one group with all of them.
func MakeUp(n int) Scope {
	g := Group{ID: "group-staff", Name: "All staff"}
	var s Scope
	for i := range n {
		name := fmt.Sprintf("person%05d", i+1)
		s.People = append(s.People, Person{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), UserName: name + "@example.org", Nickname: name, Display: fmt.Sprintf("Person %d", i+1), Given: "Person",
			Family: fmt.Sprint(i + 1), Mail: name + "@example.org", Department: fmt.Sprintf("Department %d", i%20), Employee: fmt.Sprint(100000 + i), Card: fmt.Sprintf("04A1%06X", i+1),
		})
		g.Members = append(g.Members, s.People[i].ID)
	}
	s.Groups = []Group{g}
	return s
}
