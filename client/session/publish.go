package session

import (
	"cmp"
	"time"

	"github.com/platenprint/platen/client/status"
)

// state follows from who is signed in and how.
func (m *machine) state() status.State {
	switch {
	case m.stopping:
		return status.StateShutting
	case m.in != nil && m.in.connected:
		return status.StateFollowing
	case m.in != nil && m.in.lost:
		return status.StateOffline
	case m.in != nil && len(m.in.first) > 0, m.in == nil && m.attempt != nil && !m.attempt.silent:
		return status.StateSigningIn
	case m.in != nil, m.attempt != nil, !m.identified:
		return status.StateStarting
	}
	return status.StateSignedOut
}

// publish shows the state.
func (m *machine) publish() {
	set, ways := m.deps.Settings, m.ways()
	s := status.Snapshot{
		Version: status.Version, State: m.state(), Connection: status.ConnectionNone, AuthMode: m.authMode(ways),
		OSAccount: m.who.Account, HideBalance: set.HideBalance, Problem: m.problem, Keyring: m.keyring, Shared: m.who.Shared,
		NewName: m.newName, Organisation: m.site.Organisation, ServerHost: set.ServerHost, PortalURL: m.site.PortalURL,
		TopUpURL: set.TopUpURL, HelpText: m.site.HelpText, NoTray: m.noTray, Opened: m.opened, OpenPage: m.openPage,
	}
	m.publishServer(&s)
	if s.TopUpURL == "" {
		s.TopUpURL = m.site.TopUpURL
	}
	if m.in != nil {
		s.Connection = cmp.Or(m.in.connection, status.ConnectionNone)
		s.SignOutAt = m.in.away.signOutAt(m.unattended)
		s.Vouched, s.InBrowser = m.in.vouched, m.in.inBrowser
	} else {
		m.publishAsk(&s, ways)
	}
	if m.attempt != nil {
		s.Browsing = m.attempt.browsing()
	}
	if m.user != nil {
		s.User = &status.User{Username: m.user.Username, DisplayName: m.user.DisplayName}
	}
	if m.balance.Amount != "" {
		low := cmp.Or(set.LowBalance, m.site.LowBalance)
		s.Low, s.Empty = lowAndEmpty(m.balance.Amount, low)
		s.Stale, s.BalanceAt = m.stale, m.shownAt()
		if !set.HideBalance {
			s.Balance = &status.Money{Amount: m.balance.Amount, Currency: m.balance.Currency}
		}
	}
	m.board.write(s)
}

// publishServer adds the server that waits for the person's word. While it is asked about, that is all there is to say.
func (m *machine) publishServer(s *status.Snapshot) {
	server := m.unconfirmed()
	if server == nil || !m.identified {
		return
	}
	shown := *server
	s.Server = &shown
	if !shown.Rejected {
		s.Problem = nil
	}
}

// publishAsk adds what the identification window needs. It asks nothing while it may still go without a question.
func (m *machine) publishAsk(s *status.Snapshot, w ways) {
	if s.Server != nil {
		if !s.Server.Rejected && !m.dismissed {
			s.Ask = status.AskConfirmServer
		}
		return
	}
	silent := m.attempt != nil && m.attempt.silent
	if !m.dismissed && !silent && (!m.siteAt.IsZero() || m.ask == status.AskSessionEnded || m.ask == status.AskNamesChanged) {
		s.Ask = m.ask
	}
	s.Prefill, s.Offers = m.expected(), w.offers
	if s.Problem == nil && !silent && m.attempt == nil {
		s.Problem = w.problem
	}
}

// expected is who will most likely sign in here, if anybody is.
func (m *machine) expected() string {
	if m.prefill == "" && !m.who.Shared {
		return m.who.Prefill
	}
	return m.prefill
}

// shownAt is when the shown balance was right: while it is fresh the time of the reading, so that a heartbeat changes
// nothing to see; when it is stale the last moment it was known to be right.
func (m *machine) shownAt() time.Time {
	if m.stale || m.balance.At.IsZero() {
		return m.balanceAt
	}
	return m.balance.At
}

// authMode is the way of signing in that was used, or will be used here: the one that people are restricted to, else the
// first that works.
func (m *machine) authMode(w ways) string {
	switch mode := cmp.Or(m.deps.Settings.AuthMode, modeAuto); {
	case mode != modeAuto:
		return mode
	case m.in != nil && m.in.method != "":
		return string(m.in.method)
	case w.trust && m.silence.mayTrust():
		return string(status.MethodTrust)
	case len(w.offers) > 0:
		return string(w.offers[0].Method)
	}
	return modeAuto
}
