package ldap

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestGUIDIsTheTextThatMicrosoftShows(t *testing.T) {
	raw, err := hex.DecodeString("01020304050607080910111213141516")
	if err != nil {
		t.Fatal(err)
	}
	text, err := guidText(raw)
	if err != nil || text != "04030201-0605-0807-0910-111213141516" {
		t.Errorf("guidText = %q, %v", text, err)
	}
	back, err := guidBytes(text)
	if diff := cmp.Diff(raw, back); err != nil || diff != "" {
		t.Errorf("guidBytes: %v %s", err, diff)
	}
	for _, bad := range []string{"", "04030201-0605-0807-0910-1112131415", "0403020100605-0807-0910-111213141516", "g4030201-0605-0807-0910-111213141516", "(objectClass=*)"} {
		if _, err := guidBytes(bad); err == nil {
			t.Errorf("guidBytes(%q) is no error", bad)
		}
	}
	if _, err := guidText(raw[:15]); err == nil {
		t.Error("15 bytes are no error")
	}
}

func TestSID(t *testing.T) {
	raw, err := hex.DecodeString("010500000000000515000000a065cf7e784b9b5fe77c8770091c0100")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := sidText(raw); err != nil || text != "S-1-5-21-2127521184-1604012920-1887927527-72713" {
		t.Errorf("sidText = %q, %v", text, err)
	}
	for _, bad := range [][]byte{nil, raw[:20], append([]byte{2}, raw[1:]...)} {
		if text, err := sidText(bad); err == nil {
			t.Errorf("sidText(%x) = %q", bad, text)
		}
	}
}

