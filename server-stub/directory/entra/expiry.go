package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http" //nolint:depguard // for the numbers of statuses only
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/directory"
)

const stepSecrets = "read when the client secret ends"

// Expiries implements directory.Expiring: the end of the certificate, or of the client secret. When the secret ends Graph tells to
// applications with Application.Read.All only; for others ClientSecretExpires counts, and without it nothing is known.
func (s *Source) Expiries(ctx context.Context) ([]directory.Expiry, error) {
	if s.cfg.ClientCertificate != nil {
		chain, _, err := readCertificate(s.cfg.ClientCertificate)
		if err != nil {
			return nil, s.unavailable(fmt.Errorf("client_certificate_file: %w", err))
		}
		return []directory.Expiry{{What: fmt.Sprintf("the certificate of the application %s in the tenant %s (renew it at %s)", s.cfg.ClientID, s.cfg.Tenant, s.secretPage()), At: chain[0].NotAfter}}, nil
	}
	se, err := s.open(checkTries)
	if err != nil {
		return nil, err
	}
	end, err := se.secretEnds(ctx)
	f, ok := errors.AsType[*failure](err)
	switch {
	case ok && f.status == http.StatusForbidden:
	case err != nil:
		return nil, s.unavailable(err)
	}
	if end.IsZero() {
		end = s.cfg.ClientSecretExpires
	}
	if end.IsZero() {
		return nil, nil
	}
	return []directory.Expiry{{What: fmt.Sprintf("the client secret of the application %s in the tenant %s (make a new one at %s)", s.cfg.ClientID, s.cfg.Tenant, s.secretPage()), At: end}}, nil
}

// secretPage is the page of the application's secrets and certificates.
func (s *Source) secretPage() string {
	return s.cfg.Cloud.portal() + "/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/" + s.cfg.ClientID + "/isMSAApp~/false"
}

// secretEnds asks when the secret that is used ends; zero where that is not known. An application may have several; Graph shows
// the first three characters of each. Where more than one may be meant, the one that ends first counts.
func (se *session) secretEnds(ctx context.Context) (time.Time, error) {
	s := se.s
	password, err := readSecret(s.cfg.ClientSecret)
	if err != nil {
		return time.Time{}, err
	}
	q := question{
		step: stepSecrets, permission: permissionApplications,
		address: s.graph.String() + "/v1.0/applications?$filter=appId%20eq%20'" + s.cfg.ClientID + "'&$select=appId,passwordCredentials",
	}
	p, err := se.page(ctx, q)
	if err != nil {
		return time.Time{}, err
	}
	var end time.Time
	for _, raw := range p.rows {
		var app struct {
			ID      string `json:"appId"`
			Secrets []struct {
				Hint string    `json:"hint"`
				Ends time.Time `json:"endDateTime"`
			} `json:"passwordCredentials"`
		}
		if err := json.Unmarshal(raw, &app); err != nil {
			return time.Time{}, spoilt(stepSecrets, err)
		}
		for _, known := range app.Secrets {
			ours := strings.EqualFold(app.ID, s.cfg.ClientID) && strings.HasPrefix(password.Reveal(), known.Hint)
			if ours && known.Ends.After(s.now()) && (end.IsZero() || known.Ends.Before(end)) {
				end = known.Ends
			}
		}
	}
	return end, nil
}
