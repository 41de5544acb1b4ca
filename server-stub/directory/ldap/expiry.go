package ldap

import (
	"context"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// attributePasswordExpires is constructed by Active Directory from the policies that apply (MS-ADTS 3.1.1.4.5.36).
const attributePasswordExpires = "msDS-UserPasswordExpiryTimeComputed"

// Expiries implements directory.Expiring: when Active Directory will want another password of the service account. Other servers do
// not tell.
func (s *Source) Expiries(ctx context.Context) ([]directory.Expiry, error) {
	if s.cfg.BindDN == "" {
		return nil, nil
	}
	se, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer se.close()
	if !se.mapping.ad {
		return nil, nil
	}
	q := wire.Search{Base: s.cfg.BindDN, Scope: wire.Base, Filter: "(objectClass=*)", Attributes: []string{attributePasswordExpires, attributeExpires}}
	if _, err := goldap.ParseDN(s.cfg.BindDN); err != nil { // a bind takes a UPN, too
		q.Base, q.Scope, q.Filter = se.root.base, wire.Subtree, equal("userPrincipalName", s.cfg.BindDN)
	}
	entries, err := s.search(ctx, se, q)
	if err != nil {
		return nil, s.errorf("%w: ask when the password of the service account expires: %w%s", core.ErrUnavailable, err, readRemedy(err))
	}
	var list []directory.Expiry
	for _, e := range entries {
		for attribute, what := range map[string]string{attributePasswordExpires: "the password of the service account ", attributeExpires: "the service account "} {
			if at, ok := windowsTime(e.Text(attribute)); ok {
				list = append(list, directory.Expiry{What: what + s.cfg.BindDN + " in Active Directory", At: at})
			}
		}
	}
	return list, nil
}
