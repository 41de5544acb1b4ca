package google

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/egress"
)

// The scopes that reading needs, in the order of the documentation.
// Source: developers.google.com, "Directory API: Authorize requests".
const (
	ScopeUsers    = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	ScopeGroups   = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	ScopeOrgUnits = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"
	ScopeSchemas  = "https://www.googleapis.com/auth/admin.directory.userschema.readonly"
)

// delegation is where an administrator of the customer gives scopes to a service account.
const delegation = "admin.google.com > Security > Access and data control > API controls > Manage domain-wide delegation"

// account is the key of a service account.
type account struct {
	email, clientID, keyID string

	key secret.String // PEM
}

// account reads the key, without connecting.
func (s *Source) account() (account, error) {
	raw, err := s.cfg.ServiceAccount()
	if err != nil {
		return account{}, s.errorf("%w: service_account_file: %w", core.ErrUnavailable, err)
	}
	var file struct {
		Type     string        `json:"type"`
		Email    string        `json:"client_email"`
		ClientID string        `json:"client_id"`
		KeyID    string        `json:"private_key_id"`
		Key      secret.String `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(raw.Reveal()), &file); err != nil {
		return account{}, s.errorf("%w: service_account_file: it is no JSON: put the file there that Google Cloud's console gave for the key", core.ErrInvalid)
	}
	if file.Type != "service_account" || file.Email == "" || file.Key.Empty() {
		return account{}, s.errorf("%w: service_account_file: it is not the key of a service account (its type is %q): make one in Google Cloud's console under IAM > Service accounts > Keys, as JSON",
			core.ErrInvalid, file.Type)
	}
	if err := readable(file.Key); err != nil {
		return account{}, s.errorf("%w: service_account_file: %w: download a new key", core.ErrInvalid, err)
	}
	return account{file.Email, file.ClientID, file.KeyID, file.Key}, nil
}

// readable tells whether a private key can sign.
func readable(text secret.String) error {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return errors.New("its private_key is not in PEM form")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err == nil {
		if _, ok := key.(*rsa.PrivateKey); ok {
			return nil
		}
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	return errors.New("its private_key is no RSA key")
}

// tokens gives access tokens for the scopes, as the subject. They are kept until they end.
func (s *Source) tokens(ctx context.Context, a account, scopes []string) oauth2.TokenSource {
	cfg := jwt.Config{Email: a.email, PrivateKey: []byte(a.key.Reveal()), PrivateKeyID: a.keyID, Subject: s.cfg.Subject, Scopes: scopes, TokenURL: s.tokenURL}
	return cfg.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, s.client.http))
}

// noToken makes a failure of an error of the token endpoint.
func (s *Source) noToken(ctx context.Context, a account, scopes []string, err error) error {
	f := &failure{step: "sign in as " + a.email + " for " + s.cfg.Subject}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		f.err, f.again = errors.New(oneLine(err.Error())), reachable(err)
		f.remedy = "check that this computer reaches " + s.tokenURL + ", and ca_file where that is set"
		if ctx.Err() != nil {
			f.err = ctx.Err()
		}
		return f
	}
	var answer struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(refused.Body, &answer) // without it the status says enough
	f.status, f.reason = refused.Response.StatusCode, answer.Code
	f.again, f.retryAfter = egress.Passing(f.status), egress.RetryAfter(refused.Response.Header, s.now())
	f.err = errors.New(oneLine(strings.TrimSpace(answer.Code + ": " + answer.Description)))
	switch {
	case answer.Code == "unauthorized_client", answer.Code == "access_denied": //nolint:misspell // the name in RFC 6749
		missing, word := s.missing(ctx, a, scopes), "scope"
		if len(missing) > 1 {
			word = "scopes"
		}
		f.remedy = fmt.Sprintf("the customer has not given the service account the %s %s: in %s add the client id %s with %s",
			word, strings.Join(missing, " and "), delegation, a.clientID, strings.Join(scopes, ","))
	case strings.Contains(answer.Description, "email or User ID"):
		f.remedy = "subject is no user of the customer: write the address of an administrator of theirs"
	case strings.Contains(answer.Description, "JWT Signature"), strings.Contains(answer.Description, "account not found"):
		f.remedy = "the service account or its key was deleted or disabled: make a new key in Google Cloud's console and put it where service_account_file is"
	case strings.Contains(answer.Description, "short-lived"):
		f.remedy = "this computer's clock is wrong: set it"
	default:
		f.remedy = "check service_account_file and subject"
	}
	return f
}

// missing finds out which scopes were not delegated, by asking for each alone; all where none can be told.
func (s *Source) missing(ctx context.Context, a account, scopes []string) []string {
	var missing []string
	for _, scope := range scopes {
		_, err := s.tokens(ctx, a, []string{scope}).Token()
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < http.StatusInternalServerError {
			missing = append(missing, scope)
		}
	}
	if len(missing) == 0 {
		return slices.Clone(scopes)
	}
	return missing
}

// reachable tells whether an error of a connection may pass.
func reachable(err error) bool {
	text := err.Error()
	return !strings.Contains(text, "x509: ") && !strings.Contains(text, "certificate") && !strings.Contains(text, errBlocked.Error())
}

// oneLine makes one line of an error's text, not too long, without addresses' queries.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 400 {
		text = strings.ToValidUTF8(text[:400], "") + "..."
	}
	return text
}

// withoutAddress takes the address out of an error of an HTTP request: it has the token of the page.
func withoutAddress(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
