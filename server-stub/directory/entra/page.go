package entra

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// properties are what is asked for of everybody: no more than a record has. Those with cards and codes come to them.
const properties = "id,userPrincipalName,mailNickname,onPremisesSamAccountName,onPremisesDomainName,onPremisesSecurityIdentifier,onPremisesImmutableId," +
	"displayName,mail,proxyAddresses,officeLocation,department,preferredLanguage,employeeId,accountEnabled,userType"

// groupProperties are what is asked for of groups, beside their members.
const groupProperties = "id,displayName,onPremisesSecurityIdentifier"

// user is a user object of Graph. A text that is null or absent is empty.
type user struct {
	ID          string          `json:"id"`
	UPN         string          `json:"userPrincipalName"`
	Nickname    string          `json:"mailNickname"`
	SAM         string          `json:"onPremisesSamAccountName"`
	Domain      string          `json:"onPremisesDomainName"` // a DNS name
	SID         string          `json:"onPremisesSecurityIdentifier"`
	Immutable   string          `json:"onPremisesImmutableId"` // the objectGUID in base64, as a rule
	DisplayName string          `json:"displayName"`
	Mail        string          `json:"mail"`
	Addresses   []string        `json:"proxyAddresses"`
	Office      string          `json:"officeLocation"`
	Department  string          `json:"department"`
	Language    string          `json:"preferredLanguage"`
	EmployeeID  string          `json:"employeeId"`
	Enabled     *bool           `json:"accountEnabled"` // nil: the application may not see it
	Type        string          `json:"userType"`       // Member or Guest; null in old accounts, which are members
	Removed     json.RawMessage `json:"@removed"`
}

// group is a group object of Graph, as changes tell it: what did not change is absent.
type group struct {
	ID      string          `json:"id"`
	Name    *string         `json:"displayName"`
	SID     *string         `json:"onPremisesSecurityIdentifier"`
	Members []member        `json:"members@delta"`
	Removed json.RawMessage `json:"@removed"`
}

// member is a reference to a direct member, or to somebody who is none any more.
type member struct {
	Type    string          `json:"@odata.type"`
	ID      string          `json:"id"`
	Removed json.RawMessage `json:"@removed"`
}

// page is one answer. Its rows are not taken apart, for most people of most readings are known as they are.
type page struct {
	rows  []json.RawMessage
	next  string // the link to the next page, "" on the last one
	delta string // on the last page of changes: where the next reading goes on
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
				return nil, errors.New("rows are listed twice")
			}
			found = true
			err = p.decodeRows(d)
		case "@odata.nextLink":
			err = d.Decode(&p.next)
		case "@odata.deltaLink":
			err = d.Decode(&p.delta)
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
		return nil, errors.New("no rows are listed")
	}
	return p, nil
}

func (p *page) decodeRows(d *json.Decoder) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		var row json.RawMessage
		if err := d.Decode(&row); err != nil {
			return err
		}
		if len(row) == 0 || row[0] != '{' {
			return fmt.Errorf("row %d is no object", len(p.rows)+1)
		}
		p.rows = append(p.rows, row)
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

// digest is a short name of what is on a page, links apart.
func (p *page) digest() [16]byte {
	var all bytes.Buffer
	for _, row := range p.rows {
		all.Write(row)
	}
	return digest(all.Bytes())
}

// plain is a single object without the address that Graph puts in front of it, so that it reads as in a list.
func plain(raw json.RawMessage) json.RawMessage {
	const context = `{"@odata.context":"`
	if !bytes.HasPrefix(raw, []byte(context)) {
		return raw
	}
	if end := bytes.Index(raw[len(context):], []byte(`",`)); end >= 0 {
		rest := bytes.Clone(raw[len(context)+end+1:])
		rest[0] = '{'
		return rest
	}
	return raw
}

// quickID finds the id of a raw user without taking it apart: ok is false where that is not certain.
func quickID(raw json.RawMessage) (id guid16, ok bool) {
	const mark = `"id":"`
	at := bytes.Index(raw, []byte(mark))
	if at < 0 || bytes.Count(raw, []byte(mark)) != 1 {
		return id, false
	}
	rest := raw[at+len(mark):]
	if len(rest) < 37 || rest[36] != '"' {
		return id, false
	}
	return parseGUID(string(rest[:36]))
}
