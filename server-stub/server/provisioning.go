package server

import (
	"net/http"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/directory/google"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/scim"
)

// provisioning is what directories call by themselves: SCIM, and Google's word that something changed.
type provisioning struct {
	scim  *scim.Handler
	front inbound.Front
	hook  http.Handler
}

func (s *server) openProvisioning(meters *inbound.Meters) *provisioning {
	p := &provisioning{
		scim: scim.New(scim.Deps{
			Store: s.db, Engine: s.rooms.syncer, Connection: s.rooms.directories.connection, BaseURL: s.tenantURL(), Key: s.keys.Derive("SCIM counters"),
			Clock: s.now, Logger: s.logger,
		}),
		hook: google.Hook(func(id core.SourceID) directory.Source {
			c, err := s.rooms.directories.find(id)
			if err != nil {
				return nil
			}
			return c.source
		}),
	}
	p.front = inbound.Front{Router: p, Headers: inbound.APIHeaders(), Proxies: s.cfg.TrustedProxies, Meters: meters, Clock: s.now, Logger: s.logger}
	return p
}

// tenantURL is where identity providers write to.
func (s *server) tenantURL() string { return strings.TrimSuffix(s.addresses()[0], "/") + scim.Prefix }

// connection is the SCIM connection of that id.
func (d *directories) connection(id core.SourceID) (scim.Connection, bool) {
	c, err := d.find(id)
	if err != nil || c.entry.Type != configured.TypeSCIM {
		return scim.Connection{}, false
	}
	return scim.Connection{
		Source: id, Settings: settingsOf(c.entry),
		NoCreate: c.entry.AutoCreate != nil && !*c.entry.AutoCreate, NoUpdate: c.entry.AutoUpdate != nil && !*c.entry.AutoUpdate,
	}, true
}

// isProvisioning tells whether a path is for directories.
func isProvisioning(path string) bool {
	return path == scim.Prefix || strings.HasPrefix(path, scim.Prefix+"/") || strings.HasPrefix(path, google.HookPath)
}

// ServeHTTP implements http.Handler.
func (p *provisioning) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.front.ServeHTTP(w, r) }

// Routes lists every route with its policy: whose call it takes.
func (p *provisioning) Routes() map[string]string {
	routes := map[string]string{"POST " + google.HookPath + "{id}": "channel"}
	for _, pattern := range p.scim.Routes() {
		routes[pattern] = "scim"
	}
	return routes
}

// Route implements inbound.Router.
func (p *provisioning) Route(r *http.Request) (*http.Request, string, http.Handler) {
	if strings.HasPrefix(r.URL.Path, google.HookPath) {
		return r, google.HookPath + "{id}", p.hook
	}
	return r, scim.Prefix + "/", p.scim.Handler()
}

// Fail implements inbound.Router.
func (*provisioning) Fail(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500","detail":"something went wrong here; the server's log says what"}`))
}
