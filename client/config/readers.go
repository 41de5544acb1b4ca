package config

import (
	"errors"
	"strings"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
)

// A reader checks a text and puts its meaning into the Config. The error's text is the end of a sentence for people.
type reader func(c *Config, text string) error

// readers has one for every setting of the table.
var readers = map[string]reader{
	"ServerURL": func(c *Config, text string) (err error) { c.ServerURL, err = settings.ParseOrigin(text); return err },
	"CAFile":    func(c *Config, text string) (err error) { c.CAFile, err = settings.ParsePath(text); return err },
	"CAPin":     readPins,
	"UPNSuffix": readRules,
	"AuthMode":  func(c *Config, text string) error { return readChoice(&c.AuthMode, "AuthMode", text) },
	"MicrosoftAuthority": func(c *Config, text string) (err error) {
		c.MicrosoftAuthority, err = settings.ParseOrigin(text)
		return err
	},
	"AutoStart":     func(c *Config, text string) error { return readBool(&c.AutoStart, text) },
	"Enrol":         func(c *Config, text string) error { return readBool(&c.Enrol, text) },
	"DeviceRole":    func(c *Config, text string) error { return readChoice(&c.DeviceRole, "DeviceRole", text) },
	"SharedOSUsers": func(c *Config, text string) error { c.SharedOSUsers = settings.ParseList(text); return nil },
	"HideBalance":   func(c *Config, text string) error { return readBool(&c.HideBalance, text) },
	"LowBalance":    func(c *Config, text string) (err error) { c.LowBalance, err = settings.ParseAmount(text); return err },
	"ShowBalanceAtStart": func(c *Config, text string) error {
		return readChoice(&c.ShowBalanceAtStart, "ShowBalanceAtStart", text)
	},
	"TopUpURL": func(c *Config, text string) (err error) { c.TopUpURL, err = settings.ParseAddress(text); return err },
	"Language": func(c *Config, text string) error { return readChoice(&c.Language, "Language", text) },
	"Proxy":    func(c *Config, text string) (err error) { c.Proxy, err = settings.ParseProxy(text); return err },
	"LogLevel": readLevel,
}

func readPins(c *Config, text string) error {
	var pins []string
	for pin := range strings.SplitSeq(text, ",") {
		parsed, err := api.ParsePin(pin)
		if err != nil {
			return errors.New("is not a pin: " + err.Error())
		}
		pins = append(pins, parsed.String())
	}
	c.CAPin = strings.Join(pins, ",")
	return nil
}

func readRules(c *Config, text string) error {
	rules, err := usermap.ParseRules(text)
	if err != nil {
		return errors.New("is not usable: " + strings.TrimPrefix(err.Error(), usermap.ErrBadRule.Error()+": "))
	}
	c.UPNSuffix, c.UPNRules = text, rules
	return nil
}

// readBool leaves what was there where the text is neither yes nor no.
func readBool(to *bool, text string) error {
	yes, err := settings.ParseBool(text)
	if err == nil {
		*to = yes
	}
	return err
}

// readChoice reads one of the choices of the table's setting of that name.
func readChoice[T ~string](to *T, name, text string) error {
	s, _ := settings.Lookup(name)
	choice, err := s.ParseChoice(text)
	if err == nil {
		*to = T(choice)
	}
	return err
}

func readLevel(c *Config, text string) error {
	var name string
	if err := readChoice(&name, "LogLevel", text); err != nil {
		return err
	}
	return c.LogLevel.UnmarshalText([]byte(name))
}
