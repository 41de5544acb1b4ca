package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/platenprint/platen/server-stub/admin"
)

func kindNamed(t *testing.T, name string) kind {
	t.Helper()
	for _, k := range kindsOfDirectories {
		if k.name == name {
			return k
		}
	}
	t.Fatalf("there is no type %s", name)
	return kind{}
}

// asked runs `sync add` on a terminal as far as the server, which does not run, and returns what was asked.
func asked(t *testing.T, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	return typed(t, true, input, Assembly{}, append(args, "--data", t.TempDir())...)
}

func TestA1_01_SyncAddNamesEveryRouteAndAsksForTheRest(t *testing.T) {
	_, out, _ := typed(t, false, "", Assembly{}, "sync", "add", "--help")
	for _, want := range []string{"ldap", "Entra Domain Services over LDAPS", "entra", "Microsoft Graph", "google", "csv", "scim"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	code, _, errs := asked(t, "7\n1\ncorp\n\nldaps://dc.example.org\ncn=reader\nsecret\n\n", "sync", "add")
	if code != ExitNotRunning || !strings.Contains(errs, "There is no such one") || !strings.Contains(errs, "This is needed") || !strings.Contains(errs, "Asking corp") {
		t.Errorf("code %d:\n%s", code, errs)
	}
	code, _, errs = asked(t, "\n", "sync", "add", "csv")
	if code != ExitFailed || !strings.Contains(errs, "[people]") || !strings.Contains(errs, "your answers ended") {
		t.Errorf("code %d:\n%s", code, errs)
	}
	for _, args := range [][]string{{"sync", "add"}, {"sync", "add", "novell"}, {"sync", "add", "ldap", "--id", "x"}} {
		if code, _, errs := typed(t, false, "", Assembly{}, args...); code != ExitUsage {
			t.Errorf("%v: code %d: %s", args, code, errs)
		}
	}
}

func TestFlagsBecomeKeysThatNothingEscapes(t *testing.T) {
	a := &app{Streams: Streams{In: strings.NewReader("p w\n"), Err: &bytes.Buffer{}}}
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.StringArray("url", nil, "")
	f.String("bind-dn", "", "")
	f.Bool("bind-password-stdin", false, "")
	f.Bool("start-tls", false, "")
	f.String("filter", "", "")
	if err := f.Parse([]string{"--url", "ldap://a", "--url", "ldap://b", "--bind-dn", "cn=x: {y}", "--bind-password-stdin", "--start-tls", "--filter", "(&(a=<b>))"}); err != nil {
		t.Fatal(err)
	}
	k := kindNamed(t, "ldap")
	k.settings = append([]setting(nil), k.settings...)
	var kept []setting
	for _, s := range k.settings {
		if f.Lookup(s.flag) != nil {
			kept = append(kept, s)
		}
	}
	k.settings = kept
	got, err := a.fromFlags(f, k, common{id: "corp", groups: []string{"Staff, all"}, manual: true, set: []string{"page_size=5"}})
	if err != nil {
		t.Fatal(err)
	}
	want := admin.DirectoryAdd{
		ID: "corp", Type: "ldap", Secrets: map[string]string{"bind_password": "p w"},
		Set: []string{`url=["ldap://a","ldap://b"]`, `bind_dn="cn=x: {y}"`, `filter="(&(a=<b>))"`, "start_tls=yes", "manual=yes", `scope.groups=["Staff, all"]`, "page_size=5"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
