package osuser

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/auth/usermap"
)

// nss is a Unix system whose accounts come from /etc/passwd and the services of /etc/nsswitch.conf.
type nss struct {
	files    fs.FS // the root of the file system
	uid      int
	hostname string
	getenv   func(string) string
	// getent asks one service for the passwd line of a user id; an error if it has none.
	getent func(ctx context.Context, service string, uid int) (string, error)
}

var errNoName = errors.New("the system has no name for the user id")

// of is current for the account of somebody else's process: there is no environment to ask, and a name that nobody
// vouches for is none.
func (n nss) of(ctx context.Context) (Account, error) {
	n.getenv = func(string) string { return "" }
	return n.current(ctx)
}

// current finds the account. /etc/passwd first: whoever stands there is local, whatever a directory says. Then each
// service of nsswitch.conf is asked by itself, so that we know which one vouches for the name. The environment comes
// last, and a name from there has no kind.
func (n nss) current(ctx context.Context) (Account, error) {
	a, err := n.lookup(ctx)
	if err != nil {
		return Account{}, fmt.Errorf("find the account of user id %d: %w", n.uid, err)
	}
	a.UID = strconv.Itoa(n.uid)
	a.JoinDomain, a.JoinRealm = n.membership()
	return a, nil
}

func (n nss) lookup(ctx context.Context) (Account, error) {
	if entry, ok := n.local(); ok {
		return Account{Raw: entry.name, Name: entry.name, Kind: usermap.KindLocal, Hostname: n.hostname, DisplayName: entry.fullName()}, nil
	}
	for _, service := range n.services() {
		line, err := n.getent(ctx, service, n.uid)
		if err != nil {
			continue
		}
		if entry, ok := parsePasswd(line); ok && entry.uid == n.uid {
			return n.fromDirectory(entry, service), nil
		}
	}
	for _, name := range []string{n.getenv("USER"), n.getenv("LOGNAME")} {
		if name != "" {
			a := Parse(name, n.hostname, "linux")
			a.Kind = usermap.KindUnknown
			return a, nil
		}
	}
	return Account{}, errNoName
}

// fromDirectory is an account that a service of nsswitch.conf vouches for.
func (n nss) fromDirectory(entry passwd, service string) Account {
	a := Parse(entry.name, n.hostname, "linux")
	a.DisplayName = entry.fullName()
	switch service {
	case "sss", "winbind":
		if a.Kind != usermap.KindLocal {
			a.Kind = usermap.KindDomain
		}
	case "himmelblau", "aad": // Entra ID for Linux: the login name is the UPN
		a.Kind = usermap.KindAzureAD
		if a.Domain != "" && strings.Contains(entry.name, "@") {
			a.UPN, a.Domain = entry.name, "AzureAD"
		}
	default: // systemd, ldap, nis: which directory stands behind it is not known
		a.Kind = usermap.KindUnknown
	}
	return a
}

// passwd is the part of a line of passwd(5) that matters here.
type passwd struct {
	name, gecos string
	uid         int
}

// fullName is the first part of GECOS.
func (p passwd) fullName() string {
	name, _, _ := strings.Cut(p.gecos, ",")
	return strings.TrimSpace(name)
}

func parsePasswd(line string) (passwd, bool) {
	fields := strings.Split(strings.TrimRight(line, "\r\n"), ":")
	if len(fields) < 7 || fields[0] == "" || strings.HasPrefix(fields[0], "#") {
		return passwd{}, false
	}
	uid, err := strconv.Atoi(fields[2])
	return passwd{name: fields[0], uid: uid, gecos: fields[4]}, err == nil
}

// local finds the user id in /etc/passwd. Of several names for one id, the one that the session goes by counts.
func (n nss) local() (passwd, bool) {
	var found []passwd
	for line := range n.lines("etc/passwd") {
		if entry, ok := parsePasswd(line); ok && entry.uid == n.uid {
			found = append(found, entry)
		}
	}
	if i := slices.IndexFunc(found, func(p passwd) bool { return p.name == n.getenv("USER") }); i > 0 {
		return found[i], true
	}
	if len(found) == 0 {
		return passwd{}, false
	}
	return found[0], true
}

// services are those that nsswitch.conf asks for accounts, without files.
func (n nss) services() []string {
	var found []string
	for line := range n.lines("etc/nsswitch.conf") {
		line, _, _ = strings.Cut(line, "#")
		name, list, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != "passwd" {
			continue
		}
		for _, service := range strings.Fields(list) {
			if service != "files" && service != "compat" && !strings.ContainsAny(service, "[]=!") {
				found = append(found, service)
			}
		}
	}
	return found
}

// membership tells the domain that the computer has joined: Samba's for winbind, Kerberos' where there is a keytab (which
// realmd, adcli and FreeIPA write on joining).
func (n nss) membership() (domain, realm string) {
	samba := n.section("etc/samba/smb.conf", "global")
	if security := strings.ToLower(samba["security"]); security == "ads" || security == "domain" {
		domain, realm = samba["workgroup"], samba["realm"]
	}
	if _, err := fs.Stat(n.files, "etc/krb5.keytab"); err == nil && realm == "" {
		realm = n.section("etc/krb5.conf", "libdefaults")["default_realm"]
	}
	return domain, realm
}

// section reads the "key = value" lines of one section of a configuration file.
func (n nss) section(path, name string) map[string]string {
	values := map[string]string{}
	var inside bool
	for line := range n.lines(path) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line[0] == '#', line[0] == ';':
		case line[0] == '[':
			inside = strings.EqualFold(strings.Trim(line, "[] \t"), name)
		case inside:
			if key, value, ok := strings.Cut(line, "="); ok {
				values[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	return values
}

// lines yields the lines of a file, none if it cannot be read.
func (n nss) lines(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		raw, err := fs.ReadFile(n.files, path)
		if err != nil {
			return
		}
		for scanner := bufio.NewScanner(bytes.NewReader(raw)); scanner.Scan(); {
			if !yield(scanner.Text()) {
				return
			}
		}
	}
}
