package admin

import "context"

// VerbKit asks what a deployment kit says of the server.
const VerbKit = "kit"

// Kit is what computers must know of the server, for whoever hands it to them.
type Kit struct {
	ServerURL     string `json:"server_url,omitempty"`     // public_url, "" when it is not set
	CAPin         string `json:"ca_pin,omitempty"`         // of the server's own CA, "" when it uses another's certificate
	DeviceAddress string `json:"device_address,omitempty"` // host:port where computers enrol, "" when it is off
	Organisation  string `json:"organisation,omitempty"`
	UPNSuffix     string `json:"upn_suffix,omitempty"` // what the server tells clients
	Version       string `json:"version"`
}

func (s *Server) kit(context.Context, Nothing) (Kit, error) { return s.Kit(), nil }
