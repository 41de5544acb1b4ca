package entra

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// selected are the properties that are asked for: no more than a record has.
const selected = "id,userPrincipalName,mailNickname,onPremisesSamAccountName,onPremisesDomainName,onPremisesSecurityIdentifier," +
	"displayName,mail,proxyAddresses,officeLocation,department,accountEnabled,userType"

// user is a user object of Graph. A text that is null or absent is empty.
type user struct {
	ID          string          `json:"id"`
	UPN         string          `json:"userPrincipalName"`
	Nickname    string          `json:"mailNickname"`
	SAM         string          `json:"onPremisesSamAccountName"`
	Domain      string          `json:"onPremisesDomainName"` // a DNS name
	SID         string          `json:"onPremisesSecurityIdentifier"`
	DisplayName string          `json:"displayName"`
	Mail        string          `json:"mail"`
	Addresses   []string        `json:"proxyAddresses"`
	Office      string          `json:"officeLocation"`
	Department  string          `json:"department"`
	Enabled     *bool           `json:"accountEnabled"` // nil: the application may not see it
	Type        string          `json:"userType"`       // Member or Guest; null in old accounts, which are members
	Removed     json.RawMessage `json:"@removed"`
}

// page is one answer.
type page struct {
	users []user
	next  string // the link to the next page, "" on the last one
}

// decode reads a page as it comes, to its end. Whatever is no complete page is an error.
func decode(r io.Reader) (*page, error) {
	d := json.NewDecoder(r)
	if err := expect(d, '{'); err != nil {
		return nil, err
	}
	p, found := &page{}, false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch key {
		case "value":
			if found {
				return nil, errors.New("people are listed twice")
			}
			found = true
			err = p.decodeUsers(d)
		case "@odata.nextLink":
			err = d.Decode(&p.next)
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", key, err)
		}
	}
	if err := expect(d, '}'); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end")
	}
	if !found {
		return nil, errors.New("people are not listed")
	}
	return p, nil
}

func (p *page) decodeUsers(d *json.Decoder) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		var u user
		if err := d.Decode(&u); err != nil {
			return err
		}
		p.users = append(p.users, u)
	}
	return expect(d, ']')
}

func expect(d *json.Decoder, want json.Delim) error {
	got, err := d.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%v where %v should be", got, want)
	}
	return nil
}
