package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/platenprint/platen/client/status"
)

// sentence says a problem in one sentence with its remedy. "" when there is none.
func (l Locale) sentence(p *status.Problem, s status.Snapshot) string {
	if p == nil {
		return ""
	}
	if strings.HasPrefix(p.Sentence, "microsoft.") {
		if text := l.text(p.Sentence); text != p.Sentence {
			return text
		}
	}
	switch p.Code {
	case status.ProblemNone:
		return ""
	case status.ProblemLimited:
		if p.RetryAt.IsZero() {
			return l.text("problem.limited_soon")
		}
		return l.text("problem.limited", "time", l.clock(p.RetryAt))
	case status.ProblemWrongCredentials, status.ProblemAmbiguousName, status.ProblemAccountDisabled,
		status.ProblemPasswordExpired, status.ProblemInvalid, status.ProblemDirectoryUnavailable,
		status.ProblemUnreachable, status.ProblemNotConfigured, status.ProblemCertificate,
		status.ProblemCertificateExpired, status.ProblemClock, status.ProblemServer, status.ProblemConfig,
		status.ProblemMethodOff, status.ProblemNoAccount, status.ProblemConsentRequired, status.ProblemDeviceBlocked,
		status.ProblemProvider, status.ProblemProviderUnreachable, status.ProblemTimedOut:
		return upperFirst(l.text("problem."+string(p.Code), "host", l.host(p, s)))
	case status.ProblemMFARequired:
		switch p.Method {
		case status.MethodMicrosoft:
			return l.text("problem.mfa_required")
		case status.MethodBrowser:
			return l.text("problem.mfa_required_browser")
		default:
			return l.text("problem.mfa_required_none")
		}
	case status.ProblemTrustRefused:
		if p.Method != "" {
			return l.text("problem.trust_refused_other")
		}
		return l.text("problem.trust_refused")
	case status.ProblemNoBrowser:
		if p.Method == status.MethodPrompt {
			return l.text("problem.no_browser_prompt")
		}
		return l.text("problem.no_browser")
	default:
		return l.text("problem.other")
	}
}

func (l Locale) host(p *status.Problem, s status.Snapshot) string {
	switch {
	case p.Host != "":
		return p.Host
	case s.ServerHost != "":
		return s.ServerHost
	default:
		return l.text("problem.host")
	}
}

// upperFirst starts a sentence that begins with a placeholder ("the print server can’t …"). Names of servers stay as
// they are: they hold a dot before the first space.
func upperFirst(text string) string {
	first, _, _ := strings.Cut(text, " ")
	r, size := utf8.DecodeRuneInString(text)
	if strings.Contains(first, ".") || size == 0 {
		return text
	}
	return string(unicode.ToUpper(r)) + text[size:]
}

// forHelpdesk is what "Copy details" puts on the clipboard: what a helpdesk needs, in English, without secrets.
func forHelpdesk(p *status.Problem, s status.Snapshot, now time.Time) string {
	if p == nil || p.Code == status.ProblemNone {
		return ""
	}
	lines := []string{fmt.Sprintf("platen: %s at %s", p.Code, now.UTC().Format(time.RFC3339))}
	if host := firstOf(p.Host, s.ServerHost); host != "" {
		lines = append(lines, "server: "+host)
	}
	if s.OSAccount.Name != "" {
		lines = append(lines, "computer account: "+s.OSAccount.Name)
	}
	if p.Details != "" {
		lines = append(lines, p.Details)
	}
	return strings.Join(lines, "\n")
}

// hinders tells the problems that need somebody's hand, so that the icon shows them. Those of a single sign-in are said
// in its window, and a server out of reach is "offline". Where only trust could have helped, no window can.
func hinders(p *status.Problem) bool {
	if p == nil {
		return false
	}
	switch p.Code {
	case status.ProblemNotConfigured, status.ProblemCertificate, status.ProblemCertificateExpired, status.ProblemClock,
		status.ProblemServer, status.ProblemConfig:
		return true
	case status.ProblemTrustRefused:
		return p.Method == ""
	case status.ProblemNone, status.ProblemWrongCredentials, status.ProblemAmbiguousName, status.ProblemAccountDisabled,
		status.ProblemPasswordExpired, status.ProblemLimited, status.ProblemInvalid, status.ProblemDirectoryUnavailable,
		status.ProblemUnreachable, status.ProblemMethodOff, status.ProblemMFARequired, status.ProblemNoAccount,
		status.ProblemConsentRequired, status.ProblemDeviceBlocked, status.ProblemNoBrowser, status.ProblemProvider,
		status.ProblemProviderUnreachable, status.ProblemTimedOut:
		return false
	default:
		return true
	}
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
