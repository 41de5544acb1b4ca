package entra

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/egress"
)

// credential is the application's proof of itself, for one read.
type credential struct {
	azcore.TokenCredential

	certificate *x509.Certificate // nil with a client secret
}

// credential reads the secret or the certificate, without connecting.
func (s *Source) credential() (*credential, error) {
	options := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.authority},
		Transport: s.client,
		Retry:     policy.RetryOptions{MaxRetries: -1}, // the read has its own
		Telemetry: policy.TelemetryOptions{ApplicationID: "platen"},
	}
	known := s.cfg.Authority != "" // what authority there is was configured, and is no cloud that could be asked about
	if s.cfg.ClientCertificate == nil {
		password, err := readSecret(s.cfg.ClientSecret)
		if err != nil {
			return nil, s.errorf("%w: client_secret_file: %w", core.ErrUnavailable, err)
		}
		c, err := azidentity.NewClientSecretCredential(s.cfg.Tenant, s.cfg.ClientID, password.Reveal(),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: known})
		if err != nil {
			return nil, s.errorf("%w: prepare to sign in as the application: %w", core.ErrInvalid, err)
		}
		return &credential{TokenCredential: c}, nil
	}
	chain, key, err := readCertificate(s.cfg.ClientCertificate)
	if err != nil {
		return nil, s.errorf("%w: client_certificate_file: %w", core.ErrUnavailable, err)
	}
	if until := chain[0].NotAfter; !until.After(s.now()) {
		return nil, s.errorf("%w: client_certificate_file: the certificate expired on %s: make a new one and upload it to the app registration",
			core.ErrUnavailable, until.UTC().Format(time.DateOnly))
	}
	c, err := azidentity.NewClientCertificateCredential(s.cfg.Tenant, s.cfg.ClientID, chain, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: known})
	if err != nil {
		return nil, s.errorf("%w: client_certificate_file: %w", core.ErrInvalid, err)
	}
	return &credential{c, chain[0]}, nil
}

// readSecret asks for the client secret.
func readSecret(ask directory.Secret) (secret.String, error) {
	given, err := ask()
	if err != nil {
		return secret.String{}, err
	}
	text := strings.TrimSpace(given.Reveal())
	if text == "" || len(text) > 4096 || strings.ContainsAny(text, "\r\n\x00") {
		return secret.String{}, errors.New("it must have the secret in one line and nothing else")
	}
	return secret.New(text), nil
}

// readCertificate asks for the certificate that belongs to the key, which comes first, and those that signed it.
func readCertificate(ask directory.Secret) ([]*x509.Certificate, crypto.PrivateKey, error) {
	given, err := ask()
	if err != nil {
		return nil, nil, err
	}
	raw := []byte(given.Reveal())
	if !bytes.Contains(raw, []byte("-----BEGIN CERTIFICATE-----")) || !bytes.Contains(raw, []byte("PRIVATE KEY-----")) {
		return nil, nil, errors.New("it must have the certificate and its private key, both in PEM form")
	}
	chain, key, err := azidentity.ParseCertificates(raw, nil)
	if err != nil || len(chain) == 0 {
		return nil, nil, fmt.Errorf("it cannot be read: it must have the certificate and its private key, without a password: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, errors.New("it has a private key that cannot sign")
	}
	for i, c := range chain {
		if public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(signer.Public()) {
			chain[0], chain[i] = chain[i], chain[0]
			return chain, key, nil
		}
	}
	return nil, nil, errors.New("it has no certificate for its private key")
}

// token gets an access token: from the credential's memory while it is good, else from the authority.
func (s *Source) token(ctx context.Context, c *credential) (string, error) {
	token, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.scope}, TenantID: s.cfg.Tenant})
	if err == nil {
		return token.Token, nil
	}
	step := "sign in as the application " + s.cfg.ClientID
	if ctx.Err() != nil {
		return "", &failure{step: step, err: ctx.Err()}
	}
	f := &failure{step: step, err: errors.New(oneLine(err.Error())), again: !strings.Contains(err.Error(), "x509: ")}
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		f.status = failed.RawResponse.StatusCode
		f.retryAfter = egress.RetryAfter(failed.RawResponse.Header, s.now())
		f.again = egress.Passing(f.status)
	}
	if code := aadsts.FindStringSubmatch(err.Error()); code != nil {
		f.err = errors.New(code[0])
		f.remedy = remedies[code[1]]
	}
	if f.remedy == "" {
		f.remedy = "check tenant, client_id, and the secret or certificate of the app registration; and that this computer reaches " + s.authority
	}
	return "", f
}

// aadsts is an error of Entra ID: its number and the sentence after it.
var aadsts = regexp.MustCompile(`AADSTS(\d+): [^\r\n"\\]{0,300}`)

// remedies say what to do about the errors of an application that signs in.
// Source: learn.microsoft.com, "Microsoft Entra authentication and authorization error codes".
var remedies = map[string]string{
	"7000215": "client_secret_file does not have the secret of this app registration: write the secret's value, not its id",
	"7000222": "the client secret has expired: make a new one in the app registration and write it to client_secret_file",
	"700027":  "upload the certificate of client_certificate_file to the app registration, or renew it when it has expired",
	"7000218": "the app registration takes neither this secret nor this certificate: add it there",
	"700016":  "client_id is no application of this tenant: correct client_id or tenant",
	"700025":  "the app registration has no client secret: add one",
	"7000112": "the application is disabled in the tenant: enable it under Enterprise applications",
	"90002":   "there is no such tenant: correct tenant, or choose its cloud",
	"500011":  "Microsoft Graph is not in this tenant: choose the right cloud",
	"53003":   "a conditional access policy for workload identities blocks this server: allow its address",
}

// oneLine shortens a text of many lines, in which the module answers.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 400 {
		text = strings.ToValidUTF8(text[:400], "") + "..."
	}
	return text
}
