package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

// linux is a computer with these files, environment and flags.
func linux(files, env, flags map[string]string) Machine {
	read := func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		if text == "DENIED" {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return []byte(text), nil
	}
	return Machine{
		GOOS: "linux", Home: "/home/alex", Config: "/home/alex/.config", Env: env, Flags: flags,
		ReadFile: read, ReadShared: read,
	}
}

const (
	policyFile  = "/etc/platen/policy.conf"
	machineFile = "/etc/platen/platen.conf"
	userFile    = "/home/alex/.config/platen/platen.conf"
	goodPin     = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
)

func load(t *testing.T, m Machine) (Config, []string, error) {
	t.Helper()
	c, warnings, err := Load(t.Context(), Sources{Ordered: System(m)})
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	return c, texts, err
}

func TestDefaultsHoldWhereNothingIsSet(t *testing.T) {
	c, warnings, err := load(t, linux(nil, nil, nil))
	if err != nil || warnings != nil {
		t.Fatalf("got warnings %q, error %v, want none", warnings, err)
	}
	want := Config{
		AuthMode: AuthAuto, AutoStart: true, Enrol: true, DeviceRole: RolePersonal, ShowBalanceAtStart: StartNotification, LogLevel: slog.LevelInfo,
		values: c.values,
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	for _, s := range c.Settings() {
		if s.Origin != "default" {
			t.Errorf("%s has origin %q, want default", s.Name, s.Origin)
		}
	}
}

func TestTheStrongestSourceWinsAndIsNamed(t *testing.T) {
	files := map[string]string{
		policyFile:  "# ours\nServerURL=https://policy.example.org\n",
		userFile:    "Language=de\nServerURL=https://user.example.org\nUPNSuffix=user.example.org\n",
		machineFile: "UPNSuffix=machine.example.org\nLowBalance=2.50\nLanguage=fr\n",
	}
	env := map[string]string{"PLATEN_SERVER_URL": "https://env.example.org", "PLATEN_LANGUAGE": "es", "PLATEN_LOG_LEVEL": "warn"}
	flags := map[string]string{"log-level": "debug"}
	c, _, err := load(t, linux(files, env, flags))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ServerURL":  "https://policy.example.org | policy /etc/platen/policy.conf:2",
		"LogLevel":   "debug | flag --log-level",
		"Language":   "es | environment PLATEN_LANGUAGE",
		"UPNSuffix":  "user.example.org | user file /home/alex/.config/platen/platen.conf:3",
		"LowBalance": "2.50 | machine file /etc/platen/platen.conf:2",
		"AuthMode":   "auto | default",
	}
	got := map[string]string{}
	for _, s := range c.Settings() {
		if _, ok := want[s.Name]; ok {
			got[s.Name] = s.Value + " | " + s.Origin
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values with origins (-want +got):\n%s", diff)
	}
	if c.LogLevel != slog.LevelDebug || c.Language != "es" || c.ServerURL.Host != "policy.example.org" {
		t.Errorf("typed fields do not say the same: %+v", c)
	}
	if !c.Origin("ServerURL").Enforced() || c.Origin("Language").Enforced() {
		t.Error("only the policy's value is enforced")
	}
}

func TestTheCompatibleNameUPNSuffixWorks(t *testing.T) {
	c, warnings, err := load(t, linux(map[string]string{machineFile: "UPNSuffix=example.org\r\n"}, nil, nil))
	if err != nil || warnings != nil || c.UPNSuffix != "example.org" || c.UPNRules.Global != "example.org" {
		t.Fatalf("UPNSuffix %q, warnings %q, error %v", c.UPNSuffix, warnings, err)
	}
}

func TestA1_37_EveryAuthModeCanBeSet(t *testing.T) {
	for _, mode := range []AuthMode{AuthAuto, AuthTrust, AuthMicrosoft, AuthBrowser, AuthPrompt} {
		c, warnings, err := load(t, linux(map[string]string{policyFile: "AuthMode=" + string(mode)}, nil, nil))
		if err != nil || warnings != nil || c.AuthMode != mode {
			t.Errorf("%s: got %q, warnings %q, error %v", mode, c.AuthMode, warnings, err)
		}
	}
}

func TestCriticalSettingsBreakInsteadOfFallingBack(t *testing.T) {
	for _, tc := range []struct{ line, wantReason string }{
		{"ServerURL=http://print.example.org", "plain http is never used; write https://print.example.org"},
		{"ServerURL=print.example.org", "is not an https address"},
		{"ServerURL=https://", "is not an https address"},
		{"ServerURL=https://print.example.org/print", "must be host and port only"},
		{"ServerURL=https://alex:hunter2@print.example.org", "must not hold a user name or password"},
		{"ServerURL=https://print.example.org:99999", "the port must be"},
		{"ServerURL=https://print example", "is not an address"},
		{"ServerURL=https://pr\u200bint.example.org", "invisible character U+200B"},
		{"CAPin=sha256/short", "is not a pin"},
		{"CAPin=" + goodPin + ",sha1/x", "is not a pin"},
		{"CAFile=ca.pem", "must be a whole path"},
		{"AuthMode=promt", "is none of auto, trust, microsoft, browser, prompt"},
	} {
		t.Run(tc.line, func(t *testing.T) {
			good := "ServerURL=https://weaker.example.org\nCAPin=" + goodPin + "\nCAFile=/etc/ca.pem\nAuthMode=prompt\n"
			c, _, err := load(t, linux(map[string]string{userFile: tc.line, machineFile: good}, nil, nil))
			broken, ok := errors.AsType[*BrokenError](err)
			if !ok {
				t.Fatalf("got error %v, want a BrokenError", err)
			}
			name, _, _ := strings.Cut(tc.line, "=")
			if broken.Name != name || !strings.Contains(broken.Reason, tc.wantReason) || broken.Origin.String() != "user file "+userFile+":1" {
				t.Errorf("got %v, want %s with %q in line 1 of the user file", broken, name, tc.wantReason)
			}
			empty := map[string]bool{"ServerURL": c.ServerURL == nil, "CAPin": c.CAPin == "", "CAFile": c.CAFile == "", "AuthMode": c.AuthMode == ""}
			for critical, isEmpty := range empty {
				if isEmpty != (critical == name) {
					t.Errorf("%s is empty: %v; only the broken setting may be", critical, isEmpty)
				}
			}
			if c.Broken() == nil {
				t.Error("Config.Broken says nothing")
			}
		})
	}
}

func TestOtherBadValuesWarnAndTheDefaultHolds(t *testing.T) {
	text := "AutoStart=maybe\nUPNSuffix=example\nDeviceRole=lab\nLowBalance=2,00\nLanguage=xx\nShowBalanceAtStart=always\nTopUpURL=http://pay\nProxy=socks5://x:1\nLogLevel=loud\nHideBalance=perhaps\nMicrosoftAuthority=https://login.example.org/tenant"
	c, warnings, err := load(t, linux(map[string]string{userFile: text}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if !c.AutoStart || c.DeviceRole != RolePersonal || c.LowBalance != "" || c.Language != "" || c.TopUpURL != nil || c.MicrosoftAuthority != nil || c.Proxy != "" || c.HideBalance || c.UPNSuffix != "" {
		t.Errorf("bad values changed something: %+v", c)
	}
	if len(warnings) != 11 {
		t.Fatalf("got %d warnings, want 11: %q", len(warnings), warnings)
	}
	want := "user file " + userFile + ":1: AutoStart=maybe is neither yes nor no; the client works with yes."
	if !slices.Contains(warnings, want) {
		t.Errorf("got %q, want %q among them", warnings, want)
	}
}

func TestUnknownKeysAreNamedWithTheLikelyOne(t *testing.T) {
	_, warnings, err := load(t, linux(map[string]string{userFile: "\nServerUlr=https://x\nColour=blue\nupnsufix=example.org\n"}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"user file " + userFile + `:2: there is no setting "ServerUlr"; did you mean ServerURL?`,
		"user file " + userFile + `:3: there is no setting "Colour".`,
		"user file " + userFile + `:4: there is no setting "upnsufix"; did you mean UPNSuffix?`,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestAnUnreadableSourceBreaksWhatItMightHaveSaid(t *testing.T) {
	files := map[string]string{policyFile: "DENIED", machineFile: "ServerURL=https://print.example.org\nLanguage=de"}
	c, warnings, err := load(t, linux(files, nil, nil))
	if c.ServerURL != nil || err == nil || !strings.Contains(err.Error(), "policy /etc/platen/policy.conf") {
		t.Errorf("ServerURL %v, error %v; want none, and the policy file named", c.ServerURL, err)
	}
	if c.Language != "de" || len(warnings) != 1 {
		t.Errorf("Language %q, warnings %q; want de and one warning", c.Language, warnings)
	}
	files = map[string]string{policyFile: "ServerURL=https://p.example.org\nCAPin=" + goodPin + "\nCAFile=/ca.pem\nAuthMode=prompt", userFile: "DENIED"}
	if _, _, err := load(t, linux(files, nil, nil)); err != nil {
		t.Errorf("got %v; what the policy decides does not depend on an unreadable user file", err)
	}
}

func TestPinsAndListsAreTidied(t *testing.T) {
	c, _, err := load(t, linux(map[string]string{userFile: "CAPin= " + goodPin + " , " + goodPin + "\nSharedOSUsers=lab, kiosk ,,\nServerURL=https://Print.Example.org:8443/"}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.CAPin != goodPin+","+goodPin || c.ServerURL.String() != "https://print.example.org:8443" {
		t.Errorf("CAPin %q, ServerURL %v", c.CAPin, c.ServerURL)
	}
	if diff := cmp.Diff([]string{"lab", "kiosk"}, c.SharedOSUsers); diff != "" {
		t.Error(diff)
	}
}

// fakeRegistry is a registry with these keys.
type fakeRegistry map[string]map[string]string

func (r fakeRegistry) Values(key string) (map[string]string, error) {
	if values, ok := r[key]; ok && values == nil {
		return nil, fs.ErrPermission
	}
	return r[key], nil
}

func TestWindowsPolicyBeatsFilesAndInstallerIsWeakest(t *testing.T) {
	m := linux(map[string]string{`C:\Users\alex\AppData\Roaming\Platen\platen.conf`: "Language=de\nUPNSuffix=user.example.org\nLowBalance=1.00"}, nil, nil)
	m.GOOS, m.Config, m.Shared = "windows", `C:\Users\alex\AppData\Roaming`, `C:\ProgramData`
	m.Registry = fakeRegistry{
		settings.RegistryPolicyMachine: {"UPNSuffix": "policy.example.org", "HideBalance": "1"},
		settings.RegistryPolicyUser:    {"UPNSuffix": "user-policy.example.org", "LowBalance": "3.00"},
		settings.RegistryInstaller:     {"ServerURL": "https://installer.example.org", "Language": "fr", "Version": "1.0", "": "x"},
	}
	c, warnings, err := load(t, m)
	if err != nil || warnings != nil {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	want := []status.Setting{
		{Name: "ServerURL", Value: "https://installer.example.org", Origin: `installer HKLM\Software\Platen`},
		{Name: "UPNSuffix", Value: "policy.example.org", Origin: `policy HKLM\Software\Policies\Platen`},
		{Name: "HideBalance", Value: "1", Origin: `policy HKLM\Software\Policies\Platen`},
		{Name: "LowBalance", Value: "3.00", Origin: `policy HKCU\Software\Policies\Platen`},
		{Name: "Language", Value: "de", Origin: `user file C:\Users\alex\AppData\Roaming\Platen\platen.conf:1`},
	}
	var got []status.Setting
	for _, s := range c.Settings() {
		if s.Origin != "default" {
			got = append(got, s)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if !c.HideBalance {
		t.Error("a DWORD 1 is yes")
	}
	m.Registry = fakeRegistry{settings.RegistryPolicyMachine: nil, settings.RegistryInstaller: {"ServerURL": "https://installer.example.org"}}
	if _, _, err := load(t, m); err == nil {
		t.Error("an unreadable policy key was passed over")
	}
}

func TestMacProfileIsPolicy(t *testing.T) {
	m := linux(nil, nil, nil)
	m.GOOS, m.Config, m.Shared, m.UserName = "darwin", "/Users/alex/Library/Application Support", "/Library/Application Support", "alex"
	m.Plist = func(path string) ([]sources.Managed, error) {
		if path != "/Library/Managed Preferences/org.platenprint.platen.plist" {
			return nil, fs.ErrNotExist
		}
		return []sources.Managed{{Name: "ServerURL", Text: "https://mac.example.org"}, {Name: "PayloadVersion", Text: "1"}}, nil
	}
	c, warnings, err := load(t, m)
	if err != nil || warnings != nil {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	want := Origin{Kind: sources.KindPolicy, Where: "/Library/Managed Preferences/org.platenprint.platen.plist"}
	if c.ServerURL == nil || c.Origin("serverurl") == want || c.Origin("ServerURL") != want {
		t.Errorf("ServerURL %v from %v", c.ServerURL, c.Origin("ServerURL"))
	}
}

// fakeDNS answers SRV questions from a map; a name that is not in it does not exist.
type fakeDNS map[string][]*net.SRV

func (d fakeDNS) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if d == nil { // a DNS that never answers
		<-ctx.Done()
		return "", nil, ctx.Err()
	}
	records, ok := d["_"+service+"._"+proto+"."+name]
	if !ok {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", records, nil
}

func TestDiscoveryIsAskedOnlyWithoutServerAndIsMarked(t *testing.T) {
	dns := fakeDNS{
		"_platen._tcp.example.org.":      {{Target: "print.example.org.", Port: 8443}},
		"_platen._tcp.none.example.org.": {{Target: ".", Port: 0}},
	}
	for _, tc := range []struct {
		name, machine string
		domains       []string
		wantURL       string
		wantOrigin    string
	}{
		{"found in the second domain", "", []string{"lab.example.org", "example.org"}, "https://print.example.org:8443", "discovery _platen._tcp.example.org"},
		{"a set server is not questioned", "ServerURL=https://set.example.org", []string{"example.org"}, "https://set.example.org", "machine file /etc/platen/platen.conf:1"},
		{"a domain may say no", "", []string{"none.example.org"}, "", "default"},
		{"names without dot are nobody's", "", []string{"org", "localdomain"}, "", "default"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set := Sources{Ordered: System(linux(map[string]string{machineFile: tc.machine}, nil, nil)), Discovery: sources.Domains{Resolver: dns, Names: tc.domains}}
			c, warnings, err := Load(t.Context(), set)
			if err != nil || warnings != nil {
				t.Fatalf("warnings %v, error %v", warnings, err)
			}
			var got string
			if c.ServerURL != nil {
				got = c.ServerURL.String()
			}
			origin := c.Origin("ServerURL")
			if got != tc.wantURL || origin.String() != tc.wantOrigin || origin.Unconfirmed() != (origin.Kind == sources.KindDiscovery) {
				t.Errorf("got %q from %q, want %q from %q", got, origin, tc.wantURL, tc.wantOrigin)
			}
		})
	}
	t.Run("a DNS that does not answer is waited for no longer than the caller's time", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, warnings, err := Load(ctx, Sources{Discovery: sources.Domains{Resolver: fakeDNS(nil), Names: []string{"example.org"}}})
		if err != nil || len(warnings) != 1 {
			t.Errorf("warnings %v, error %v; want one warning", warnings, err)
		}
	})
	t.Run("a hostile record breaks nothing", func(t *testing.T) {
		evil := fakeDNS{"_platen._tcp.example.org.": {{Target: "print.example.org@evil.test/x.", Port: 1}}}
		c, warnings, err := Load(t.Context(), Sources{Discovery: sources.Domains{Resolver: evil, Names: []string{"example.org"}}})
		if c.ServerURL != nil || err != nil || c.Origin("ServerURL").Kind != sources.KindDefault || len(warnings) != 1 {
			t.Errorf("ServerURL %v of %v, warnings %v, error %v", c.ServerURL, c.Origin("ServerURL"), warnings, err)
		}
	})
}

// The resolver shuffles records of the same priority, and each other server is asked about anew.
func TestTheSameRecordsNameTheSameServer(t *testing.T) {
	one := []*net.SRV{
		{Target: "b.example.org.", Port: 443, Priority: 1, Weight: 5},
		{Target: "c.example.org.", Port: 8443, Priority: 1, Weight: 9},
		{Target: "C.example.org.", Port: 443, Priority: 1, Weight: 9},
		{Target: "a.example.org.", Port: 443, Priority: 2, Weight: 99},
	}
	for range len(one) {
		one = append(one[1:], one[0])
		for range len(one) - 1 {
			one[1], one[2], one[3] = one[2], one[3], one[1]
			d := sources.Domains{Resolver: fakeDNS{"_platen._tcp.example.org.": one}, Names: []string{"example.org"}}
			c, _, err := Load(t.Context(), Sources{Discovery: d})
			if err != nil || c.ServerURL.String() != "https://c.example.org" {
				t.Fatalf("%v, %v", c.ServerURL, err)
			}
		}
	}
}

// whoever is a network that says these things of a server.
type whoever sources.Found

func (w whoever) Discover(context.Context) (sources.Found, error) { return sources.Found(w), nil }

func TestE9_WhatTheNetworkSaysBreaksNoSetting(t *testing.T) {
	for name, found := range map[string]whoever{
		"plain http": {ServerURL: "http://print.example.org"}, "a page": {ServerURL: "https://print.example.org/x"},
		"a name": {ServerURL: "https://a:b@print.example.org"}, "an invisible letter": {ServerURL: "https://pr\u200bint.example.org"},
		"a homograph": {ServerURL: "https://pr\u0456nt.example.org"}, "no pin": {ServerURL: "https://print.example.org", CAPin: "sha256/x"},
		"one pin of two": {ServerURL: "https://print.example.org", CAPin: goodPin + ",x"},
	} {
		c, warnings, err := Load(t.Context(), Sources{Discovery: found})
		if err != nil || c.ServerURL != nil || c.CAPin != "" || len(warnings) != 1 || c.Origin("ServerURL").Kind != sources.KindDefault {
			t.Errorf("%s: %v with %q, warnings %v, error %v", name, c.ServerURL, c.CAPin, warnings, err)
		}
	}
}

func TestAddressesOfTheSameServerAreTheSame(t *testing.T) {
	for text, want := range map[string]string{
		"https://Print.Example.org:443/": "https://print.example.org", "https://print.example.org.": "https://print.example.org",
		"https://print.example.org.:08443": "https://print.example.org:8443", "HTTPS://PRINT:443": "https://print", "https://print.": "https://print.",
		"https://[2001:DB8:0::1]:443": "https://[2001:db8::1]", "https://[fe80::1%25eth0]:8443": "https://[fe80::1%25eth0]:8443", "https://10.1.2.3": "https://10.1.2.3",
	} {
		c, _, err := load(t, linux(map[string]string{policyFile: "ServerURL=" + text}, nil, nil))
		if err != nil || c.ServerURL.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, c.ServerURL, err, want)
		}
	}
	for _, text := range []string{"https://[::1", "https://::1", "https://2001:db8::1:443", "https://[1:2]", "https://[::1%25e/x]", "https://..", "https://[10.1.2.3]", "https://a..b"} {
		if c, _, err := load(t, linux(map[string]string{policyFile: "ServerURL=" + text}, nil, nil)); err == nil {
			t.Errorf("%s: %v", text, c.ServerURL)
		}
	}
}

func TestPasswordsInAddressesAreNotShown(t *testing.T) {
	for _, line := range []string{
		"ServerURL=https://alex:hunter2@print.example.org", "Proxy=http://alex:hunter2@proxy.example.org:3128", "Proxy=alex:hunter2@proxy.example.org:3128",
		"Proxy=http://alex:hun@hunter2/@proxy.example.org:3128", "TopUpURL=https://hunter2@pay.example.org/@me",
	} {
		c, warnings, err := load(t, linux(map[string]string{machineFile: line, userFile: line}, map[string]string{"PLATEN_SERVER_URL": "https://print.example.org"}, nil))
		text := fmt.Sprintf("%v %v %v %+v", c.Values(), c.Settings(), err, warnings)
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***@") {
			t.Errorf("%s: %s", line, text)
		}
	}
	if c, _, err := load(t, linux(map[string]string{machineFile: "TopUpURL=https://pay.example.org/@me"}, nil, nil)); err != nil || c.TopUpURL.String() != "https://pay.example.org/@me" {
		t.Errorf("a page with an @: %v, %v", c.TopUpURL, err)
	}
}

func TestSearchDomains(t *testing.T) {
	m := linux(map[string]string{"/etc/resolv.conf": "nameserver 127.0.0.1\ndomain old.example.org\nsearch a.example.org b.example.org\n"}, nil, nil)
	if diff := cmp.Diff([]string{"a.example.org", "b.example.org"}, sources.SearchDomains(m)); diff != "" {
		t.Error(diff)
	}
	m.GOOS = "windows"
	m.Registry = fakeRegistry{`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`: {"SearchList": "a.example.org,b.example.org", "Domain": "corp.example.org"}}
	if diff := cmp.Diff([]string{"a.example.org", "b.example.org", "corp.example.org"}, sources.SearchDomains(m)); diff != "" {
		t.Error(diff)
	}
	if got := sources.SearchDomains(linux(nil, nil, nil)); got != nil {
		t.Errorf("without resolv.conf: %q", got)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("ServerURL=https://print.example.org\n#\n")
	f.Add("UPNSuffix=\u202eexample.org")
	f.Fuzz(func(t *testing.T, text string) {
		// Whatever the file holds: a critical setting is either valid or reported.
		c, _, err := Load(t.Context(), Sources{Ordered: System(linux(map[string]string{userFile: text}, nil, nil))})
		if c.ServerURL != nil && (c.ServerURL.Scheme != "https" || c.ServerURL.Host == "" || c.ServerURL.Path != "" || c.ServerURL.User != nil) {
			t.Errorf("ServerURL %v got through", c.ServerURL)
		}
		if c.Origin("ServerURL").Kind == sources.KindUserFile && c.ServerURL == nil && err == nil {
			t.Errorf("a bad ServerURL was swallowed")
		}
	})
}

func TestEverySettingHasAReader(t *testing.T) {
	for _, s := range Table() {
		if readers[s.Name] == nil {
			t.Errorf("%s is in the table, but nothing reads it", s.Name)
		}
		for _, choice := range s.Choices {
			if err := readers[s.Name](&Config{}, choice); err != nil {
				t.Errorf("%s=%s: %v", s.Name, choice, err)
			}
		}
	}
	if len(readers) != len(Table()) {
		t.Errorf("%d readers for %d settings", len(readers), len(Table()))
	}
}

func TestNamesOfFlagsAndVariables(t *testing.T) {
	want := map[string]string{
		"ServerURL": "server-url PLATEN_SERVER_URL", "CAFile": "ca-file PLATEN_CA_FILE", "CAPin": "ca-pin PLATEN_CA_PIN",
		"UPNSuffix": "upn-suffix PLATEN_UPN_SUFFIX", "SharedOSUsers": "shared-os-users PLATEN_SHARED_OS_USERS",
		"ShowBalanceAtStart": "show-balance-at-start PLATEN_SHOW_BALANCE_AT_START", "TopUpURL": "top-up-url PLATEN_TOP_UP_URL",
	}
	for _, s := range Table() {
		if w, ok := want[s.Name]; ok && w != s.Flag()+" "+s.Env() {
			t.Errorf("%s: got %s %s, want %s", s.Name, s.Flag(), s.Env(), w)
		}
		if s.Default != "" {
			if err := readers[s.Name](&Config{}, s.Default); err != nil {
				t.Errorf("the default of %s is not valid: %v", s.Name, err)
			}
		}
	}
}

func TestThisMachineReadsRealFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("PLATEN_UPN_SUFFIX", "env.example.org")
	c, _, err := ForThisMachine(t.Context(), map[string]string{"server-url": "https://flag.example.org"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if c.UPNSuffix != "env.example.org" || c.ServerURL.String() != (&url.URL{Scheme: "https", Host: "flag.example.org"}).String() {
		t.Errorf("got %+v", c)
	}
}
