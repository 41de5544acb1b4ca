package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/proxy"
	"github.com/platenprint/platen/internal/api"
)

// expirySoon is how long before its end a certificate is worth a warning.
const expirySoon = 14 * 24 * time.Hour

// kind is what kept us from the server; "" when nothing did, or when it is no failure of a call.
func (v visited) kind() apiclient.Kind {
	if e, ok := errors.AsType[*apiclient.Error](v.err); ok {
		return e.Kind
	}
	return ""
}

// isCertificate tells whether the connection ended at the server's certificate.
func isCertificate(kind apiclient.Kind) bool {
	switch kind {
	case apiclient.KindUnknownCA, apiclient.KindWrongHost, apiclient.KindWrongPin, apiclient.KindExpired, apiclient.KindClock, apiclient.KindCertificate:
		return true
	default:
		return false
	}
}

func details(err error) []string {
	if err == nil {
		return nil
	}
	return []string{err.Error()}
}

func (in Inputs) server(v visited) Result {
	if in.Server == nil && v.err == nil {
		return Result{Level: Unknown, Sentence: "There is no server to ask."}
	}
	r := Result{Level: Fail, Details: details(v.err)}
	host := ""
	if in.Server != nil {
		host = in.Server.Host()
	}
	switch kind := v.kind(); {
	case v.err == nil:
		r.Level, r.Sentence = OK, fmt.Sprintf("%s answers (Platen %s, %d ms).", host, v.Config.Version, v.Took.Milliseconds())
		r.Details = []string{v.TLSVersion, "organisation: " + v.Config.Organisation, fmt.Sprintf("sign-in methods: %v", v.Config.AuthModes)}
	case isCertificate(kind):
		r.Sentence, r.Remedy = fmt.Sprintf("%s is there, but cannot prove that it is the right server.", host), "See certificate below; nothing was sent."
	case kind == apiclient.KindProxy:
		r.Sentence, r.Remedy = fmt.Sprintf("%s cannot be reached through the proxy.", host), "See proxy above."
	case kind == apiclient.KindNotPlaten:
		r.Sentence = fmt.Sprintf("Something answers at %s, but it is not a Platen server.", host)
		r.Remedy = "Check ServerURL; if this network asks for a sign-in of its own, do that in a browser first."
	case kind == apiclient.KindConfig:
		r.Sentence, r.Remedy = "The connection cannot be set up with these settings.", "See the details, and config above."
	case kind == apiclient.KindAnswer || kind == apiclient.KindServer:
		r.Sentence, r.Remedy = fmt.Sprintf("%s has a fault of its own.", host), "Tell whoever runs the server; its log has the reason."
	default:
		r.Sentence, r.Remedy = fmt.Sprintf("%s cannot be reached.", host), "Connect to the network or VPN; then check the name and port in ServerURL and the firewalls on the way."
	}
	return r
}

func (in Inputs) certificate(v visited) Result {
	believes := in.believes()
	switch kind := v.kind(); {
	case v.err == nil && len(v.Chain) == 0:
		return Result{Level: Unknown, Sentence: "There was no certificate to look at."}
	case v.err == nil:
		return in.expiry(v, believes)
	case !isCertificate(kind):
		return Result{Level: Unknown, Sentence: "There was no certificate to look at: the server could not be asked."}
	default:
		sentence, remedy := certificateFault(kind)
		return Result{Level: Fail, Sentence: sentence, Remedy: remedy, Details: append(details(v.err), believes)}
	}
}

// believes says whom the client believes, and who decided that.
func (in Inputs) believes() string {
	c := in.Config
	switch {
	case c.CAFile != "" && c.CAPin != "":
		return fmt.Sprintf("believed: certificates of %s (%s) with the pin %s (%s)", c.CAFile, c.Origin("CAFile"), c.CAPin, c.Origin("CAPin"))
	case c.CAFile != "":
		return fmt.Sprintf("believed: certificates of %s (%s)", c.CAFile, c.Origin("CAFile"))
	case c.CAPin != "":
		return fmt.Sprintf("believed: the authority with the pin %s (%s)", c.CAPin, c.Origin("CAPin"))
	default:
		return "believed: the authorities of this system"
	}
}

