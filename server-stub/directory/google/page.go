package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// user is a user of the Directory API, as far as it is asked for.
type user struct {
	ID          string   `json:"id"`
	Email       string   `json:"primaryEmail"`
	Name        name     `json:"name"`
	Suspended   *bool    `json:"suspended"` // nil: Google does not show it
	Archived    bool     `json:"archived"`
	Unit        string   `json:"orgUnitPath"` // asked for only where somebody is looked up
	Aliases     []string `json:"aliases"`
	MoreAliases []string `json:"nonEditableAliases"` // those in the customer's alias domains

	Jobs      []job      `json:"organizations"` //nolint:misspell // the name in the API
	Places    []place    `json:"locations"`
	Languages []language `json:"languages"`
	Numbers   []number   `json:"externalIds"`

	// Schemas are the values of custom fields, by schema and field.
	Schemas map[string]map[string]json.RawMessage `json:"customSchemas"`
}

type (
	name struct {
		Full    string `json:"fullName"`
		Display string `json:"displayName"`
	}
	job struct {
		Department string `json:"department"`
		Location   string `json:"location"`
		Primary    bool   `json:"primary"`
	}
	place struct {
		Type     string `json:"type"`
		Building string `json:"buildingId"`
		Floor    string `json:"floorName"`
		Section  string `json:"floorSection"`
		Desk     string `json:"deskCode"`
		Area     string `json:"area"`
	}
	language struct {
		Code       string `json:"languageCode"`
		Preference string `json:"preference"`
	}
	number struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
)

// userFields are the fields of a user that are asked for: no more than a record has.
const userFields = "id,primaryEmail,name(fullName,displayName),suspended,archived,aliases,nonEditableAliases," +
	"organizations(department,location,primary),locations(type,buildingId,floorName,floorSection,deskCode,area)," + //nolint:misspell // the name in the API
	"languages(languageCode,preference),externalIds(type,value)"

// group is a group.
type group struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// member is a member of a group.
type member struct {
	ID   string `json:"id"`
	Type string `json:"type"` // USER, GROUP, CUSTOMER or EXTERNAL
}

// schema is a custom schema.
type schema struct {
	Name   string        `json:"schemaName"`
	Fields []schemaField `json:"fields"`
}

type schemaField struct {
	Name   string `json:"fieldName"`
	Type   string `json:"fieldType"`
	Access string `json:"readAccessType"`
	Multi  bool   `json:"multiValued"`
}

// page is one answer with a list.
type page struct {
	users   []user
	groups  []group
	members []member
	schemas []schema
	next    string // the token of the next page, "" on the last one
}

// decode reads a page to its end. Whatever is no complete page of this list is an error: an answer without rows is a page
// only where it says what it lists.
func decode(r io.Reader, list string) (*page, error) {
	var answer struct {
		Kind    string   `json:"kind"`
		Next    string   `json:"nextPageToken"`
		Users   []user   `json:"users"`
		Groups  []group  `json:"groups"`
		Members []member `json:"members"`
		Schemas []schema `json:"schemas"`
	}
	d := json.NewDecoder(r)
	if err := d.Decode(&answer); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end")
	}
	if !strings.HasSuffix(answer.Kind, "directory#"+list) {
		return nil, fmt.Errorf("it is of the kind %q and not %s", oneLine(answer.Kind), list)
	}
	return &page{answer.Users, answer.Groups, answer.Members, answer.Schemas, answer.Next}, nil
}