func TestFilterIsEscaped(t *testing.T) {
	if got := equal("uid", `*)(uid=\`+"\x00"); got != `(uid=\2a\29\28uid=\5c\00)` {
		t.Errorf("equal = %s", got)
	}
	m := newMapping(Config{}, ProductAD, noon)
	got, err := m.keyFilter("04030201-0605-0807-0910-111213141516")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := goldap.CompileFilter(both(m.filter, got)); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	for _, bad := range []string{"*", "", "x)(objectClass=*", "04030201-0605-0807-0910-11121314151*"} {
		for _, product := range []Product{ProductAD, ProductOpenLDAP} {
			if f, err := newMapping(Config{}, product, noon).keyFilter(bad); err == nil {
				t.Errorf("%s takes the id %q: %s", product, bad, f)
			}
		}
	}
}

func TestAnswersToABind(t *testing.T) {
	refused := func(code uint16, text string) error { return goldap.NewError(code, errors.New(text)) }
	ad := func(data string) error {
		return refused(49, "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data "+data+", v4563")
	}
	policy := func(code int8) *goldap.SimpleBindResult {
		c := goldap.NewControlBeheraPasswordPolicy()
		c.Error = code
		return &goldap.SimpleBindResult{Controls: []goldap.Control{c}}
	}
	tests := []struct {
		name   string
		result *goldap.SimpleBindResult
		err    error
		want   error
	}{
		{"right", &goldap.SimpleBindResult{}, nil, nil},
		{"right, the policy has nothing to say", policy(-1), nil, nil},
		{"wrong password", nil, ad("52e"), core.ErrWrongCredentials},
		{"no such user", nil, ad("525"), core.ErrWrongCredentials},
		{"logon hours", nil, ad("530"), core.ErrDisabled},
		{"workstation", nil, ad("531"), core.ErrDisabled},
		{"password expired", nil, ad("532"), core.ErrPasswordExpired},
		{"disabled", nil, ad("533"), core.ErrDisabled},
		{"account expired", nil, ad("701"), core.ErrDisabled},
		{"must change", nil, ad("773"), core.ErrPasswordExpired},
		{"locked out", nil, ad("775"), core.ErrLimited},
		{"an unknown number", nil, ad("fff"), core.ErrWrongCredentials},
		{"in capitals", nil, ad("52E"), core.ErrWrongCredentials},
		{"no text", nil, refused(49, ""), core.ErrWrongCredentials},
		{"ppolicy: locked", policy(goldap.BeheraAccountLocked), refused(49, ""), core.ErrLimited},
		{"ppolicy: expired", policy(goldap.BeheraPasswordExpired), refused(49, ""), core.ErrPasswordExpired},
		{"ppolicy: right but reset", policy(goldap.BeheraChangeAfterReset), nil, core.ErrPasswordExpired},
		{"no password in the entry", nil, refused(48, ""), core.ErrWrongCredentials},
		{"entry vanished", nil, refused(32, ""), core.ErrWrongCredentials},
		{"unwilling", nil, refused(53, "account inactivated"), core.ErrDisabled},
		{"busy", nil, refused(51, ""), core.ErrUnavailable},
		{"stronger authentication wanted", nil, refused(8, ""), core.ErrUnavailable},
		{"referral", nil, refused(10, ""), core.ErrUnavailable},
		{"a code that is none", nil, refused(199, ""), core.ErrUnavailable},
		{"connection lost", nil, goldap.NewError(goldap.ErrorNetwork, errors.New("closed")), core.ErrUnavailable},
		{"deadline", nil, errors.New("no answer"), core.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(tt.result, tt.err)
			if !errors.Is(got, tt.want) || (tt.want == nil) != (got == nil) {
				t.Errorf("judge = %v, want %v", got, tt.want)
			}
		})
	}
}

// entry is one as it comes from a server, in no certain order of the attributes.
func entry(dn string, attributes map[string][]string) *wire.Entry {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	list := ber.NewSequence("attributes")
	for name, values := range attributes {
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "values")
		for _, value := range values {
			set.AppendChild(text(value))
		}
		one := ber.NewSequence("attribute")
		one.AppendChild(text(name))
		one.AppendChild(set)
		list.AppendChild(one)
	}
	e, err := wire.ParseEntry(append(text(dn).Bytes(), list.Bytes()...))
	if err != nil {
		panic(err)
	}
	return e
}

func TestUsernamesOfActiveDirectory(t *testing.T) {
	yes, no := true, false
	const upn, sam = "alex.test@example.org", "alex"
	tests := []struct {
		name    string
		cfg     Config
		product Product
		want    string
	}{
		{"A1_46 nothing set: the UPN", Config{}, ProductAD, upn},
		{"A1_50 N takes the sAMAccountName", Config{UPNAsUsername: &no}, ProductAD, sam},
		{"A1_51 Y takes the UPN", Config{UPNAsUsername: &yes}, ProductAD, upn},
		{"A1_53 no effect over Secure LDAP, Y", Config{UPNAsUsername: &yes}, ProductEntraDS, sam},
		{"A1_53 no effect over Secure LDAP, N", Config{UPNAsUsername: &no}, ProductEntraDS, sam},
		{"A1_53 Secure LDAP, nothing set", Config{}, ProductEntraDS, sam},
		{"A1_49 the nickname", Config{Username: directory.UsernameNickname}, ProductAD, "alex.t"},
		{"A1_49 the mail address", Config{Username: directory.UsernameMail}, ProductAD, "a@example.org"},
		{"A1_49 the short name", Config{Username: directory.UsernameSAM}, ProductAD, sam},
		{"username goes before the key", Config{Username: directory.UsernameUPN}, ProductEntraDS, upn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newMapping(tt.cfg, tt.product, noon).record(entry("CN=A", map[string][]string{
				"userPrincipalName": {upn}, "samaccountname": {sam}, "mailNickname": {"alex.t"}, "mail": {"a@example.org"},
			}))
			if r.Username != tt.want {
				t.Errorf("username %q, want %q", r.Username, tt.want)
			}
		})
	}
	t.Run("A1_51 Y and no UPN: no username, rather than another name", func(t *testing.T) {
		r := newMapping(Config{UPNAsUsername: &yes}, ProductAD, noon).record(entry("CN=A", map[string][]string{"sAMAccountName": {sam}}))
		if r.Username != "" {
			t.Errorf("username %q", r.Username)
		}
	})
	t.Run("OpenLDAP: no effect", func(t *testing.T) {
		r := newMapping(Config{UPNAsUsername: &yes}, ProductOpenLDAP, noon).record(entry("uid=a", map[string][]string{"uid": {"a"}}))
		if r.Username != "a" {
			t.Errorf("username %q", r.Username)
		}
	})
}

func TestWhoIsDisabled(t *testing.T) {
	ticks := func(at time.Time) string { return fmt.Sprint((at.Unix() + 11_644_473_600) * 10_000_000) }
	tests := []struct {
		name             string
		product          Product
		attribute, value string
		want             bool
	}{
		{"normal account", ProductAD, "userAccountControl", "512", false},
		{"disabled account", ProductAD, "userAccountControl", "514", true},
		{"no right to read it", ProductAD, "userAccountControl", "", false},
		{"expired", ProductAD, "accountExpires", ticks(noon.Add(-time.Minute)), true},
		{"expires later", ProductAD, "accountExpires", ticks(noon.Add(time.Minute)), false},
		{"never expires, 0", ProductAD, "accountExpires", "0", false},
		{"never expires, greatest", ProductAD, "accountExpires", "9223372036854775807", false},
		{"nonsense", ProductAD, "accountExpires", "soon", false},
		{"locked by an administrator", ProductOpenLDAP, "pwdAccountLockedTime", "000001010000Z", true},
		{"locked for a while", ProductOpenLDAP, "pwdAccountLockedTime", "20261121110000Z", false},
		{"389 Directory Server", ProductOpenLDAP, "nsAccountLock", "TRUE", true},
		{"shadow: expired", ProductOpenLDAP, "shadowExpire", "1", true},
		{"shadow: expires later", ProductOpenLDAP, "shadowExpire", "30000", false},
		{"shadow: never", ProductOpenLDAP, "shadowExpire", "-1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newMapping(Config{}, tt.product, noon).record(entry("cn=a", map[string][]string{tt.attribute: {tt.value}})).Disabled; got != tt.want {
				t.Errorf("disabled %v, want %v", got, tt.want)
			}
		})
	}
}

func revealed(list []secret.String) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Reveal())
	}
	return out
}

func TestCards(t *testing.T) {
	read := func(cfg map[string][]string, attributes map[string][]string) directory.Record {
		return newMapping(Config{Attributes: cfg}, ProductAD, noon).record(entry("CN=A", attributes))
	}
	t.Run("A2_20 several attributes, in their order, each number once", func(t *testing.T) {
		r := read(map[string][]string{"card": {"employeeNumber", "extensionAttribute1"}}, map[string][]string{
			"extensionAttribute1": {" 22 ", "", "11"}, "EMPLOYEENUMBER": {"11", "33"},
		})
		if diff := cmp.Diff([]string{"11", "33", "22"}, revealed(r.Cards)); diff != "" {
			t.Errorf("cards %s", diff)
		}
	})
	t.Run("an empty attribute says that there is none", func(t *testing.T) {
		r := read(map[string][]string{"card": {"employeeNumber"}, "pin": {"ipPhone"}}, nil)
		if diff := cmp.Diff([]core.CredentialKind{core.CredentialCard, core.CredentialPIN}, r.Credentials); diff != "" || len(r.Cards) != 0 || !r.PIN.Empty() {
			t.Errorf("%+v", r)
		}
	})
	t.Run("what has no attribute is not the directory's business", func(t *testing.T) {
		if r := read(map[string][]string{"card": {""}}, map[string][]string{"employeeNumber": {"1"}}); len(r.Credentials)+len(r.Cards) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]string{"de": "de", " fr-CH ": "fr-CH", "en;q=0.8, de": "en", "de,en": "de", "": "", "deutsch (Schweiz)": "", "*": ""} {
		if got := language(text); got != want {
			t.Errorf("language(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestFingerprintIsOfTheEntryAndOfTheSettings(t *testing.T) {
	attributes := map[string][]string{"sAMAccountName": {"a"}}
	one := newMapping(Config{}, ProductAD, noon).fingerprint(entry("CN=A", attributes))
	same := newMapping(Config{PageSize: 5, ID: "other"}, ProductAD, noon.Add(time.Hour)).fingerprint(entry("CN=A", attributes))
	if one != same {
		t.Error("the same entry has another fingerprint")
	}
	domains := newMapping(Config{}, ProductAD, noon)
	domains.domains = map[string]string{"dc=example,dc=org": "CORP"}
	expiring := entry("CN=A", map[string][]string{"accountExpires": {fmt.Sprint((noon.Unix() + 11_644_473_600) * 10_000_000)}})
	for name, pair := range map[string][2]directory.Fingerprint{
		"another value": {one, newMapping(Config{}, ProductAD, noon).fingerprint(entry("CN=A", map[string][]string{"sAMAccountName": {"b"}}))},
		"another name":  {one, newMapping(Config{}, ProductAD, noon).fingerprint(entry("CN=B", attributes))},
		"another rule":  {one, newMapping(Config{Username: directory.UsernameSAM}, ProductAD, noon).fingerprint(entry("CN=A", attributes))},
		"a card":        {one, newMapping(Config{Attributes: map[string][]string{"card": {"employeeNumber"}}}, ProductAD, noon).fingerprint(entry("CN=A", attributes))},
		"a domain":      {one, domains.fingerprint(entry("CN=A", attributes))},
		"an account that expires meanwhile": {
			newMapping(Config{}, ProductAD, noon.Add(-time.Minute)).fingerprint(expiring), newMapping(Config{}, ProductAD, noon.Add(time.Minute)).fingerprint(expiring),
		},
	} {
		if pair[0] == pair[1] {
			t.Errorf("%s makes no other fingerprint", name)
		}
	}
}

func TestNamesOfMembers(t *testing.T) {
	for text, want := range map[string]string{
		"UID=A,OU=People,DC=org":      "uid=a,ou=people,dc=org",
		"uid = a , ou=people ,dc=org": "uid=a,ou=people,dc=org",
		`cn=a\, b\  ,dc=org`:          `cn=a\, b\ ,dc=org`,
		"cn=two  words , dc=org":      "cn=two  words,dc=org",
		"CN=Müller ÄÖ,dc=org":         "cn=müller äö,dc=org",
		"cn=a+sn = b,dc=org":          "cn=a+sn=b,dc=org",
		"":                            "",
		`cn=ends\`:                    `cn=ends\`,
		"  cn=a":                      "cn=a",
		"cn=a  ":                      "cn=a",
		"<GUID=1>;CN=A":               "<guid=1>;cn=a",
	} {
		if got := string(normalDN([]byte(text))); got != want {
			t.Errorf("normalDN(%q) = %q, want %q", text, got, want)
		}
	}
	guid, dn := cutExtended([]byte("<GUID=04030201-0605-0807-0910-111213141516>;<SID=S-1-5-21-1>;CN=A,DC=org"))
	if string(guid) != "04030201-0605-0807-0910-111213141516" || string(dn) != "CN=A,DC=org" {
		t.Errorf("%s, %s", guid, dn)
	}
	for dn, below := range map[string]bool{"DC=example,DC=org": true, "OU=x, dc=EXAMPLE,dc=org": true, "DC=org": false, "DC=notexample,DC=org": false} {
		if isBelow(dn, "dc=example,dc=org") != below {
			t.Errorf("isBelow(%s) = %v", dn, !below)
		}
	}
}

func TestAliasesAndDomains(t *testing.T) {
	m := newMapping(Config{Attributes: map[string][]string{"aliases": {"proxyAddresses"}, "office": {""}}}, ProductAD, noon)
	m.domains = map[string]string{"dc=example,dc=org": "CORP", "dc=lab,dc=example,dc=org": "LAB"}
	got := m.record(entry("CN=A,OU=x,DC=Lab,DC=Example,DC=org", map[string][]string{
		"sAMAccountName": {"a"}, "proxyAddresses": {"SMTP:a@example.org", "smtp:alias@example.org", "X500:/o=x", "plain"}, "physicalDeliveryOfficeName": {"not read"},
	}))
	if diff := cmp.Diff([]string{"a@example.org", "alias@example.org", "plain"}, got.Aliases); diff != "" {
		t.Errorf("aliases %s", diff)
	}
	if got.Domain != "LAB" || got.Office != "" {
		t.Errorf("domain %q, office %q", got.Domain, got.Office)
	}
	if d := m.domainOf("CN=A,DC=example,DC=org"); d != "CORP" {
		t.Errorf("domain %q", d)
	}
	if d := m.domainOf("CN=A,DC=other,DC=org"); d != "" {
		t.Errorf("domain of another forest %q", d)
	}
	several := newMapping(Config{}, ProductOpenLDAP, noon).record(entry("uid=a", map[string][]string{"uid": {"a", "b"}, "cn": {"A B"}}))
	if several.SAM != "a" || several.DisplayName != "A B" || len(several.Aliases) != 1 || several.Aliases[0] != "b" {
		t.Errorf("%+v", several)
	}
}

func TestWordsOfAServerThatRefusesAPasswordAreOneShortLine(t *testing.T) {
	says := goldap.NewError(goldap.LDAPResultBusy, errors.New("busy\x1b[2J\r\n"+strings.Repeat("x", 1<<20)))
	err := judge(nil, says)
	if text := err.Error(); !errors.Is(err, core.ErrUnavailable) || len(text) > 500 || strings.ContainsAny(text, "\x1b\r\n") || !strings.Contains(text, "busy") {
		t.Errorf("%d bytes: %.400q", len(text), text)
	}
}