func certificateFault(kind apiclient.Kind) (sentence, remedy string) {
	switch kind {
	case apiclient.KindUnknownCA:
		return "The server's certificate is from an authority that this computer does not know.", "Set CAFile to the server's ca.pem, or CAPin to the pin that it prints when it starts."
	case apiclient.KindWrongPin:
		return "The server's certificate authority does not have the pin that is set.", "Compare CAPin with the pin that the server prints when it starts. If it is right, somebody else answers in its place."
	case apiclient.KindWrongHost:
		return "The server's certificate is for another name.", "Use a name in ServerURL that is in the certificate."
	case apiclient.KindExpired:
		return "The server's certificate has expired.", "Renew it on the server, or set this computer's clock if it is wrong."
	case apiclient.KindClock:
		return "The server's certificate is not valid at the time that this computer's clock shows.", "Set this computer's clock."
	default:
		return "The server's certificate cannot be used.", "Look at the details and make a certificate for a server."
	}
}

func (in Inputs) expiry(v visited, believes string) Result {
	leaf, root := v.Chain[0], v.Chain[len(v.Chain)-1]
	until := leaf.NotAfter.Format(time.DateOnly)
	r := Result{Level: OK, Sentence: "It is the right server; its certificate is valid until " + until + "."}
	for _, cert := range v.Chain {
		r.Details = append(r.Details, fmt.Sprintf("%s, valid %s to %s, pin %s", cert.Subject, cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), api.PinOf(cert)))
	}
	r.Details = append(r.Details, believes)
	now := in.Clock()
	if leaf.NotAfter.Sub(now) < expirySoon || root.NotAfter.Sub(now) < expirySoon {
		r.Level, r.Sentence = Warn, "The server's certificate, or that of its authority, ends soon: "+until+"."
		r.Remedy = "Renew it on the server."
	}
	return r
}

func (in Inputs) clock(v visited) Result {
	if v.kind() == apiclient.KindClock {
		return Result{Level: Fail, Sentence: "This computer's clock is wrong: it says " + in.Clock().Format(time.RFC1123) + ".", Remedy: "Set the clock, best by network time.", Details: details(v.err)}
	}
	if in.Server == nil {
		return Result{Level: Unknown, Sentence: "There is no other clock to compare with."}
	}
	skew, known := in.Server.Skew()
	switch {
	case !known:
		return Result{Level: Unknown, Sentence: "There is no other clock to compare with: the server could not be asked."}
	case skew.Abs() > apiclient.ClockTolerance:
		direction := "behind"
		if skew < 0 {
			direction = "ahead of"
		}
		return Result{
			Level: Fail, Sentence: fmt.Sprintf("This computer's clock is %s %s the server's.", skew.Abs().Round(time.Second), direction),
			Remedy: "Set the clock of this computer, or of the server, best by network time.",
		}
	default:
		return Result{Level: OK, Sentence: fmt.Sprintf("This computer's clock and the server's are %s apart.", skew.Abs().Round(time.Second))}
	}
}

func (in Inputs) proxy(ctx context.Context, visit func(context.Context) visited) Result {
	if in.Proxies == nil || in.Config.ServerURL == nil {
		return Result{Level: Unknown, Sentence: "There is no server to find a way to."}
	}
	choice, err := in.Proxies.Find(ctx, in.Config.ServerURL)
	if err != nil {
		return Result{Level: Fail, Sentence: "The proxy that is set cannot be used.", Remedy: "Write http://HOST:PORT, or remove it.", Details: details(err)}
	}
	if v := visit(ctx); v.kind() == apiclient.KindProxy {
		return Result{
			Level: Fail, Sentence: "The proxy does not let Platen through: " + choice.String() + ".",
			Remedy:  "Ask whoever runs the proxy; a sign-in to a proxy works only with name and password in HTTPS_PROXY.",
			Details: details(v.err),
		}
	}
	return Result{Level: OK, Sentence: proxySentence(choice)}
}

func proxySentence(choice proxy.Choice) string {
	if choice.URL == nil {
		return "The connection is " + choice.String() + "."
	}
	return "The connection goes through " + choice.String() + "."
}
