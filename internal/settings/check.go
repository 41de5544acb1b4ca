package settings

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The functions of this file read values. The texts of their errors are ends of sentences for people: "is not a proxy; ...".

// ParseOrigin reads an https address of host and port only, as ServerURL has it. Addresses of the same server come out the same,
// because answers and sign-ins are kept by them: the host in lower case and without the dot of the root behind it, and no port
// where it is https' own.
func ParseOrigin(text string) (*url.URL, error) {
	u, err := ParseAddress(text)
	if err != nil {
		return nil, err
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("must be host and port only; write https://" + u.Host)
	}
	host, port := strings.ToLower(u.Hostname()), 443
	if short := strings.TrimSuffix(host, "."); strings.Contains(short, ".") { // a single name with a dot is not one of the search domains'
		host = short
	}
	if u.Port() != "" {
		port, _ = strconv.Atoi(u.Port()) // checked
	}
	if address, err := netip.ParseAddr(host); err == nil && address.Is6() {
		host = "[" + address.String() + "]"
	}
	if port != 443 {
		host += ":" + strconv.Itoa(port)
	}
	return &url.URL{Scheme: "https", Host: host}, nil
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

// hostPattern is letters, digits, hyphens and dots (RFC 1123; the underscore, which real networks have). zonePattern is the zone of
// an IPv6 address.
var (
	hostPattern = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	zonePattern = regexp.MustCompile(`^[A-Za-z0-9]*$`)
)

// ValidHost tells whether a text may be the name or the address of a computer; an IPv6 address is without brackets.
func ValidHost(host string) bool {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return err == nil && zonePattern.MatchString(address.Zone())
	}
	return len(host) <= 253 && hostPattern.MatchString(host)
}

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
// what people see, and those that are no characters, which XML does not take.
func Clean(text string) error {
	for _, r := range text {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point) || r == unicode.ReplacementChar {
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

// The name and password in an address, with its scheme in front. A password that nobody has escaped may have a slash.
var (
	userinfo    = regexp.MustCompile(`^(\s*[A-Za-z][A-Za-z0-9+.-]*://)?.*@`)
	pathUserHas = regexp.MustCompile(`^(\s*[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*@`)
)

// Masked puts asterisks in the place of a name and password in an address or proxy. No setting takes one, but people write them,
// and settings are shown to every user, logged, and sent away in support files.
func (s Setting) Masked(text string) string {
	switch {
	case s.Name == "TopUpURL": // may have an @ in its path
		return pathUserHas.ReplaceAllString(text, "${1}***@")
	case s.Kind == KindAddress || s.Kind == KindProxy:
		return userinfo.ReplaceAllString(text, "${1}***@")
	}
	return text
}
