package sources

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/settings"
)

// ErrNotPlaten says that what answered is no Platen server of a version that this program knows.
var ErrNotPlaten = errors.New("the answer is not a Platen server's")

// ReadWellKnown reads a response to GET api.PathWellKnown, and checks all of it but ServerURL. It closes nothing. ErrNotPlaten
// if the response is something else.
func ReadWellKnown(r *http.Response) (api.WellKnown, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.StatusCode != http.StatusOK || err != nil || kind != "application/json" {
		return api.WellKnown{}, fmt.Errorf("%w: it is %s, %s", ErrNotPlaten, settings.Visible(r.Status), settings.Visible(r.Header.Get("Content-Type")))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, api.MaxWellKnown+1))
	if err != nil {
		return api.WellKnown{}, err
	}
	var w api.WellKnown
	if len(body) > api.MaxWellKnown || json.Unmarshal(body, &w) != nil || w.Product != api.WellKnownProduct {
		return api.WellKnown{}, ErrNotPlaten
	}
	if w.V != api.WellKnownV {
		return api.WellKnown{}, fmt.Errorf("%w: its document has version %d, this program knows version %d", ErrNotPlaten, w.V, api.WellKnownV)
	}
	if len(w.CAPins) > api.MaxCAPins || len(w.DeviceAddress) > api.MaxDeviceAddr {
		return api.WellKnown{}, ErrNotPlaten
	}
	for _, pin := range w.CAPins {
		if _, err := api.ParsePin(pin); err != nil {
			return api.WellKnown{}, fmt.Errorf("%w: %w", ErrNotPlaten, err)
		}
	}
	return w, nil
}

// SameHost follows a redirect to the same host only, and not many: what another host says was not asked for.
func SameHost(next *http.Request, before []*http.Request) error {
	if first := before[0].URL; next.URL.Scheme == first.Scheme && next.URL.Host == first.Host && len(before) < 4 {
		return nil
	}
	return http.ErrUseLastResponse
}

// Web asks https://print.DOMAIN/.well-known/platen in the computer's domains. The certificate must be one of the system's
// store; still, whoever runs the network can choose the domain, so a person confirms the server. Pins count for servers in that
// domain only.
type Web struct {
	Names     []string          // as of Domains
	Transport http.RoundTripper // nil: the system's certificates, and the proxy of the environment
}

// Discover implements Discovery.
func (w Web) Discover(ctx context.Context) (Found, error) {
	transport := w.Transport
	if transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: 32 << 10}
		defer own.CloseIdleConnections()
		transport = own
	}
	client := &http.Client{Transport: transport, CheckRedirect: SameHost}
	var found Found
	var failed error
	for _, domain := range asked(w.Names) {
		asked := url.URL{Scheme: "https", Host: "print." + strings.ToLower(domain)}
		found.Where = asked.String() + api.PathWellKnown
		known, err := get(ctx, client, found.Where)
		if err != nil {
			if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted || ctx.Err() != nil {
				failed = err // somebody is there; everything else says that there is no server
			}
			continue
		}
		found.ServerURL = known.ServerURL
		if found.ServerURL == "" {
			found.ServerURL = asked.String()
		}
		if u, err := settings.ParseOrigin(found.ServerURL); err == nil && u.Host != asked.Host && within(u.Hostname(), domain) {
			found.CAPin = strings.Join(known.CAPins, ",") // the host that was asked has shown that the system's store knows it
		}
		return found, nil
	}
	return found, failed
}

// within tells whether a host is of the domain. The certificate of print.DOMAIN says nothing about the servers of other domains: a
// pin for one of those could put somebody else in the place of a server that the person knows by name.
func within(host, domain string) bool {
	host, domain = strings.ToLower(host), strings.ToLower(domain)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

func get(ctx context.Context, client *http.Client, address string) (api.WellKnown, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return api.WellKnown{}, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return api.WellKnown{}, err
	}
	defer func() { _ = response.Body.Close() }()
	return ReadWellKnown(response)
}

// Network asks both ways at once, so that one that does not answer holds the other up no longer than the caller's time. The DNS
// is the stronger.
type Network struct {
	DNS Discovery // Domains
	Web Discovery // Web
}

// Discover implements Discovery.
func (n Network) Discover(ctx context.Context) (Found, error) {
	type answer struct {
		found Found
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	web := make(chan answer, 1)
	go func() {
		found, err := n.Web.Discover(ctx)
		web <- answer{found, err}
	}()
	found, err := n.DNS.Discover(ctx)
	if found.ServerURL != "" {
		return found, nil
	}
	other := <-web
	if other.found.ServerURL != "" {
		return other.found, nil
	}
	if err == nil {
		return other.found, other.err
	}
	return found, errors.Join(err, other.err)
}
