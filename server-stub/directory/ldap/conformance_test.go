package ldap

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

// tool changes a directory as an administrator, and tells keys from DNs.
type tool struct {
	conn    *goldap.Conn
	ad      bool
	base    string // where people and groups are made
	counter atomic.Int64
}

// dn finds the entry of a key.
func (d *tool) dn(k directory.Key) (string, error) {
	filter := "(entryUUID=" + k.ID + ")"
	if d.ad {
		raw, err := guidBytes(k.ID)
		if err != nil {
			return "", err
		}
		filter = equal("objectGUID", string(raw))
	}
	result, err := d.conn.Search(goldap.NewSearchRequest(d.base, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false, filter, []string{"1.1"}, nil))
	if err != nil || len(result.Entries) != 1 {
		return "", fmt.Errorf("find %s: %w", filter, err)
	}
	return result.Entries[0].DN, nil
}

func (d *tool) key(dn string) (directory.Key, error) {
	k, name := directory.Key{Kind: core.IdentityEntryUUID}, "entryUUID"
	if d.ad {
		k.Kind, name = core.IdentityObjectGUID, "objectGUID"
	}
	result, err := d.conn.Search(goldap.NewSearchRequest(dn, goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{name}, nil))
	if err != nil || len(result.Entries) != 1 {
		return k, fmt.Errorf("read %s: %w", dn, err)
	}
	k.ID = result.Entries[0].GetAttributeValue(name)
	if d.ad {
		k.ID, err = guidText(result.Entries[0].GetRawAttributeValue(name))
	}
	return k, err
}

func (d *tool) create(dn string, attributes map[string][]string) (directory.Key, error) {
	request := goldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		request.Attribute(name, values)
	}
	if err := d.conn.Add(request); err != nil {
		return directory.Key{}, fmt.Errorf("add %s: %w", dn, err)
	}
	return d.key(dn)
}

// person makes one and returns the DN.
func (d *tool) person() (string, directory.Key, error) {
	n := d.counter.Add(1)
	name := fmt.Sprintf("t%d-%d", len(d.base), n)
	if !d.ad {
		dn := "uid=" + name + "," + d.base
		k, err := d.create(dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {name}, "cn": {"Person " + name}, "sn": {name}})
		return dn, k, err
	}
	unit, _, _ := strings.Cut(strings.TrimPrefix(d.base, "OU="), ",")
	name = fmt.Sprintf("%s-%d", unit, n)
	dn := "CN=Person " + name + "," + d.base
	k, err := d.create(dn, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {name}, "displayName": {"Person " + name}, "userAccountControl": {"546"}})
	return dn, k, err
}

func (d *tool) group(name string, members ...string) (string, directory.Key, error) {
	if !d.ad {
		dn := "cn=" + name + "," + d.base
		k, err := d.create(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": members})
		return dn, k, err
	}
	unit, _, _ := strings.Cut(strings.TrimPrefix(d.base, "OU="), ",")
	dn := "CN=" + name + "," + d.base
	k, err := d.create(dn, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {unit + " " + name}, "member": members})
	return dn, k, err
}

func (d *tool) modify(k directory.Key, change func(*goldap.ModifyRequest)) error {
	dn, err := d.dn(k)
	if err != nil {
		return err
	}
	request := goldap.NewModifyRequest(dn, nil)
	change(request)
	return d.conn.Modify(request)
}

// directory fills the base and returns it for the suite.
func (d *tool) directory(t *testing.T, cfg Config) directorytest.Directory {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var people []string
	for range 4 {
		dn, _, err := d.person()
		must(err)
		people = append(people, dn)
	}
	inner, _, err := d.group("Inner", people[0])
	must(err)
	_, _, err = d.group("Outer", inner, people[1])
	must(err)

	cfg.BaseDN, cfg.GroupBaseDN, cfg.PageSize = d.base, d.base, 2
	server := strings.TrimPrefix(cfg.URLs[0], "ldaps://")
	if d.ad {
		server += ":636"
	}
	p := newProxy(t, server)
	p.spoil.Store(cutAfter(-1))
	failing, unreachable := cfg, cfg
	failing.URLs, unreachable.URLs = []string{"ldaps://" + p.address}, []string{"ldaps://127.0.0.1:1"}
	failing.ServerName = server[:strings.Index(server, ":")]
	if _, err := readAll(t, newSource(t, failing)); err != nil {
		t.Fatal(err)
	}
	p.spoil.Store(cutAfter(p.passed.Load() * 9 / 10))
	return directorytest.Directory{
		Source: newSource(t, cfg), People: 4, Groups: 2,
		Add: func() (directory.Key, error) {
			_, k, err := d.person()
			return k, err
		},
		Change: func(k directory.Key) error {
			return d.modify(k, func(r *goldap.ModifyRequest) {
				r.Replace("physicalDeliveryOfficeName", []string{fmt.Sprintf("B %d", d.counter.Add(1))})
			})
		},
		Remove: func(k directory.Key) error {
			dn, err := d.dn(k)
			if err != nil {
				return err
			}
			return d.conn.Del(goldap.NewDelRequest(dn, nil))
		},
		Join: func(group, person directory.Key) error {
			dn, err := d.dn(person)
			if err != nil {
				return err
			}
			return d.modify(group, func(r *goldap.ModifyRequest) { r.Add("member", []string{dn}) })
		},
		Failing: newSource(t, failing), Unreachable: newSource(t, unreachable),
	}
}

func TestOpenLDAPKeepsTheRulesOfSources(t *testing.T) {
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(0)})
	cfg := slapdConfig(t, server)
	admin := dialAdmin(t, server.LDAPS, testenv.SlapdAdmin, testenv.SlapdAdminPassword, newSource(t, cfg))
	n := 0
	directorytest.Run(t, func(t *testing.T) directorytest.Directory {
		n++
		d := &tool{conn: admin, base: fmt.Sprintf("ou=t%d,%s", n, testenv.SlapdBase)}
		if _, err := d.create(d.base, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {fmt.Sprintf("t%d", n)}}); err != nil {
			t.Fatal(err)
		}
		return d.directory(t, cfg)
	})
}

// adKeepsTheRules runs the suite on the domain controller of TestActiveDirectory, by each way to learn what changed.
func adKeepsTheRules(t *testing.T, d *domain, cfg Config) {
	n := 0
	for _, way := range []Incremental{IncrementalAuto, IncrementalUSN, IncrementalOff} {
		t.Run(string(way), func(t *testing.T) {
			cfg := cfg
			cfg.Incremental = way
			directorytest.Run(t, func(t *testing.T) directorytest.Directory {
				n++
				base := fmt.Sprintf("OU=t%d,%s", n, testenv.SambaBase)
				d.unit(base)
				return (&tool{conn: d.admin, ad: true, base: base}).directory(t, cfg)
			})
		})
	}
}
