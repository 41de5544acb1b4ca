package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// PackageName is a server that a package's file name tells: platen--HOST.msi, platen--HOST--PORT.msi,
// platen--HOST--PORT--PIN.msi. A version may stand before it: platen-1.2.3-x64--HOST.msi. It is a hint for computers that
// nobody manages; a person confirms it.
type PackageName struct {
	Host string // lower case
	Port int    // 0: https' own
	Pin  string // sha256/BASE64 as CAPin has it; empty: the system's store decides
}

// ErrPackageName says that a file name means to tell a server and does not; it tells nothing at all then.
var ErrPackageName = errors.New("the package's file name names no usable server; write it like platen--print.example.org--8443.msi")

// A label has two hyphens only as an internationalised one (xn--, RFC 5891): else they end the host. The pin is SHA-256 in
// base64url without padding (RFC 4648 section 5); its hyphens are its own because its length is fixed.
var (
	packagePrefix = regexp.MustCompile(`^(?i:platen)(?:[-_ ]v?[0-9][0-9A-Za-z.~+_-]*)?$`)
	packageServer = regexp.MustCompile(`^((?:xn--)?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:xn--)?[a-z0-9]+(?:-[a-z0-9]+)*)*)` +
		`(?:--([0-9]{1,5}))?(?:--([0-9A-Za-z_-]{43}))?$`)
	packageExtension = regexp.MustCompile(`(?i)\.(?:msi|pkg|deb|rpm)$`)
	packageCopy      = regexp.MustCompile(`^(.*[0-9A-Za-z_])-[0-9]{1,2}$`)
)

// maxName is longer than what any file system lets a file be called, in bytes.
const maxName = 512

// ParsePackageName reads the name of a package, or its path with slashes of either kind. told is false where the name means
// to tell nothing: platen-1.2.3-x64.msi. What browsers and file managers add does not matter: " (1)", "(1)", " - Copy",
// "-2", "%20", a second extension.
func ParsePackageName(file string) (p PackageName, told bool, err error) {
	if len(file) > 4096 {
		return PackageName{}, true, ErrPackageName
	}
	name := file[strings.LastIndexAny(file, `/\`)+1:]
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain[strings.LastIndexAny(plain, `/\`)+1:]
	}
	prefix, rest, told := strings.Cut(strings.TrimSpace(name), "--")
	if !told || !packagePrefix.MatchString(prefix) {
		return PackageName{}, false, nil
	}
	if len(rest) > maxName {
		return PackageName{}, true, ErrPackageName
	}
	p, ok := parseServer(tidy(rest))
	if !ok {
		return PackageName{}, true, ErrPackageName
	}
	return p, true, nil
}

// tidy takes off what is not the server: extensions, and what was added for a copy.
func tidy(rest string) string {
	for {
		shorter := strings.TrimRight(packageExtension.ReplaceAllString(rest, ""), " ._")
		if i := strings.IndexAny(shorter, " (["); i >= 0 {
			shorter = strings.TrimRight(shorter[:i], "._+")
		}
		if shorter == rest {
			return rest
		}
		rest = shorter
	}
}

func parseServer(text string) (PackageName, bool) {
	p, ok := matchServer(text)
	if copied := packageCopy.FindStringSubmatch(text); copied != nil {
		// The number of a copy (macOS): no top level domain ends like this, and neither does a port. A host without a dot may.
		if shorter, fits := parseServer(copied[1]); fits && (!ok || p.Pin == "" && (p.Port != 0 || strings.Contains(p.Host, "."))) {
			return shorter, true
		}
	}
	return p, ok
}

func matchServer(text string) (PackageName, bool) {
	m := packageServer.FindStringSubmatch(text)
	if m == nil { // a host may be written in capitals, a pin may not
		host, more, _ := strings.Cut(text, "--")
		if lower := strings.ToLower(host); lower != host && lower != "xn" {
			return matchServer(strings.TrimSuffix(lower+"--"+more, "--"))
		}
		return PackageName{}, false
	}
	p := PackageName{Host: m[1]}
	if len(p.Host) > 253 {
		return PackageName{}, false
	}
	if m[2] != "" {
		port, err := strconv.Atoi(m[2])
		if err != nil || port < 1 || port > 65535 {
			return PackageName{}, false
		}
		p.Port = port
	}
	if m[3] != "" {
		sum, err := base64.RawURLEncoding.Strict().DecodeString(m[3])
		if err != nil {
			return PackageName{}, false
		}
		p.Pin = "sha256/" + base64.StdEncoding.EncodeToString(sum)
	}
	return p, true
}

// ServerURL is the server as the setting has it.
func (p PackageName) ServerURL() string {
	if p.Port == 0 {
		return "https://" + p.Host
	}
	return "https://" + p.Host + ":" + strconv.Itoa(p.Port)
}

// FileName is what a package of that name is called so that it tells the server: platen-1.2.3-x64.msi becomes
// platen-1.2.3-x64--print.example.org--8443.msi. It fails where the name would not be read back as p.
func (p PackageName) FileName(file string) (string, error) {
	extension := path.Ext(file)
	name := strings.TrimSuffix(file, extension) + "--" + p.Host
	want := p
	if p.Pin != "" && p.Port == 0 {
		want.Port = 443
	}
	if want.Port != 0 {
		name += "--" + strconv.Itoa(want.Port)
	}
	if p.Pin != "" {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.Pin, "sha256/"))
		if err != nil {
			return "", fmt.Errorf("name a package for %s: the pin %q is not sha256/BASE64", p.Host, p.Pin)
		}
		name += "--" + base64.RawURLEncoding.EncodeToString(sum)
	}
	name += extension
	if back, _, err := ParsePackageName(name); err != nil || back != want {
		return "", fmt.Errorf("name a package for %s: this host, port and pin cannot be written into the name %s", p.Host, file)
	}
	return name, nil
}
