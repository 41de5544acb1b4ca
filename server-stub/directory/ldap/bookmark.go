package ldap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// bookmark is where the next reading goes on.
type bookmark struct {
	Way    Incremental `json:"way"`
	Read   []byte      `json:"read"` // digest of what is read and how: with other settings everything must be read
	Cookie []byte      `json:"cookie,omitempty"`

	Invocation []byte `json:"invocation,omitempty"` // of the domain controller's database, which a restored backup changes
	USN        int64  `json:"usn,omitempty"`
}

// whatIsRead is the digest for Read.
func (s *Source) whatIsRead(se *session, groups bool) []byte {
	h := sha256.New()
	h.Write(se.mapping.salted())
	fmt.Fprintf(h, "%q %q %q %q %q %t", se.base, se.mapping.filter, s.cfg.GroupBaseDN, s.cfg.GroupFilter, se.root.base, groups)
	return h.Sum(nil)
}

// incremental chooses the way for this server, and says why it is IncrementalOff.
func (s *Source) incremental(ctx context.Context, se *session) (way Incremental, why string, err error) {
	m, root := se.mapping, se.root
	switch {
	case s.cfg.Incremental == IncrementalOff:
		return IncrementalOff, "incremental: off", nil
	case !m.ad:
		return IncrementalOff, "only Active Directory tells what changed", nil
	case !m.guid:
		return IncrementalOff, "attributes.id is not objectGUID", nil
	case !isBelow(se.base, root.base) || s.cfg.GroupBaseDN != "" && !isBelow(s.cfg.GroupBaseDN, root.base):
		return IncrementalOff, "base_dn is not in the domain " + root.base + " of the server", nil
	case mentionsMembership(m.filter):
		return IncrementalOff, "filter asks for memberOf, and who joins a group does not change by it", nil
	case s.cfg.Incremental != IncrementalUSN && !root.dirSync:
		return IncrementalOff, "the server has no DirSync control", nil
	case s.cfg.Incremental == IncrementalUSN && (root.usn < 0 || root.service == ""):
		return IncrementalOff, "the server shows no highestCommittedUSN", nil
	case s.cfg.Incremental == IncrementalDirSync:
		return IncrementalDirSync, "", nil
	}
	sees, err := s.seesDeleted(ctx, se)
	switch {
	case err != nil:
		return "", "", err
	case !sees:
		return IncrementalOff, "the service account may not see deleted objects: give it List Contents and Read Property on CN=Deleted Objects," + root.base, nil
	case s.cfg.Incremental == IncrementalUSN:
		return IncrementalUSN, "", nil
	}
	return IncrementalDirSync, "", nil
}

// mentionsMembership tells whether a filter looks at attributes that change without the entry's being changed.
func mentionsMembership(filter string) bool {
	filter = strings.ToLower(filter)
	return strings.Contains(filter, "memberof") || strings.Contains(filter, "tokengroups") || strings.Contains(filter, "1.2.840.113556.1.4.1941")
}

// isBelow tells whether dn is base or below it.
func isBelow(dn, base string) bool {
	inner, outer := normalDN([]byte(dn)), normalDN([]byte(base))
	return len(outer) > 0 && (bytes.Equal(inner, outer) || bytes.HasSuffix(inner, append([]byte{','}, outer...)))
}

// seesDeleted tells whether the service account is shown any deleted object. One that may not look into their container sees it all
// the same, only empty; so a domain where nothing was deleted yet counts as one that shows nothing.
func (s *Source) seesDeleted(ctx context.Context, se *session) (bool, error) {
	entries, err := s.search(ctx, se, wire.Search{
		Base: "CN=Deleted Objects," + se.root.base, Scope: wire.OneLevel, SizeLimit: 1, Filter: "(isDeleted=TRUE)", Attributes: []string{"1.1"},
		Controls: []wire.Control{wire.ShowDeleted()},
	})
	if len(entries) > 0 || refused(err) { // with the size limit exceeded, too
		return len(entries) > 0, nil
	}
	if err != nil {
		return false, s.errorf("%w: look for deleted objects: %w%s", core.ErrUnavailable, err, readRemedy(err))
	}
	return false, nil
}

// refused tells whether the server itself answered that it will not, rather than that it cannot now or is gone.
func refused(err error) bool {
	return goldap.IsErrorAnyOf(err, goldap.LDAPResultNoSuchObject, goldap.LDAPResultInsufficientAccessRights, goldap.LDAPResultUnwillingToPerform,
		goldap.LDAPResultUnavailableCriticalExtension, goldap.LDAPResultOperationsError, goldap.LDAPResultProtocolError, goldap.LDAPResultReferral,
		goldap.LDAPResultNoSuchAttribute, goldap.LDAPResultOther)
}

// begin returns the bookmark of now, nil where the source cannot tell what changes.
func (s *Source) begin(ctx context.Context, se *session, groups bool) (directory.Bookmark, error) {
	way, why, err := s.incremental(ctx, se)
	if err != nil {
		return nil, err
	}
	b := bookmark{Way: way, Read: s.whatIsRead(se, groups), USN: se.root.usn}
	switch way {
	case IncrementalOff:
		s.logger.Debug("the next synchronisation reads everything", "reason", why)
		return nil, nil
	case IncrementalUSN:
		b.Invocation, err = s.invocation(ctx, se)
	default:
		// A filter that nothing matches: only the cookie is wanted, the entries are read in pages.
		b.USN = 0
		b.Cookie, err = s.dirSync(ctx, se, nil, both(changedClasses, equal(attributeGUID, string(make([]byte, 16)))), func(*wire.Entry) error { return nil })
	}
	if refused(err) {
		s.logger.Warn("the directory does not tell what changes, so each synchronisation reads everything; incremental: off ends this warning", "way", string(way), "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, s.errorf("%w: ask by %s where changes begin: %w%s", core.ErrUnavailable, way, err, readRemedy(err))
	}
	return b.encode()
}

func (b bookmark) encode() (directory.Bookmark, error) {
	text, err := json.Marshal(b)
	return text, err
}

// decode reads a bookmark that fits what is read now.
func (s *Source) decode(se *session, r directory.Request) (b bookmark, ok bool) {
	if err := json.Unmarshal(r.Since, &b); err != nil {
		return b, false
	}
	return b, bytes.Equal(b.Read, s.whatIsRead(se, r.Groups))
}

// invocation reads the id of the domain controller's database.
func (s *Source) invocation(ctx context.Context, se *session) ([]byte, error) {
	entries, err := s.search(ctx, se, wire.Search{Base: se.root.service, Scope: wire.Base, Filter: "(objectClass=*)", Attributes: []string{"invocationId"}})
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 || len(entries[0].Value("invocationId")) == 0 {
		return nil, goldap.NewError(goldap.LDAPResultNoSuchAttribute, fmt.Errorf("%s shows no invocationId", se.root.service))
	}
	return entries[0].Value("invocationId"), nil
}
