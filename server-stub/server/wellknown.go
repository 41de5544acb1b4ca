package server

import (
	"net"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
)

// wellKnown is what the server tells of itself to computers that look for it.
func (s *server) wellKnown() api.WellKnown {
	w := api.WellKnown{Product: api.WellKnownProduct, V: api.WellKnownV, DeviceAddress: s.deviceAddress(), Version: buildinfo.Version}
	if s.cfg.PublicURL != nil {
		w.ServerURL = s.cfg.PublicURL.String()
	}
	if s.cfg.TLSCert == "" {
		w.CAPins = []string{s.identity.CAPin().String()}
	}
	return w
}

// deviceAddress is where computers enrol, for somebody who has reached the HTTPS listener: without a host it is the host they asked.
// "" means that there is no such place.
func (s *server) deviceAddress() string {
	if s.devices == nil || s.devices.listener == nil {
		return ""
	}
	host, _, _ := net.SplitHostPort(s.cfg.DeviceListen) // it was listened on
	_, port, _ := net.SplitHostPort(s.devices.listener.Addr().String())
	listens, _, _ := net.SplitHostPort(s.cfg.Listen)
	ip := net.ParseIP(host)
	anywhere := host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) || strings.EqualFold(host, listens) ||
		ip != nil && s.cfg.TLSCert != "" // a certificate of a public CA is for names
	switch {
	case !anywhere:
	case s.cfg.PublicURL != nil:
		host = s.cfg.PublicURL.Hostname()
	default:
		host = ""
	}
	return net.JoinHostPort(host, port)
}
