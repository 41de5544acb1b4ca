package session

import (
	"context"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// fetchSite asks the server what everybody may know. While nobody is signed in it goes on until it has an answer.
func (m *machine) fetchSite(ctx context.Context) {
	if m.siteBusy || m.deps.Settings.Problem != nil {
		return
	}
	m.siteBusy = true
	m.task(ctx, func(ctx context.Context) func() {
		policy := make(chan func(), 1)
		m.tasks.Go(func() {
			p, err := m.askPolicy(ctx)
			policy <- func() { m.hearPolicy(ctx, p, err) }
		})
		ask, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		site, err := m.deps.Server.ClientConfig(ask)
		usable, hear := m.browserUsable(), <-policy
		if err != nil {
			return func() {
				hear()
				m.siteFailed(ctx, err)
			}
		}
		who, whoErr := m.deps.Identity.Identify(ctx, site.UPNSuffix)
		return func() {
			m.siteBusy = false
			m.siteWait.reset()
			m.browser = usable
			m.setSite(site)
			m.siteAt = m.deps.Clock()
			if !site.ServerTime.IsZero() {
				m.skew = site.ServerTime.Sub(m.deps.Clock())
			}
			if whoErr == nil {
				m.become(ctx, who)
			}
			hear()
			m.reached()
			select {
			case <-m.siteReady:
			default:
				close(m.siteReady)
			}
			m.trySilently(ctx)
		}
	})
}

// setSite takes what everybody may know.
func (m *machine) setSite(site api.ClientConfig) {
	m.site = site
	m.microsoft = site.Microsoft != nil && m.deps.Microsoft != nil && m.deps.Microsoft.Allowed(*site.Microsoft)
}

// siteKnown tells whether it is known what the site offers, if only from the last time.
func (m *machine) siteKnown() bool { return !m.siteAt.IsZero() || m.site.Version != "" }

func (m *machine) browserUsable() bool { return m.deps.Browser != nil && m.deps.Browser.Usable() }

// ways is how people can sign in here and now.
func (m *machine) ways() ways {
	if m.deps.Settings.Problem != nil {
		return ways{}
	}
	return waysOf(situation{
		mode: m.deps.Settings.AuthMode, site: m.site, siteKnown: m.siteKnown(), policy: m.policy,
		backed: m.who.Backed, shared: m.who.Shared, browser: m.browser, microsoft: m.microsoft, prefer: m.prefer,
		trustDown: m.silence.trustDown, ask: m.silence.signedOut || m.silence.notMe,
	})
}

func (m *machine) siteFailed(ctx context.Context, err error) {
	m.siteBusy = false
	if m.in != nil || m.attempt != nil && !m.attempt.silent {
		return // the follower says how it stands
	}
	if m.attempt != nil && !m.attempt.siteKnown {
		m.attempt.cancel() // it waits for what does not come now
	}
	m.problem = problemOf(err, m.deps.Settings.ServerHost)
	if m.siteTimer != nil {
		m.siteTimer.Stop() // one at a time, however often somebody tries
	}
	m.siteTimer = m.after(ctx, m.siteWait.next(), func() {
		if m.in == nil && (m.attempt == nil || m.attempt.silent) {
			m.fetchSite(ctx)
		}
	})
}

// reached removes a problem of the connection: the server has answered.
func (m *machine) reached() {
	if m.problem == nil || m.in != nil {
		return
	}
	switch m.problem.Code {
	case status.ProblemUnreachable, status.ProblemCertificate, status.ProblemCertificateExpired, status.ProblemClock, status.ProblemServer:
		m.problem = nil
	default: // what the server said about the person stays
	}
}
