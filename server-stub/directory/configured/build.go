package configured

import (
	"fmt"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/csvfile"
	"github.com/platenprint/platen/server-stub/directory/entra"
	"github.com/platenprint/platen/server-stub/directory/google"
	"github.com/platenprint/platen/server-stub/directory/ldap"
)

// Build makes the sources, in the order of the list, without connecting to any. An error names the source, the key and
// the remedy.
func Build(list []Config, secrets Secrets, logger *slog.Logger, now clock.Clock) ([]directory.Source, error) {
	sources := make([]directory.Source, 0, len(list))
	seen := map[string]int{}
	for i, c := range list {
		if first, twice := seen[c.ID]; twice {
			return nil, fmt.Errorf("%w: directories: entries %d and %d have the same id %q: give each its own", core.ErrInvalid, first+1, i+1, c.ID)
		}
		seen[c.ID] = i
		source, err := One(c, secrets, logger, now)
		if err != nil {
			return nil, fmt.Errorf("directories: entry %d: %w", i+1, err)
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// One makes the source of one entry; see Build.
func One(c Config, secrets Secrets, logger *slog.Logger, now clock.Clock) (directory.Source, error) {
	c = c.WithDefaults()
	wrong := func(key, format string, args ...any) error {
		return fmt.Errorf("%w: source %q: %s: %s", core.ErrInvalid, c.ID, key, fmt.Sprintf(format, args...))
	}
	if strings.Trim(c.ID, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || c.ID == "" || len(c.ID) > 64 {
		return nil, wrong("id", "write a short name of small letters, digits, dot, hyphen and underscore, such as corp")
	}
	rule, err := directory.ParseUsernameRule(c.Username)
	switch {
	case err != nil:
		return nil, fmt.Errorf("source %q: %w", c.ID, err)
	case c.Interval < minInterval && c.Type != TypeSCIM:
		return nil, wrong("interval", "%s is too short: write %s or more", c.Interval, minInterval)
	case c.Brake.Disabled < 0 || c.Brake.Disabled > 100 || c.Brake.Renamed < 0 || c.Brake.Renamed > 100 || c.Brake.Floor < 0:
		return nil, wrong("brake", "percentages are 1 to 100 and floor is not negative")
	case c.Lockout.MaxFailures < 1 || c.Lockout.Window < time.Minute:
		return nil, wrong("lockout", "max_failures is 1 or more and window a minute or more; keep max_failures below the directory's own threshold")
	}
	if !slices.Contains(types, c.Type) {
		return nil, wrong("type", "%q: write %s", c.Type, oneOf(types))
	}
	if address, err := mail.ParseAddress(c.Notify); c.Notify != "" && (err != nil || address.Name != "") {
		return nil, wrong("notify", "%q is no e-mail address; write one, such as it@example.org", c.Notify)
	}
	if c.Replaces == c.ID {
		return nil, wrong("replaces", "a directory cannot take over from itself; write the id of the old one")
	}
	for _, k := range c.keys() {
		if k.set && !slices.Contains(k.types, c.Type) {
			return nil, wrong(k.name, "it is for type: %s; remove it", strings.Join(k.types, " or "))
		}
	}
	switch c.Type {
	case TypeLDAP:
		return ldap.New(ldap.Config{
			ID: core.SourceID(c.ID), URLs: c.URL, StartTLS: c.StartTLS, CAFile: c.CAFile, ServerName: c.ServerName,
			BindDN: c.BindDN, BindPassword: c.secret("bind_password", c.BindPasswordFile, secrets), BaseDN: c.BaseDN, Filter: c.Filter, Product: ldap.Product(c.Product),
			Username: rule, UPNAsUsername: c.UPNAsUsername, Domain: c.Domain, Attributes: attributes(c.Attributes),
			GroupBaseDN: c.GroupBaseDN, GroupFilter: c.GroupFilter, Incremental: ldap.Incremental(c.Incremental),
			PageSize: c.PageSize, Timeout: c.Timeout, PageTimeout: c.PageTimeout,
		}, logger, now)
	case TypeEntra:
		expires, err := c.secretExpires()
		if err != nil {
			return nil, wrong("client_secret_expires", "%v", err)
		}
		return entra.New(entra.Config{
			ID: core.SourceID(c.ID), Tenant: c.Tenant, ClientID: c.ClientID, ClientSecret: c.secret("client_secret", c.ClientSecretFile, secrets), ClientCertificate: c.secret("client_certificate", c.ClientCertificateFile, secrets),
			Cloud: entra.Cloud(c.Cloud), Authority: c.Authority, GraphURL: c.GraphURL, AllowAnyAuthority: c.AllowAnyAuthority, CAFile: c.CAFile,
			Username: rule, Domain: c.Domain, NetBIOS: c.NetBIOSDomains, Guests: c.Guests, PageSize: c.PageSize,
			Cards: c.Cards, AccessCode: c.AccessCode, PIN: c.PIN, EmployeeIDAsCard: c.UpdateCardID != nil && *c.UpdateCardID,
			NoGroups: c.ReadGroups != nil && !*c.ReadGroups, ClientSecretExpires: expires,
		}, logger, now)
	case TypeGoogle:
		return google.New(google.Config{
			ID: core.SourceID(c.ID), Customer: c.Customer, ServiceAccount: c.secret("service_account", c.ServiceAccountFile, secrets), Subject: c.Subject,
			OrgUnits: c.OrgUnits, CardFields: c.CardFields, CodeField: c.CodeField, WatchURL: c.WatchURL,
			APIURL: c.APIURL, AllowAnyAuthority: c.AllowAnyAuthority, CAFile: c.CAFile, Username: rule, PageSize: c.PageSize,
		}, logger, now)
	case TypeSCIM:
		return pushed{core.SourceID(c.ID)}, nil
	}
	if c.Path == "" {
		return nil, wrong("path", "write the name of the CSV file")
	}
	return csvfile.New(csvfile.Config{ID: core.SourceID(c.ID), Path: c.Path, Username: rule, Domain: c.Domain}), nil
}

func attributes(lists map[string]List) map[string][]string {
	out := make(map[string][]string, len(lists))
	for key, names := range lists {
		out[key] = names
	}
	return out
}

// secretExpires is when the client secret ends: with the day that is written.
func (c Config) secretExpires() (time.Time, error) {
	if c.ClientSecretExpires == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, c.ClientSecretExpires)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: write the day, such as 2027-01-31", c.ClientSecretExpires)
	}
	return day, nil
}

// oneOf lists words for a message.
func oneOf(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
