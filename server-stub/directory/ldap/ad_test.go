package ldap

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

const (
	adPeople   = "OU=People," + testenv.SambaBase
	adService  = "CN=svc platen,OU=Services," + testenv.SambaBase
	adSeer     = "CN=svc seer,OU=Services," + testenv.SambaBase // it sees deleted objects
	adPassword = "Us3r!Passw0rd"
)

// unicodePwd is a password in the form in which Active Directory takes it (MS-ADTS 3.1.1.3.1.5).
func unicodePwd(password string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// domain is the Active Directory of the test and its administrator.
type domain struct {
	t     *testing.T
	admin *goldap.Conn
}

func (d *domain) unit(dn string) {
	d.t.Helper()
	request := goldap.NewAddRequest(dn, nil)
	request.Attribute("objectClass", []string{"organizationalUnit"})
	if err := d.admin.Add(request); err != nil {
		d.t.Fatal(err)
	}
}

func (d *domain) user(dn, sam string, attributes map[string]string) {
	d.t.Helper()
	all := map[string]string{"sAMAccountName": sam, "unicodePwd": unicodePwd(adPassword), "userAccountControl": "512"}
	for name, value := range attributes {
		all[name] = value
	}
	request := goldap.NewAddRequest(dn, nil)
	request.Attribute("objectClass", []string{"user"})
	for name, value := range all {
		if value != "" {
			request.Attribute(name, []string{value})
		}
	}
	if err := d.admin.Add(request); err != nil {
		d.t.Fatalf("add %s: %v", dn, err)
	}
}

// join makes members of a group.
func (d *domain) join(group string, members ...string) {
	d.t.Helper()
	request := goldap.NewModifyRequest(group, nil)
	request.Add("member", members)
	if err := d.admin.Modify(request); err != nil {
		d.t.Fatalf("join %s: %v", group, err)
	}
}

// value reads one attribute of one entry.
func (d *domain) value(base, attribute string) string {
	d.t.Helper()
	result, err := d.admin.Search(goldap.NewSearchRequest(base, goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{attribute}, nil))
	if err != nil || len(result.Entries) != 1 {
		d.t.Fatalf("read %s of %s: %v", attribute, base, err)
	}
	return result.Entries[0].GetAttributeValue(attribute)
}

// TestActiveDirectory needs several seconds for its domain controller, so all that needs one is here.
func TestActiveDirectory(t *testing.T) {
	server := testenv.Samba(t)
	cfg := Config{
		ID: "corp", URLs: []string{server.LDAPS}, CAFile: server.CAFile,
		BindDN: adService, BindPassword: password(t, adPassword),
	}
	source := newSource(t, cfg)
	d := &domain{t: t, admin: dialAdmin(t, server.LDAPS, testenv.SambaAdmin, testenv.SambaAdminPassword, source)}
	modify(t, d.admin, testenv.SambaBase, "lockoutThreshold", "50") // without one Samba counts no wrong passwords
	d.unit(adPeople)
	d.unit("OU=Services," + testenv.SambaBase)
	d.unit("OU=Moved," + testenv.SambaBase)
	d.user(adService, "svc-platen", map[string]string{"userPrincipalName": "svc-platen@" + testenv.SambaRealm})
	d.user("CN=Alexander Test,"+adPeople, "alex", map[string]string{
		"userPrincipalName": "alexander.test@example.org", "mail": "alex@example.org", "displayName": "Alexander Test", "department": "Library",
		"physicalDeliveryOfficeName": "B 12", "proxyAddresses": "smtp:alias@example.org",
	})
	d.user("CN=Nobody's UPN,"+adPeople, "noupn", nil)
	d.user("CN=Disabled,"+adPeople, "disabled", map[string]string{"userAccountControl": "514", "userPrincipalName": "disabled@example.org"})
	d.user("CN=Expired,"+adPeople, "expired", map[string]string{"accountExpires": fmt.Sprint((time.Now().Unix() - 3600 + 11_644_473_600) * 10_000_000), "userPrincipalName": "expired@example.org"})
	d.user("CN=Must Change,"+adPeople, "mustchange", map[string]string{"pwdLastSet": "0", "userPrincipalName": "mustchange@example.org"})
	d.user("CN=Locked,"+adPeople, "locked", map[string]string{"userPrincipalName": "locked@example.org"})
	for i := range 12 {
		d.user(fmt.Sprintf("CN=Person %d,%s", i, adPeople), fmt.Sprintf("p%d", i), map[string]string{"unicodePwd": "", "userAccountControl": "546"})
	}
	const people = 18 + 1 // and the service account

	all, err := readAll(t, source)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("check", func(t *testing.T) {
		got, err := source.Check(t.Context())
		if err != nil || !strings.Contains(got, fmt.Sprintf("(ad) lists %d people below %s", people, testenv.SambaBase)) {
			t.Errorf("Check = %q, %v", got, err)
		}
		if _, err := newSource(t, withUsername(cfg, directory.UsernameUPN)).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("A1_47 records; plain Active Directory has no MailNickName", func(t *testing.T) {
		dn := "CN=Alexander Test," + adPeople
		want := directory.Record{
			KeyKind: core.IdentityObjectGUID, Username: "alexander.test@example.org", UPN: "alexander.test@example.org", SAM: "alex", Domain: testenv.SambaDomain,
			Email: "alex@example.org", DisplayName: "Alexander Test", Department: "Library", Office: "B 12", Locator: dn, Where: dn,
		}
		got := byName(t, all, "alexander.test@example.org")
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(directory.Record{}, "Key", "SID", "Fingerprint")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if where := d.value("<GUID="+got.Key+">", "distinguishedName"); where != dn {
			t.Errorf("<GUID=%s> is %s", got.Key, where)
		}
		if where := d.value("<SID="+got.SID+">", "distinguishedName"); where != dn {
			t.Errorf("<SID=%s> is %s", got.SID, where)
		}
		if len(all) != people {
			t.Errorf("%d people, want %d", len(all), people)
		}
		for name, disabled := range map[string]bool{"alexander.test@example.org": false, "noupn": false, "disabled@example.org": true, "expired@example.org": true, "mustchange@example.org": false} {
			if r := byName(t, all, name); r.Disabled != disabled {
				t.Errorf("%s: disabled %v", name, r.Disabled)
			}
		}
	})
	t.Run("pages, StartTLS and proxyAddresses", func(t *testing.T) {
		cfg := cfg
		cfg.URLs, cfg.StartTLS, cfg.PageSize, cfg.Attributes = []string{server.LDAP}, true, 5, map[string][]string{"aliases": {"proxyAddresses"}}
		paged, err := readAll(t, newSource(t, cfg))
		if err != nil || len(paged) != people {
			t.Fatalf("%d people, %v", len(paged), err)
		}
		if r := byName(t, paged, "alexander.test@example.org"); len(r.Aliases) != 1 || r.Aliases[0] != "alias@example.org" {
			t.Errorf("aliases %q", r.Aliases)
		}
	})
	t.Run("A1_03 A1_04 A1_05 a local domain controller says who somebody is, and whether the password is right", func(t *testing.T) {
		cfg := cfg
		cfg.Product = ProductAD
		s := newSource(t, cfg)
		all, err := readAll(t, s)
		if err != nil || len(all) != people {
			t.Fatalf("%d people, %v", len(all), err)
		}
		r := byName(t, all, "alexander.test@example.org")
		if err := s.CheckPassword(t.Context(), r.KeyKind, r.Key, secret.New(adPassword)); err != nil {
			t.Error(err)
		}
		if err := s.CheckPassword(t.Context(), r.KeyKind, r.Key, secret.New("wrong")); !errors.Is(err, core.ErrWrongCredentials) {
			t.Errorf("a wrong password: %v", err)
		}
	})
	t.Run("A1_06 A1_60 A2_20 A2_21 Secure LDAP brings several cards, code, PIN, aliases, office and department", func(t *testing.T) {
		dn := "CN=Alexander Test," + adPeople
		request := goldap.NewModifyRequest(dn, nil)
		for name, values := range map[string][]string{
			"employeeNumber": {"0012345"}, "otherPager": {"987", "0012345", "654"}, "pager": {"CODE77"}, "ipPhone": {"4711"}, "employeeID": {"E-9"}, "preferredLanguage": {"fr-CH, fr;q=0.8"},
		} {
			request.Replace(name, values)
		}
		if err := d.admin.Modify(request); err != nil {
			t.Fatal(err)
		}
		cfg := cfg
		cfg.Product, cfg.Filter = ProductEntraDS, "(sAMAccountName=alex)"
		cfg.Attributes = map[string][]string{"card": {"employeeNumber", "otherPager"}, "code": {"pager"}, "pin": {"ipPhone"}, "aliases": {"proxyAddresses"}}
		one, err := readAll(t, newSource(t, cfg))
		if err != nil || len(one) != 1 {
			t.Fatalf("%d people, %v", len(one), err)
		}
		r := one[0]
		if cards := revealed(r.Cards); len(cards) != 3 || cards[0] != "0012345" || !slices.Contains(cards, "987") || !slices.Contains(cards, "654") {
			t.Errorf("cards %q", cards)
		}
		if r.Username != "alex" || r.AccessCode.Reveal() != "CODE77" || r.PIN.Reveal() != "4711" || !slices.Equal(r.Aliases, []string{"alias@example.org"}) ||
			r.Office != "B 12" || r.Department != "Library" || r.EmployeeID != "E-9" || r.Language != "fr-CH" {
			t.Errorf("%+v", r)
		}
		if want := []core.CredentialKind{core.CredentialCard, core.CredentialCode, core.CredentialPIN}; !slices.Equal(r.Credentials, want) {
			t.Errorf("the authority for %v", r.Credentials)
		}
	})
	t.Run("upn-as-username", func(t *testing.T) {
		yes, no := true, false
		for _, tt := range []struct {
			row     string
			product Product
			key     *bool
			want    string
		}{
			{"A1_50", ProductAuto, &no, "alex"},
			{"A1_51", ProductAuto, &yes, "alexander.test@example.org"},
			{"A1_53", ProductEntraDS, &yes, "alex"},
		} {
			t.Run(tt.row, func(t *testing.T) {
				cfg := cfg
				cfg.Product, cfg.UPNAsUsername, cfg.Filter = tt.product, tt.key, "(sAMAccountName=alex)"
				one, err := readAll(t, newSource(t, cfg))
				if err != nil || len(one) != 1 || one[0].Username != tt.want {
					t.Errorf("%+v, %v; want %s", one, err, tt.want)
				}
			})
		}
	})
	t.Run("an account that hides whether it is disabled fails the read", func(t *testing.T) {
		cfg := cfg
		cfg.Filter = "(objectClass=organizationalUnit)" // anything without userAccountControl
		if all, err := readAll(t, newSource(t, cfg)); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "userAccountControl") {
			t.Errorf("%d people, %v", len(all), err)
		}
	})
	t.Run("passwords", func(t *testing.T) { adPasswords(t, d, source, all) })
	t.Run("a wrong service password is not tried again and again", func(t *testing.T) {
		cfg := cfg
		cfg.BindPassword = password(t, "wrong")
		s := newSource(t, cfg)
		before := badPasswords(d, adService)
		for range 5 {
			if _, err := readAll(t, s); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "bind_password_file") {
				t.Fatal(err)
			}
		}
		if tried := badPasswords(d, adService) - before; tried != 1 {
			t.Errorf("the service account was tried %d times", tried)
		}
	})
	t.Run("who does not see deleted objects reads everything", func(t *testing.T) {
		if b := bookmarkOf(t, source); b != nil {
			t.Errorf("a bookmark: %s", b)
		}
		got, err := source.Check(t.Context())
		if err != nil || !strings.Contains(got, "each synchronisation reads everything (the service account may not see deleted objects") {
			t.Errorf("Check = %q, %v", got, err)
		}
	})
	// In Windows an administrator may let any account see deleted objects; in Samba it is easier to make one an administrator.
	d.user(adSeer, "svc-seer", nil)
	d.join("CN=Administrators,CN=Builtin,"+testenv.SambaBase, adSeer)
	d.user("CN=Deleted,"+adPeople, "deleted", nil)
	if err := d.admin.Del(goldap.NewDelRequest("CN=Deleted,"+adPeople, nil)); err != nil {
		t.Fatal(err)
	}
	seer := cfg
	seer.BindDN = adSeer
	t.Run("the rules of sources", func(t *testing.T) { adKeepsTheRules(t, d, seer) })
	t.Run("groups", func(t *testing.T) { adGroups(t, d, cfg) })
	t.Run("what changed", func(t *testing.T) { adChanges(t, d, cfg, seer) })
	t.Run("when the service account's password expires", func(t *testing.T) {
		modify(t, d.admin, testenv.SambaBase, "maxPwdAge", fmt.Sprint(-40*24*60*60*10_000_000))
		for _, name := range []string{adService, "svc-platen@" + testenv.SambaRealm} {
			cfg := cfg
			cfg.BindDN = name
			got, err := newSource(t, cfg).Expiries(t.Context())
			if err != nil || len(got) != 1 || !strings.Contains(got[0].What, name) || time.Until(got[0].At).Round(time.Hour) != 40*24*time.Hour {
				t.Errorf("%+v, %v", got, err)
			}
		}
		modify(t, d.admin, adService, "userAccountControl", "66048") // its password never expires
		if got, err := source.Expiries(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("never: %+v, %v", got, err)
		}
	})
	t.Run("watch", func(t *testing.T) { adWatch(t, d, source) })
	t.Run("A1_48 rename and move at once keep the person", func(t *testing.T) { adRename(t, d, source) })
}

func withUsername(cfg Config, rule directory.UsernameRule) Config {
	cfg.Username = rule
	return cfg
}

// badPasswords is how many wrong passwords the domain has counted.
func badPasswords(d *domain, dn string) int {
	d.t.Helper()
	text := d.value(dn, "badPwdCount")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func adPasswords(t *testing.T, d *domain, source *Source, all []directory.Record) {
	check := func(username, password string) error {
		r := byName(t, all, username)
		return source.CheckPassword(t.Context(), r.KeyKind, r.Key, secret.New(password))
	}
	for _, tt := range []struct {
		username, password string
		want               error
		says               string
	}{
		{"alexander.test@example.org", adPassword, nil, ""},
		{"alexander.test@example.org", "wrong", core.ErrWrongCredentials, ""},
		{"alexander.test@example.org", "", core.ErrWrongCredentials, "never sent"},
		{"noupn", adPassword, nil, ""},
		{"disabled@example.org", adPassword, core.ErrDisabled, "data 533"},
		{"expired@example.org", adPassword, core.ErrDisabled, "data 701"},
		{"mustchange@example.org", adPassword, core.ErrPasswordExpired, "data 773"},
	} {
		err := check(tt.username, tt.password)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s with %q: %v, want %v %s", tt.username, tt.password, err, tt.want, tt.says)
		}
	}
	t.Run("one call is one try", func(t *testing.T) {
		dn := byName(t, all, "noupn").Locator
		before := badPasswords(d, dn)
		for range 3 {
			if err := check("noupn", "wrong"); !errors.Is(err, core.ErrWrongCredentials) {
				t.Fatal(err)
			}
		}
		_, _ = check("noupn", ""), check("noupn", "x\x00y")
		if tried := badPasswords(d, dn) - before; tried != 3 {
			t.Errorf("3 wrong passwords were %d tries", tried)
		}
	})
	t.Run("locked out", func(t *testing.T) {
		modify(t, d.admin, testenv.SambaBase, "lockoutThreshold", "3")
		defer modify(t, d.admin, testenv.SambaBase, "lockoutThreshold", "50")
		for range 3 {
			if err := check("locked@example.org", "wrong"); !errors.Is(err, core.ErrWrongCredentials) {
				t.Fatal(err)
			}
		}
		if err := check("locked@example.org", adPassword); !errors.Is(err, core.ErrLimited) || !strings.Contains(err.Error(), "data 775") {
			t.Errorf("the right password of a locked account: %v", err)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		d.user("CN=Gone,"+adPeople, "gone", nil)
		now, err := readAll(t, source)
		if err != nil {
			t.Fatal(err)
		}
		gone := byName(t, now, "gone")
		if err := d.admin.Del(goldap.NewDelRequest("CN=Gone,"+adPeople, nil)); err != nil {
			t.Fatal(err)
		}
		if err := source.CheckPassword(t.Context(), gone.KeyKind, gone.Key, secret.New(adPassword)); !errors.Is(err, core.ErrWrongCredentials) {
			t.Errorf("%v", err)
		}
	})
}

func adRename(t *testing.T, d *domain, source *Source) {
	db := storetest.OpenSQLite(t)
	sync := dirsync.New(db, clock.System, dirsync.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if run, err := sync.Run(t.Context(), source, dirsync.Settings{}); err != nil || run.Created == 0 || run.Conflicts != 0 {
		t.Fatalf("first run %+v, %v", run, err)
	}
	find := func(username string) (u core.User) {
		t.Helper()
		err := db.View(t.Context(), func(tx store.Tx) error {
			users, err := tx.ListUsers(t.Context(), store.UserFilter{Query: username})
			if err == nil && len(users) == 1 {
				u = users[0]
			}
			return err
		})
		if err != nil || u.ID == 0 {
			t.Fatalf("user %s: %+v, %v", username, u, err)
		}
		return u
	}
	before := find("alexander.test@example.org")
	if err := d.admin.ModifyDN(goldap.NewModifyDNRequest("CN=Alexander Test,"+adPeople, "CN=Alexandra Kim", true, "OU=Moved,"+testenv.SambaBase)); err != nil {
		t.Fatal(err)
	}
	dn := "CN=Alexandra Kim,OU=Moved," + testenv.SambaBase
	modify(t, d.admin, dn, "userPrincipalName", "alexandra.kim@example.org")
	modify(t, d.admin, dn, "sAMAccountName", "alexandra")
	modify(t, d.admin, dn, "displayName", "Alexandra Kim")
	run, err := sync.Run(t.Context(), source, dirsync.Settings{})
	if err != nil || run.Renamed != 1 || run.Created+run.Disabled != 0 {
		t.Errorf("run %+v, %v", run, err)
	}
	after := find("alexandra.kim@example.org")
	if after.ID != before.ID || after.DisplayName != "Alexandra Kim" {
		t.Errorf("after the rename %+v, before %+v", after, before)
	}
	err = db.View(t.Context(), func(tx store.Tx) error {
		names, err := tx.UserNames(t.Context(), after.ID)
		if err != nil {
			return err
		}
		for _, n := range names {
			if n.Kind == core.NameAlias && n.Folded == "alexander.test@example.org" && n.ValidTo.IsZero() {
				return nil
			}
		}
		t.Errorf("the old name is no alias: %+v", names)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := readAll(t, source)
	if err != nil {
		t.Fatal(err)
	}
	r := byName(t, all, "alexandra.kim@example.org")
	if err := source.CheckPassword(t.Context(), r.KeyKind, r.Key, secret.New(adPassword)); err != nil {
		t.Errorf("the password after the move: %v", err)
	}
}
