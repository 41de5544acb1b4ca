package agent

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/connect"
	"github.com/platenprint/platen/client/servers"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
)

// site is the server of this run: the one of the settings, or one that the person confirmed, before or just now.
type site struct {
	*agent
	remembered *servers.Store

	mu    sync.Mutex // guards the fields below
	used  config.Config
	ready bool // there is a way to its server
}

var _ session.Servers = (*site)(nil)

// config is the settings with the server that is used; ServerURL is nil while there is none.
func (s *site) config() config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func (s *site) use(c config.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = c
}

// begin chooses the server of the start. ask is one that waits for the person's word.
func (s *site) begin(configErr error) (way session.Way, ask *status.Server) {
	c, ask := s.remembered.Choose(s.settings)
	if ask == nil {
		return s.way(c, unusable(c, configErr)), nil
	}
	none := c
	none.ServerURL = nil
	s.use(none)
	if configErr != nil {
		return session.Way{Problem: unusable(c, configErr)}, nil
	}
	return session.Way{Problem: unconfirmed(*ask)}, ask
}

// way is the way to the server of c.
func (s *site) way(c config.Config, problem *status.Problem) session.Way {
	s.use(c)
	way := session.Way{Problem: problem}
	if c.ServerURL != nil {
		way.ServerHost = c.ServerURL.Hostname()
	}
	if problem != nil {
		return way
	}
	client, err := connect.New(c, s.logger, clock.System)
	if err != nil {
		way.Problem = &status.Problem{Code: status.ProblemConfig, Host: way.ServerHost, Details: err.Error()}
	}
	s.mu.Lock()
	s.ready = err == nil
	s.mu.Unlock()
	way.Server = server{client}
	return way
}

// Confirm implements session.Servers. A folder that cannot be written means that it is asked again at the next start.
func (s *site) Confirm(ctx context.Context, server status.Server) (session.Way, error) {
	if err := s.remembered.Confirm(server); err != nil {
		s.logger.WarnContext(ctx, "a confirmed server cannot be remembered", "error", err)
	}
	return s.way(servers.With(s.settings, server.URL, server.Pin), nil), nil
}

// Reject implements session.Servers.
func (s *site) Reject(_ context.Context, server status.Server) (session.Way, error) {
	if err := s.remembered.Reject(server); err != nil {
		return session.Way{}, err
	}
	c, ask := s.remembered.Choose(s.settings)
	if ask != nil {
		return session.Way{}, nil
	}
	return s.way(c, unusable(c, nil)), nil
}

// isOf tells whether the computer is a device of the server that is used. One that a setting names is taken at its word; one that
// only a person has confirmed must be where the device's listener is, or the one that the computer's own settings name.
func (s *site) isOf(device ipc.Status) bool {
	if s.set() {
		return true
	}
	used := s.config().ServerURL
	return used != nil && (used.String() == device.Wanted || sameHost(device.ServerURL, used))
}

// isPage tells whether a page is one of the server that is used. Again, one that a setting names is taken at its word: its own name
// may be another than the one that it is reached by here.
func (s *site) isPage(address string) bool {
	if s.set() {
		return true
	}
	used := s.config().ServerURL
	return used != nil && sameHost(address, used)
}

// set tells whether a setting names the server, and not only the network or a person.
func (s *site) set() bool { return s.settings.ServerURL != nil && servers.Of(s.settings) == nil }

func sameHost(address string, used *url.URL) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), used.Hostname())
}

// unusable says why no server can be asked, nil if one can.
func unusable(c config.Config, err error) *status.Problem {
	switch {
	case err != nil:
		return &status.Problem{Code: status.ProblemConfig, Details: err.Error()}
	case c.ServerURL == nil:
		return &status.Problem{Code: status.ProblemNotConfigured, Details: "no setting names a server: set ServerURL"}
	}
	return nil
}

// unconfirmed says why a server that nobody who may decide has named is not used.
func unconfirmed(s status.Server) *status.Problem {
	by := "the network"
	if s.Where == status.WherePackage {
		by = "the file name of the package"
	}
	said := "and nobody has confirmed it"
	if s.Rejected {
		said = "but you said that it is not yours"
	}
	return &status.Problem{
		Code: status.ProblemNotConfigured,
		Details: fmt.Sprintf("%s names the server %s (%s), %s; platen confirm-server does, the setting ServerURL makes it needless",
			by, s.URL, s.Source, said),
	}
}
