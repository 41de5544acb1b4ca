package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// setting is one line of the table. Keys with a dot stand in a group of the file: sign_in: {failures: 3}.
type setting struct {
	key      string
	fallback string
	doc      string
	flag     bool // has a flag of serve, named like the key with hyphens
	secret   bool // the value is not shown
	list     bool // the file may have a list; elsewhere the values are separated by commas
	beside   bool // the default depends on `listen`
	set      func(*Config, string) error
}

// table has every setting but the blocks (see blocks), which are structures of their own.
func table() []setting { return append(siteSettings(), directorySettings()...) }

func siteSettings() []setting {
	return []setting{
		{key: "listen", fallback: ":8443", flag: true, doc: "host:port of the HTTPS listener", set: setListen},
		{key: "admin_listen", fallback: "127.0.0.1:8444", flag: true, beside: true, doc: "host:port of the administrators' pages, or off", set: listenOrOff(func(c *Config) *string { return &c.AdminListen })},
		{key: "device_listen", fallback: ":8445", flag: true, beside: true, doc: "host:port for enrolled computers and devices, or off", set: listenOrOff(func(c *Config) *string { return &c.DeviceListen })},
		{key: "public_url", doc: "how people and programs outside reach the server, https://...", set: func(c *Config, v string) (err error) {
			c.PublicURL, err = parseURL(v)
			if err == nil && c.PublicURL != nil && (c.PublicURL.Scheme != "https" || c.PublicURL.Path != "" && c.PublicURL.Path != "/") {
				return errors.New("write https://HOST or https://HOST:PORT, without a path")
			}
			return err
		}},
		{key: "organisation", doc: "what the site calls itself, shown in the clients' windows", set: text(100, func(c *Config) *string { return &c.Organisation })},
		{key: "currency", fallback: "EUR", doc: "ISO 4217 code; it cannot be changed once money was booked", set: func(c *Config, v string) (err error) {
			c.Currency, err = core.ParseCurrency(v)
			return err
		}},
		{key: "upn_suffix", doc: "what stands behind the @ of a short name: example.org, or rules such as CORP=example.org; 10.1.0.0/16=lab.example.org", set: setUPNSuffix},
		{key: "low_balance", doc: "below this amount a balance counts as low", set: func(c *Config, v string) error {
			if v == "" {
				return nil
			}
			a, err := core.ParseAmount(v)
			c.LowBalance = a.String()
			return err
		}},
		{key: "top_up_url", doc: "where people buy credit", set: webURL(func(c *Config) *string { return &c.TopUpURL })},
		{key: "portal_url", doc: "where people look after their account in a browser", set: webURL(func(c *Config) *string { return &c.PortalURL })},
		{key: "help_text", doc: "whom to ask, shown when something is wrong", set: text(300, func(c *Config) *string { return &c.HelpText })},
		{key: "database", secret: true, doc: "postgres://USER:PASSWORD@HOST/NAME; without it SQLite in the data folder", set: setDatabase},
		{key: "tls_cert", doc: "PEM file with the server's certificate and its chain, instead of the own CA", set: text(4096, func(c *Config) *string { return &c.TLSCert })},
		{key: "tls_key", doc: "PEM file with its key", set: text(4096, func(c *Config) *string { return &c.TLSKey })},
		{key: "trusted_proxies", list: true, doc: "networks of the proxies whose X-Forwarded-For is believed", set: prefixes(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies })},
		{key: "metrics_from", fallback: "127.0.0.0/8, ::1/128", list: true, doc: "networks that may read /metrics", set: prefixes(func(c *Config) *[]netip.Prefix { return &c.MetricsFrom })},
		{key: "sign_in.link", fallback: "auto", doc: "what becomes of the short name of a domain computer's account once its person has proven who they are: auto (an alias), review (proposed) or off", set: func(c *Config, v string) error {
			if !slices.Contains([]string{"auto", "review", "off"}, v) {
				return errors.New("write auto, review or off")
			}
			c.SignIn.Link = v
			return nil
		}},
		{key: "sign_in.shared_os_users", list: true, doc: "computer accounts that many people use; they are never linked to anybody", set: func(c *Config, v string) error {
			c.SignIn.SharedOSUsers = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
			return nil
		}},
		{key: "sign_in.modes", fallback: "auto", list: true, doc: "the ways of signing in, best first: any of trust, microsoft, browser, prompt; auto is what is configured", set: setModes},
		{key: "log_level", fallback: "info", flag: true, doc: "debug, info, warn or error", set: func(c *Config, v string) error {
			if c.LogLevel.UnmarshalText([]byte(v)) != nil {
				return errors.New("write debug, info, warn or error")
			}
			return nil
		}},
	}
}

func setListen(c *Config, v string) error {
	c.Listen = v
	return checkListen(v)
}

func checkListen(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("write HOST:PORT, or :PORT for every address")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strings.ContainsAny(host, " /") {
		return fmt.Errorf("port %d: write HOST:PORT with a port from 0 to 65535", n)
	}
	return nil
}

func setUPNSuffix(c *Config, v string) (err error) {
	c.UPNSuffix, err = usermap.ParseRules(v)
	return err
}

func setDatabase(c *Config, v string) error {
	if v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errors.New("write postgres://USER:PASSWORD@HOST/NAME, or nothing for SQLite in the data folder")
	}
	c.Database = secret.New(v)
	return nil
}

func text(most int, field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if len(v) > most {
			return fmt.Errorf("at most %d bytes", most)
		}
		*field(c) = v
		return nil
	}
}

func webURL(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		u, err := parseURL(v)
		if u != nil {
			*field(c) = u.String()
		}
		return err
	}
}

func parseURL(v string) (*url.URL, error) {
	if v == "" {
		return nil, nil //nolint:nilnil // no address is a good answer for a setting without one
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, errors.New("write a web address, such as https://print.example.org")
	}
	return u, nil
}

func prefixes(field func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, v string) error {
		var list []netip.Prefix
		for part := range strings.SplitSeq(v, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			p, err := netip.ParsePrefix(part)
			if err != nil {
				addr, err := netip.ParseAddr(part)
				if err != nil {
					return fmt.Errorf("%q: write networks such as 10.0.0.0/8 or addresses, separated by commas", part)
				}
				p = netip.PrefixFrom(addr, addr.BitLen())
			}
			list = append(list, p.Masked())
		}
		*field(c) = list
		return nil
	}
}
