package settings

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
)

// The functions of this file read values. The texts of their errors are ends of sentences for people: "is not a proxy; ...".

// ParseOrigin reads an https address of host and port only, as ServerURL has it. The host becomes lower case.
func ParseOrigin(text string) (*url.URL, error) {
	u, err := ParseAddress(text)
	if err != nil {
		return nil, err
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("must be host and port only; write https://" + u.Host)
	}
	return &url.URL{Scheme: "https", Host: strings.ToLower(u.Host)}, nil
}

// ParseAddress reads an https address, perhaps with path and query.
func ParseAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not an address; write it like https://print.example.org:8443")
	case u.Scheme == "http":
		return nil, errors.New("plain http is never used; write https://" + u.Host)
	case u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is not an https address; write it like https://print.example.org:8443")
	case u.User != nil:
		return nil, errors.New("must not hold a user name or password")
	case !validPort(u):
		return nil, errors.New("the port must be a number from 1 to 65535")
	case !ValidHost(u.Hostname()):
		return nil, errors.New("the host name has characters that host names cannot have")
	}
	return u, nil
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

// ValidHost tells whether a text may be the name or the address of a computer.
func ValidHost(host string) bool { return len(host) <= 253 && hostPattern.MatchString(host) }

// ParsePath wants an absolute path. Both slashes count: the check is the same on every system, so that it can be tested on one.
func ParsePath(text string) (string, error) {
	windows := len(text) > 3 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') || strings.HasPrefix(text, `\\`)
	if !strings.HasPrefix(text, "/") && !windows {
		return "", errors.New("must be a whole path, from the root or drive on")
	}
	return filepath.Clean(text), nil
}

// ParseBool reads yes or no, in the spellings that administrators' tools write.
func ParseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "yes", "true", "1", "on", "y":
		return true, nil
	case "no", "false", "0", "off", "n":
		return false, nil
	}
	return false, errors.New("is neither yes nor no")
}

// ParseChoice reads one of the setting's choices, whatever the case.
func (s Setting) ParseChoice(text string) (string, error) {
	choice := strings.ToLower(text)
	if slices.Contains(s.Choices, choice) {
		return choice, nil
	}
	return "", errors.New("is none of " + strings.Join(s.Choices, ", "))
}

// ParseList reads items separated by commas; empty ones do not count.
func ParseList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

var amountPattern = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,4})?$`)

// ParseAmount reads a decimal with a dot.
func ParseAmount(text string) (string, error) {
	if !amountPattern.MatchString(text) {
		return "", errors.New("is not an amount; write it like 2.00, with a dot and no currency")
	}
	return text, nil
}

// ParseProxy reads "direct" or http://HOST:PORT.
func ParseProxy(text string) (string, error) {
	if strings.EqualFold(text, "direct") {
		return "direct", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" || !ValidHost(u.Hostname()) || !validPort(u) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return "", errors.New("is not a proxy; write it like http://proxy.example.org:3128, or direct")
	case u.User != nil:
		return "", errors.New("must not hold a user name or password")
	}
	return "http://" + u.Host, nil
}

// Clean refuses what no setting may hold: control characters and other invisible ones, which would make a value differ from
// what people see.
func Clean(text string) error {
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return fmt.Errorf("has the invisible character %U", r)
		}
	}
	return nil
}

// Visible puts a question mark in the place of what Clean refuses.
func Visible(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if Clean(string(r)) != nil {
			return '?'
		}
		return r
	}, text), "?")
}
