package sources

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Domains looks for _platen._tcp SRV records (RFC 2782) in the computer's domains, one after the other. Anybody who runs
// the network can write such a record: a person confirms the server it names (Origin.Unconfirmed).
type Domains struct {
	Resolver Resolver
	Names    []string // "example.org"; names without a dot are not asked, they belong to nobody
}

// Discover implements Discovery.
func (d Domains) Discover(ctx context.Context) (Found, error) {
	var found Found
	var failed error
	for _, domain := range asked(d.Names) {
		found.Where = "_platen._tcp." + domain
		_, records, err := d.Resolver.LookupSRV(ctx, "platen", "tcp", domain+".")
		if err != nil {
			if dnsErr, ok := errors.AsType[*net.DNSError](err); !ok || !dnsErr.IsNotFound {
				failed = err
			}
			continue
		}
		for _, record := range steady(records) {
			host := strings.TrimSuffix(record.Target, ".")
			if host == "" || record.Port == 0 { // "." says: decidedly not here
				continue
			}
			found.ServerURL = "https://" + net.JoinHostPort(host, strconv.Itoa(int(record.Port)))
			return found, nil
		}
	}
	return found, failed
}

// steady puts records into an order that is the same each time: by priority, then the heavier first, then by name. The resolver
// shuffles by weight, as RFC 2782 wants it; but a person is asked about each server that they have not confirmed, and would be asked
// again and again about one after the other.
func steady(records []*net.SRV) []*net.SRV {
	return slices.SortedFunc(slices.Values(records), func(a, b *net.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
			cmp.Compare(strings.ToLower(a.Target), strings.ToLower(b.Target)), cmp.Compare(a.Port, b.Port))
	})
}

// asked lists the domains that may be asked: a name without a dot belongs to nobody.
func asked(names []string) []string {
	var list []string
	for _, name := range names {
		if name = strings.Trim(name, "."); strings.Contains(name, ".") && settings.ValidHost(name) {
			list = append(list, name)
		}
	}
	return list
}

// SearchDomains lists the domains in which this computer looks for short host names, from /etc/resolv.conf or, on Windows,
// from the TCP/IP parameters of the registry. None is no error.
func SearchDomains(c Computer) []string {
	if c.GOOS == "windows" {
		return registryDomains(c.Registry)
	}
	text, err := c.readShared("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return resolvConfDomains(string(text))
}

// resolvConfDomains follows resolv.conf(5): "search" and "domain" exclude each other, the last one counts.
func resolvConfDomains(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && (fields[0] == "search" || fields[0] == "domain") {
			names = fields[1:]
		}
	}
	return names
}

func registryDomains(registry Registry) []string {
	if registry == nil {
		return nil
	}
	values, err := registry.Values(`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`)
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range []string{"SearchList", "Domain", "DhcpDomain"} {
		names = append(names, strings.FieldsFunc(values[name], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return names
}
