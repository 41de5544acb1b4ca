package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
)

// ErrInvalid says that a value is not one that its setting can have. The text around it says which and why.
var ErrInvalid = errors.New("not a valid setting")

// maxText bounds a value, in bytes: less than a line of a settings file may have.
const maxText = 2048

// Value is a setting with its value, as a settings file has it.
type Value struct{ Name, Text string }

// Check returns the values as they are written: names as in the table, each setting once, every value one that its setting can
// have. Errors are ErrInvalid and name the setting.
func Check(values []Value) ([]Value, error) {
	var checked []Value
	seen := map[string]bool{}
	for _, v := range values {
		s, ok := settings.Lookup(v.Name)
		if !ok {
			return nil, fmt.Errorf("%w: there is no setting %q", ErrInvalid, v.Name)
		}
		if seen[s.Name] {
			return nil, fmt.Errorf("%w: %s is given twice", ErrInvalid, s.Name)
		}
		seen[s.Name] = true
		text, err := read(s, strings.TrimSpace(v.Text))
		if err != nil {
			return nil, fmt.Errorf("%w: %s=%s %w", ErrInvalid, s.Name, settings.Visible(v.Text), err)
		}
		checked = append(checked, Value{s.Name, text})
	}
	return checked, nil
}

// read checks a text and returns it as it is written. The error's text is the end of a sentence.
func read(s settings.Setting, text string) (string, error) {
	if text == "" {
		return "", errors.New("is empty; leave the setting out instead")
	}
	if len(text) > maxText {
		return "", fmt.Errorf("is longer than %d bytes", maxText)
	}
	if err := settings.Clean(text); err != nil {
		return "", err
	}
	switch s.Kind {
	case settings.KindAddress:
		return readAddress(s, text)
	case settings.KindPath:
		_, err := settings.ParsePath(text)
		return text, err
	case settings.KindPins:
		return readPins(text)
	case settings.KindRules:
		if _, err := usermap.ParseRules(text); err != nil {
			return "", errors.New("is not usable: " + strings.TrimPrefix(err.Error(), usermap.ErrBadRule.Error()+": "))
		}
		return text, nil
	case settings.KindChoice:
		return s.ParseChoice(text)
	case settings.KindBool:
		yes, err := settings.ParseBool(text)
		if yes {
			return "yes", err
		}
		return "no", err
	case settings.KindList:
		if strings.ContainsRune(text, omaBetween) {
			return "", fmt.Errorf("has the character %U, which Windows' management takes for a comma", omaBetween)
		}
		return strings.Join(settings.ParseList(text), ","), nil
	case settings.KindAmount:
		return settings.ParseAmount(text)
	case settings.KindProxy:
		return settings.ParseProxy(text)
	}
	return "", fmt.Errorf("is of the kind %q, which this program cannot check", s.Kind)
}

func readAddress(s settings.Setting, text string) (string, error) {
	if s.Name == "TopUpURL" { // the one address that may have a path
		_, err := settings.ParseAddress(text)
		return text, err
	}
	u, err := settings.ParseOrigin(text)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

func readPins(text string) (string, error) {
	var pins []string
	for pin := range strings.SplitSeq(text, ",") {
		parsed, err := api.ParsePin(pin)
		if err != nil {
			return "", errors.New("is not a pin: " + err.Error())
		}
		pins = append(pins, parsed.String())
	}
	return strings.Join(pins, ","), nil
}

// set tells whether a value is yes, of a setting that takes yes or no.
func (v Value) yes() bool { return v.Text == "yes" }

// kind is the kind of a checked value's setting.
func (v Value) kind() settings.Kind {
	s, _ := settings.Lookup(v.Name)
	return s.Kind
}
