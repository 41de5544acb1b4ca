package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/oidc"
)

// Outcome says how a check ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Wrong   Outcome = "wrong"
	Skipped Outcome = "skipped" // what it needs is missing
)

// Finding is what one check found.
type Finding struct {
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
}

// Report is the whole.
type Report struct {
	Findings []Finding `json:"findings"`
	// Unknown is what cannot be seen from outside: only a person who signs in shows it.
	Unknown []string `json:"cannot_be_checked"`
}

// Right tells whether nothing is wrong.
func (r Report) Right() bool {
	for _, f := range r.Findings {
		if f.Outcome == Wrong {
			return false
		}
	}
	return true
}

// check is one run.
type check struct {
	m      *config.Microsoft
	client *http.Client
	now    clock.Clock
	report Report
}

func (c *check) note(name string, outcome Outcome, format string, args ...any) {
	c.report.Findings = append(c.report.Findings, Finding{name, outcome, fmt.Sprintf(format, args...)})
}

// Check looks at the tenant as anybody can. It signs nobody in: the registrations are asked for a device code that nobody will
// use, and, where there is a secret, for a token of the API's own that is thrown away.
func Check(ctx context.Context, m *config.Microsoft, client *http.Client, now clock.Clock) Report {
	c := &check{m: m, client: client, now: now}
	c.report.Unknown = []string{
		"whether http://localhost and the pages' address are registered as redirects",
		"whether people may consent, or an administrator has: the first sign-in shows it",
		"which optional claims are in tokens: acct, onprem_sid",
		"what Conditional Access asks of whom, and from which computers",
	}
	found, err := oidc.Inspect(ctx, m.IssuerURL(), true, client)
	if err != nil {
		c.note("tenant", Wrong, "%v. Check tenant and authority, and that the server may reach https://%s", err, host(m.Authority))
		return c.report
	}
	c.note("tenant", OK, "%s is the issuer %s", m.Tenant, found.Issuer)
	c.note("keys", OK, "%d keys that could sign at %s", found.SigningKeys, found.JWKSURI)
	c.clock(ctx, found.TokenURL)
	c.publicClient(ctx, found.TokenURL)
	c.secret(ctx, found.TokenURL)
	return c.report
}

func host(address string) string { return strings.TrimPrefix(address, "https://") }

// answer is what an endpoint says.
type answer struct {
	status int
	date   time.Time
	text   []byte
}

func (c *check) post(ctx context.Context, address string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	date, _ := http.ParseTime(res.Header.Get("Date")) // none is fine
	return answer{res.StatusCode, date, text}, err
}

// refusal says what an answer means, "" when it is no refusal.
func (a answer) refusal() string {
	if a.status == http.StatusOK {
		return ""
	}
	r, ok := aadsts.ParseJSON(a.text)
	if !ok {
		return fmt.Sprintf("the endpoint answers %d", a.status)
	}
	return aadsts.Classify(r).Error()
}

func (c *check) clock(ctx context.Context, tokenURL string) {
	a, err := c.post(ctx, tokenURL, url.Values{})
	if err != nil || a.date.IsZero() {
		c.note("clock", Skipped, "Microsoft does not tell the time")
		return
	}
	off := c.now().Sub(a.date).Round(time.Second)
	if off.Abs() > time.Minute {
		c.note("clock", Wrong, "this computer's clock is off by %s: tokens will seem to be expired or not valid yet. Set the clock, best by NTP", off)
		return
	}
	c.note("clock", OK, "off by %s", off)
}

func (c *check) publicClient(ctx context.Context, tokenURL string) {
	a, err := c.post(ctx, strings.TrimSuffix(tokenURL, "/token")+"/devicecode", url.Values{"client_id": {c.m.ClientID}, "scope": {"openid " + c.m.Scope}})
	if err != nil {
		c.note("public client", Wrong, "%v", err)
		return
	}
	if why := a.refusal(); why != "" {
		c.note("public client", Wrong, "%s", why)
		return
	}
	c.note("public client", OK, "%s may ask for %s", c.m.ClientID, c.m.Scope)
}

func (c *check) secret(ctx context.Context, tokenURL string) {
	if !c.m.HasWeb() {
		c.note("secret of the pages", Skipped, "there is no web_client_secret_file: people cannot sign in on pages with Microsoft")
		c.note("token version", Skipped, "it shows in a token only: the first sign-in says when it is wrong")
		return
	}
	value, err := c.m.WebClientSecret()
	if err != nil {
		c.note("secret of the pages", Wrong, "%v", err)
		return
	}
	scope := c.m.Scope[:strings.LastIndexByte(c.m.Scope, '/')] + "/.default"
	a, err := c.post(ctx, tokenURL, url.Values{"grant_type": {"client_credentials"}, "client_id": {c.m.APIClientID}, "client_secret": {value.Reveal()}, "scope": {scope}})
	if err != nil {
		c.note("secret of the pages", Wrong, "%v", err)
		return
	}
	if why := a.refusal(); why != "" {
		c.note("secret of the pages", Wrong, "%s", why)
		return
	}
	c.note("secret of the pages", OK, "Microsoft takes it")
	version, err := versionOf(a.text)
	switch {
	case err != nil:
		c.note("token version", Skipped, "%v", err)
	case version != "2.0":
		c.note("token version", Wrong, "the API's tokens are of version %s: set api.requestedAccessTokenVersion to 2 in its manifest; until then nobody can sign in", version)
	default:
		c.note("token version", OK, "2.0")
	}
}

// versionOf reads the version of a token that just came over TLS from whoever makes it.
func versionOf(text []byte) (string, error) {
	var a struct {
		AccessToken secret.String `json:"access_token"`
	}
	var claims struct {
		Version string `json:"ver"`
	}
	none := errors.New("the token cannot be read")
	if json.Unmarshal(text, &a) != nil {
		return "", none
	}
	parts := strings.Split(a.AccessToken.Reveal(), ".")
	if len(parts) != 3 {
		return "", none
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil || len(claims.Version) > 8 {
		return "", none
	}
	return claims.Version, nil
}
