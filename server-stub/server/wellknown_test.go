package server

import (
	"encoding/json"
	"net"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
)

// E9: what the main listener answers, through everything that stands before it.
func TestE9_WellKnownFollowsTheConfiguration(t *testing.T) {
	o := openServer(t, api.MethodPrompt)
	_, port, err := net.SplitHostPort(o.devices.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(change func()) api.WellKnown {
		cfg := *o.cfg
		defer func() { *o.cfg = cfg }()
		change()
		w := httptest.NewRecorder()
		mainHandler(o.api, o.provisioning, o.pages.everybody).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", api.PathWellKnown, nil))
		var got api.WellKnown
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return got
	}
	public := &url.URL{Scheme: "https", Host: "print.example.org:8443"}
	for name, x := range map[string]struct {
		change func()
		want   api.WellKnown
	}{
		"nothing said": {func() {}, api.WellKnown{DeviceAddress: ":" + port, CAPins: []string{o.identity.CAPin().String()}}},
		"public_url": {func() { o.cfg.PublicURL = public }, api.WellKnown{
			ServerURL: "https://print.example.org:8443", DeviceAddress: "print.example.org:" + port, CAPins: []string{o.identity.CAPin().String()},
		}},
		"a certificate of a public CA has no pin": {func() { o.cfg.TLSCert = "cert.pem" }, api.WellKnown{DeviceAddress: ":" + port}},
		"devices elsewhere": {func() { o.cfg.PublicURL, o.cfg.DeviceListen = public, "devices.example.org:0" }, api.WellKnown{
			ServerURL: "https://print.example.org:8443", DeviceAddress: "devices.example.org:" + port, CAPins: []string{o.identity.CAPin().String()},
		}},
		"devices at an address": {func() { o.cfg.PublicURL, o.cfg.DeviceListen = public, "192.0.2.5:0" }, api.WellKnown{
			ServerURL: "https://print.example.org:8443", DeviceAddress: "192.0.2.5:" + port, CAPins: []string{o.identity.CAPin().String()},
		}},
		"devices at an address, with a certificate for names": {
			func() { o.cfg.PublicURL, o.cfg.DeviceListen, o.cfg.TLSCert = public, "192.0.2.5:0", "cert.pem" },
			api.WellKnown{ServerURL: "https://print.example.org:8443", DeviceAddress: "print.example.org:" + port},
		},
		"no devices": {func() { o.devices.listener = nil }, api.WellKnown{CAPins: []string{o.identity.CAPin().String()}}},
	} {
		listener := o.devices.listener
		got := ask(x.change)
		o.devices.listener = listener
		x.want.Product, x.want.V, x.want.Version = "platen", 1, got.Version
		if diff := cmp.Diff(x.want, got); diff != "" || got.Version == "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
