package session

import (
	"context"
	"errors"

	"github.com/platenprint/platen/client/status"
)

// Servers hears what the person says of the server that only the network or the package's file name names
// (Settings.Unconfirmed), and remembers it.
type Servers interface {
	// Confirm remembers that the server is theirs and returns the way to it. An error says that nothing has changed.
	Confirm(ctx context.Context, server status.Server) (Way, error)
	// Reject remembers that it is not, and returns the way to the server that was confirmed before, if there is one.
	Reject(ctx context.Context, server status.Server) (Way, error)
}

// Way is the way to a server.
type Way struct {
	Server     Server
	ServerHost string
	Problem    *status.Problem // why it cannot be asked; then Server may be nil
}

var (
	errNoQuestion    = errors.New("no server waits for an answer")
	errAnotherServer = errors.New("another server than this one waits for an answer")
)

// unconfirmed is the server that waits for the person's word, nil if none does. On a shared computer nobody is asked: one
// person's yes would send the passwords of all who come later to a place that no administrator has named.
func (m *machine) unconfirmed() *status.Server {
	if m.who.Shared {
		return nil
	}
	return m.deps.Settings.Unconfirmed
}

// confirmServer: yes, that one.
func (m *machine) confirmServer(ctx context.Context, c command) {
	m.decide(ctx, c, func(ctx context.Context, server status.Server) (Way, error) {
		return m.deps.Servers.Confirm(ctx, server)
	})
}

// rejectServer: not that one.
func (m *machine) rejectServer(ctx context.Context, c command) {
	m.decide(ctx, c, func(ctx context.Context, server status.Server) (Way, error) {
		return m.deps.Servers.Reject(ctx, server)
	})
}

// decide has the answer remembered and goes on with what it leads to.
func (m *machine) decide(ctx context.Context, c command, remember func(context.Context, status.Server) (Way, error)) {
	asked := m.unconfirmed()
	switch {
	case asked == nil:
		c.answer(failed(errNoQuestion))
		return
	case c.action.Server != asked.URL:
		c.answer(failed(errAnotherServer))
		return
	case m.deciding:
		c.answer(failed(errBusy))
		return
	}
	m.deciding = true
	server, yes := *asked, c.action.Kind == status.ActionConfirmServer
	m.task(ctx, func(ctx context.Context) func() {
		way, err := remember(ctx, server)
		return func() {
			m.deciding = false
			if err != nil {
				m.logger.WarnContext(ctx, "what was said about a server cannot be remembered", "server", server.URL, "error", err)
				c.answer(failed(err))
				return
			}
			m.logger.InfoContext(ctx, "server was named", "server", server.URL, "by", server.Where, "confirmed", yes)
			m.take(ctx, way, server, yes)
			c.answer(status.Result{OK: true})
		}
	})
}

// take goes on with the way that an answer led to, as at the start.
func (m *machine) take(ctx context.Context, way Way, server status.Server, yes bool) {
	if !yes && way.Server == nil { // there is none to go on with
		server.Rejected = true
		m.deps.Settings.Unconfirmed, m.problem = &server, m.deps.Settings.Problem
		return
	}
	// Nothing that asks the server has run yet, so that these fields had no other reader.
	m.deps.Settings.Unconfirmed, m.deps.Settings.Problem, m.deps.Settings.ServerHost = nil, way.Problem, way.ServerHost
	m.deps.Server, m.problem, m.identified, m.dismissed = way.Server, nil, false, false
	m.settleIn(ctx)
}
