package server

import "github.com/platenprint/platen/server-stub/admin"

// kit is what a deployment kit says of the server: the same that it answers whoever looks for it.
func (s *server) kit() admin.Kit {
	known := s.wellKnown()
	k := admin.Kit{
		ServerURL: known.ServerURL, DeviceAddress: known.DeviceAddress, Organisation: s.cfg.Organisation, UPNSuffix: s.cfg.UPNSuffix.String(), Version: known.Version,
	}
	if len(known.CAPins) > 0 {
		k.CAPin = known.CAPins[0]
	}
	return k
}
