package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Compat are settings of other products that count for every directory which does not say otherwise itself.
type Compat struct {
	UPNAsUsername *bool // user-source.ad.upn-as-username
	UpdateCardID  *bool // user-source.update-user-details-card-id
}

// Retention says what becomes of people whom their directory does not list any more.
type Retention struct {
	Erase       bool // and not keep
	After       time.Duration
	WithBalance bool // erase also those who have money, or owe some
}

// Day is one.
const Day = 24 * time.Hour

// leastRetention is how long everybody can come back at least (SECURITY.md R-SYNC).
const leastRetention = 30 * Day

// directorySettings are those about people of directories.
func directorySettings() []setting {
	return []setting{
		{key: "retention.deleted_people", fallback: "keep", doc: "what becomes of people whom no directory lists any more: keep or erase", set: func(c *Config, v string) error {
			if v != "keep" && v != "erase" {
				return errors.New("write keep or erase")
			}
			c.Retention.Erase = v == "erase"
			return nil
		}},
		{key: "retention.after", fallback: "30d", doc: "how long they can come back before they are erased, 30d or more", set: func(c *Config, v string) (err error) {
			c.Retention.After, err = parseDays(v)
			if err == nil && c.Retention.After < leastRetention {
				err = errors.New("write 30d or more: a mistake in a directory shows late")
			}
			return err
		}},
		{key: "retention.erase_with_balance", fallback: "no", doc: "erase also people whose balance is not zero: yes or no", set: func(c *Config, v string) error {
			yes, err := parseSwitch(v)
			if yes != nil {
				c.Retention.WithBalance = *yes
			}
			return err
		}},
		{key: "user-source.ad.upn-as-username", doc: "compatible setting, Y or N: the username of Active Directory is the UPN or the sAMAccountName; a directory's upn_as_username goes before", set: func(c *Config, v string) (err error) {
			c.Compat.UPNAsUsername, err = parseSwitch(v)
			return err
		}},
		{key: "user-source.update-user-details-card-id", doc: "compatible setting, Y or N: Entra ID's employeeId is the primary card; a directory's update_user_details_card_id goes before", set: func(c *Config, v string) (err error) {
			c.Compat.UpdateCardID, err = parseSwitch(v)
			return err
		}},
	}
}

// parseSwitch reads Y or N, in the ways that YAML and people write them; nil for nothing.
func parseSwitch(v string) (*bool, error) {
	yes := false
	switch strings.ToLower(v) {
	case "":
		return nil, nil //nolint:nilnil // not set is a good answer
	case "y", "yes", "true", "on":
		yes = true
	case "n", "no", "false", "off":
	default:
		return nil, errors.New("write Y or N")
	}
	return &yes, nil
}

// parseDays reads a number of days, such as 30d.
func parseDays(v string) (time.Duration, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(v, "d"))
	if err != nil || !strings.HasSuffix(v, "d") || n < 0 || n > 36500 {
		return 0, errors.New("write a number of days, such as 90d")
	}
	return time.Duration(n) * Day, nil
}
