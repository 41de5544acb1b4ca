package proxy

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// The decisions about Windows settings stand here, free of Windows, so that they are tested on every system;
// winhttp_windows.go has the calls.

// userSettings is what a person set in Windows (Settings, Network, Proxy).
type userSettings struct {
	Detect bool   // look for a PAC file in the network (WPAD)
	PAC    string // address of a PAC file
	Proxy  string // "proxy:8080", or "http=a:80;https=b:443"
	Bypass string // "*.example.org;<local>"
}

// winHTTP is the part of WinHTTP that is needed.
type winHTTP interface {
	Settings() (userSettings, error)
	// Resolve asks a PAC file, found by WPAD or at address pac, for the proxies of target; "" is a direct connection.
	Resolve(target string, detect bool, pac string) (list string, err error)
}

// windowsSystem implements System over WinHTTP.
type windowsSystem struct{ api winHTTP }

// Find implements System. WinHTTP cannot be interrupted: when ctx ends first, the call goes on by itself and its answer is lost.
func (w windowsSystem) Find(ctx context.Context, target *url.URL) (Choice, error) {
	type result struct {
		choice Choice
		err    error
	}
	done := make(chan result, 1)
	go func() {
		choice, err := decide(w.api, target)
		done <- result{choice, err}
	}()
	select {
	case r := <-done:
		return r.choice, r.err
	case <-ctx.Done():
		return Choice{}, fmt.Errorf("ask Windows for the proxy: %w", ctx.Err())
	}
}

// decide does what Windows programs do: WPAD, then the PAC file, then the fixed proxy. A PAC file that cannot be had is
// passed over, as on a laptop away from its network.
func decide(api winHTTP, target *url.URL) (Choice, error) {
	settings, err := api.Settings()
	if err != nil {
		return Choice{}, err
	}
	address := target.Scheme + "://" + target.Host + "/"
	note := ""
	for _, try := range []struct {
		use    bool
		detect bool
		pac    string
		origin string
	}{
		{settings.Detect, true, "", "Windows settings, WPAD"},
		{settings.PAC != "", false, settings.PAC, "Windows settings, PAC file"},
	} {
		if !try.use {
			continue
		}
		list, err := api.Resolve(address, try.detect, try.pac)
		if err != nil {
			note = "; " + try.origin + " did not answer"
			continue
		}
		return Choice{URL: pick(list, target.Scheme), Origin: try.origin}, nil
	}
	if proxy := pick(settings.Proxy, target.Scheme); proxy != nil && !bypassed(settings.Bypass, target.Hostname()) {
		return Choice{URL: proxy, Origin: "Windows settings" + note}, nil
	}
	return Choice{Origin: "Windows settings" + note}, nil
}

// pick takes the first proxy for a scheme from a list of Windows: entries "host:port", "http://host:port" or
// "https=host:port", separated by semicolons or space. An entry for the scheme goes before one for all. Nil: none.
func pick(list, scheme string) *url.URL {
	var general *url.URL
	for _, entry := range fields(list) {
		kind, address, named := strings.Cut(entry, "=")
		if !named {
			address = entry
		}
		proxy := proxyURL(address)
		switch {
		case proxy == nil:
		case named && strings.EqualFold(kind, scheme):
			return proxy
		case !named && general == nil:
			general = proxy
		}
	}
	return general
}

func proxyURL(address string) *url.URL {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	proxy, err := url.Parse(address)
	if err != nil || proxy.Host == "" || (proxy.Scheme != "http" && proxy.Scheme != "https") {
		return nil
	}
	if proxy.Port() == "" && proxy.Scheme == "http" {
		proxy.Host = net.JoinHostPort(proxy.Hostname(), "80")
	}
	return &url.URL{Scheme: proxy.Scheme, Host: proxy.Host}
}

// bypassed tells whether a host is on the list of those that need no proxy. * stands for anything, <local> for names without
// a dot; case does not matter. The computer itself never needs one.
func bypassed(list, host string) bool {
	host = strings.ToLower(host)
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return true
	}
	for _, pattern := range fields(strings.ToLower(list)) {
		if pattern == "<local>" {
			if !strings.ContainsAny(host, ".:") {
				return true
			}
			continue
		}
		if _, rest, ok := strings.Cut(pattern, "://"); ok {
			pattern = rest
		}
		if matched, err := path.Match(pattern, host); err == nil && matched {
			return true
		}
	}
	return false
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}
