package entra

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// The attributes that cards, codes and PINs may be taken from: these, extensionAttribute1 to extensionAttribute15 of
// onPremisesExtensionAttributes, and directory extensions, extension_APPID_NAME. Properties that everybody in a tenant may write for
// themselves are not among them.
var plainAttributes = []string{"employeeId", "employeeType", "faxNumber", "mobilePhone", "postalCode"}

const (
	employeeID       = "employeeId"
	onPremises       = "onPremisesExtensionAttributes"
	onPremisesPrefix = "extensionAttribute"
)

var directoryExtension = regexp.MustCompile(`^extension_[0-9a-f]{32}_[A-Za-z0-9]{1,64}$`)

// property returns the property of a user that has an attribute, "" for an unknown one.
func property(attribute string) string {
	if slices.Contains(plainAttributes, attribute) || directoryExtension.MatchString(attribute) {
		return attribute
	}
	if digits, ok := strings.CutPrefix(attribute, onPremisesPrefix); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= 15 && strconv.Itoa(n) == digits {
			return onPremises
		}
	}
	return ""
}

// canonical spells an attribute as Graph does, in whatever case it was written.
func canonical(attribute string) (string, error) {
	attribute = strings.TrimSpace(attribute)
	for _, known := range plainAttributes {
		if strings.EqualFold(known, attribute) {
			return known, nil
		}
	}
	if n := len(onPremisesPrefix); len(attribute) > n && strings.EqualFold(attribute[:n], onPremisesPrefix) {
		attribute = onPremisesPrefix + attribute[n:]
	}
	if property(attribute) == "" {
		return "", fmt.Errorf("%q: write %s, extensionAttribute1 to extensionAttribute15, or extension_APPID_NAME for an extension of the directory",
			attribute, strings.Join(plainAttributes, ", "))
	}
	return attribute, nil
}

// attributes are the values of a person that are not the same for every configuration.
type attributes map[string]json.RawMessage

// values are the texts of an attribute, in the order of the directory. Numbers and lists are possible in directory extensions.
func (a attributes) values(attribute string) []string {
	raw := a[property(attribute)]
	if property(attribute) == onPremises {
		var inner attributes
		if json.Unmarshal(raw, &inner) != nil { // null, or none
			return nil
		}
		raw = inner[attribute]
	}
	var one any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&one) != nil {
		return nil
	}
	list, many := one.([]any)
	if !many {
		list = []any{one}
	}
	var texts []string
	for _, v := range list {
		text := ""
		switch v := v.(type) {
		case string:
			text = strings.TrimSpace(v)
		case json.Number:
			text = v.String()
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// secrets are the values of attributes, each once, in their order.
func (a attributes) secrets(names []string) []secret.String {
	var list []secret.String
	seen := map[string]bool{}
	for _, name := range names {
		for _, text := range a.values(name) {
			if !seen[text] {
				seen[text] = true
				list = append(list, secret.New(text))
			}
		}
	}
	return list
}

// first is the first value of an attribute, empty for none.
func (a attributes) first(name string) secret.String {
	if list := a.values(name); name != "" && len(list) > 0 {
		return secret.New(list[0])
	}
	return secret.String{}
}
