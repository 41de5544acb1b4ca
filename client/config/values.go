package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
)

func readURL(to **url.URL, text string, shape urlShape) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("is not an address; write it like https://print.example.org:8443")
	case u.Scheme == "http":
		return errors.New("plain http is never used; write https://" + u.Host)
	case u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return errors.New("is not an https address; write it like https://print.example.org:8443")
	case u.User != nil:
		return errors.New("must not hold a user name or password")
	case !validPort(u):
		return errors.New("the port must be a number from 1 to 65535")
	case !validHost(u.Hostname()):
		return errors.New("the host name has characters that host names cannot have")
	}
	if shape == originOnly {
		if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
			return errors.New("must be host and port only; write https://" + u.Host)
		}
		u = &url.URL{Scheme: "https", Host: strings.ToLower(u.Host)}
	}
	*to = u
	return nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535
}

// hostPattern is letters, digits, hyphens and dots (RFC 1123; the underscore, which real networks have), or an IPv6 address.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$|^[0-9a-fA-F:.]+(%[A-Za-z0-9]+)?$`)

func validHost(host string) bool { return len(host) <= 253 && hostPattern.MatchString(host) }

// readPath wants an absolute path. Both slashes count: the check is the same on every system, so that it can be tested on one.
func readPath(to *string, text string) error {
	windows := len(text) > 3 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') || strings.HasPrefix(text, `\\`)
	if !strings.HasPrefix(text, "/") && !windows {
		return errors.New("must be a whole path, from the root or drive on")
	}
	*to = filepath.Clean(text)
	return nil
}

func readPins(to *string, text string) error {
	var pins []string
	for _, pin := range strings.Split(text, ",") {
		parsed, err := api.ParsePin(pin)
		if err != nil {
			return errors.New("is not a pin: " + err.Error())
		}
		pins = append(pins, parsed.String())
	}
	*to = strings.Join(pins, ",")
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

func readBool(to *bool, text string) error {
	switch strings.ToLower(text) {
	case "yes", "true", "1", "on", "y":
		*to = true
	case "no", "false", "0", "off", "n":
		*to = false
	default:
		return errors.New("is neither yes nor no")
	}
	return nil
}

func readChoice[T ~string](to *T, text string, choices ...T) error {
	choice := T(strings.ToLower(text))
	if slices.Contains(choices, choice) {
		*to = choice
		return nil
	}
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	return errors.New("is none of " + strings.Join(names, ", "))
}

func readList(to *[]string, text string) error {
	var list []string
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	*to = list
	return nil
}

var amountPattern = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,4})?$`)

func readAmount(to *string, text string) error {
	if !amountPattern.MatchString(text) {
		return errors.New("is not an amount; write it like 2.00, with a dot and no currency")
	}
	*to = text
	return nil
}

func readProxy(to *string, text string) error {
	if strings.EqualFold(text, "direct") {
		*to = "direct"
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" || !validHost(u.Hostname()) || !validPort(u) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return errors.New("is not a proxy; write it like http://proxy.example.org:3128, or direct")
	case u.User != nil:
		return errors.New("must not hold a user name or password")
	}
	*to = "http://" + u.Host
	return nil
}

// clean refuses what no setting may hold: control characters and other invisible ones, which would make a value differ
// from what people see.
func clean(text string) error {
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return fmt.Errorf("has the invisible character %U", r)
		}
	}
	return nil
}
