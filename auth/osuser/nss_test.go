package osuser

import (
	"context"
	"errors"
	"os/user"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
)

const (
	passwdFile   = "root:x:0:0:root:/root:/bin/bash\nalex:x:1000:1000:Alex Test,Room 5,,:/home/alex:/bin/bash\n"
	nsswitchFile = "# passwd: nis\npasswd:         files [SUCCESS=return] sss winbind systemd himmelblau # and more\ngroup: files\n"
	krb5File     = "[logging]\ndefault_realm = WRONG\n[libdefaults]\n  default_realm = CORP.EXAMPLE.ORG\n"
	sambaFile    = "; joined\n[global]\n  workgroup = CORP\n  security = ADS\n  realm = \"CORP.EXAMPLE.ORG\"\n[printers]\n  workgroup = WRONG\n"
)

func TestAccountOnLinux(t *testing.T) {
	base := map[string]string{"etc/passwd": passwdFile, "etc/nsswitch.conf": nsswitchFile}
	tests := []struct {
		name  string
		uid   int
		files map[string]string // besides base
		knows map[string]string // service -> line
		env   map[string]string
		want  Account
	}{
		{
			name: "local account", uid: 1000, env: map[string]string{"USER": "somebody.else"},
			want: Account{Raw: "alex", Name: "alex", Kind: usermap.KindLocal, UID: "1000", DisplayName: "Alex Test"},
		},
		{
			name: "of two names for one id, the session's", uid: 0, env: map[string]string{"USER": "toor"},
			files: map[string]string{"etc/passwd": "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0:Toor:/root:/bin/sh\n"},
			want:  Account{Raw: "toor", Name: "toor", Kind: usermap.KindLocal, UID: "0", DisplayName: "Toor"},
		},
		{
			name: "an @ in a local name is part of it", uid: 7, files: map[string]string{"etc/passwd": "a@b:x:7:7::/:/bin/sh\n"},
			want: Account{Raw: "a@b", Name: "a@b", Kind: usermap.KindLocal, UID: "7"},
		},
		{
			name: "A1_31 SSSD, short names", uid: 70001, knows: map[string]string{"sss": "alex.test:*:70001:70001:Alex Test:/home/alex.test:/bin/bash\n"},
			files: map[string]string{"etc/krb5.conf": krb5File, "etc/krb5.keytab": ""},
			want: Account{
				Raw: "alex.test", Name: "alex.test", Kind: usermap.KindDomain, UID: "70001", DisplayName: "Alex Test", JoinRealm: "CORP.EXAMPLE.ORG",
			},
		},
		{
			name: "a realm without a keytab is no membership", uid: 70001, knows: map[string]string{"sss": "alex.test:*:70001:70001::/:/bin/bash\n"},
			files: map[string]string{"etc/krb5.conf": krb5File},
			want:  Account{Raw: "alex.test", Name: "alex.test", Kind: usermap.KindDomain, UID: "70001"},
		},
		{
			name: "SSSD, full names", uid: 70001, knows: map[string]string{"sss": "alex.test@corp.example.org:*:70001:70001::/:/bin/bash\n"},
			want: Account{
				Raw: "alex.test@corp.example.org", Domain: "corp.example.org", Name: "alex.test", Kind: usermap.KindDomain, UID: "70001",
			},
		},
		{
			name: "winbind", uid: 70002, knows: map[string]string{"winbind": `CORP\alex.test:*:70002:70002::/:/bin/bash`},
			files: map[string]string{"etc/samba/smb.conf": sambaFile},
			want: Account{
				Raw: `CORP\alex.test`, Domain: "CORP", Name: "alex.test", Kind: usermap.KindDomain, UID: "70002",
				JoinDomain: "CORP", JoinRealm: "CORP.EXAMPLE.ORG",
			},
		},
		{
			name: "winbind's accounts of the computer itself", uid: 70002, knows: map[string]string{"winbind": `PC7\alex:*:70002:70002::/:/bin/bash`},
			want: Account{Raw: `PC7\alex`, Domain: "PC7", Name: "alex", Kind: usermap.KindLocal, UID: "70002"},
		},
		{
			name: "a stand-alone Samba is in no domain", uid: 1000, files: map[string]string{"etc/samba/smb.conf": "[global]\nworkgroup = WORKGROUP\n"},
			want: Account{Raw: "alex", Name: "alex", Kind: usermap.KindLocal, UID: "1000", DisplayName: "Alex Test"},
		},
		{
			name: "A1_47 Entra ID on Linux names the UPN", uid: 70003, knows: map[string]string{"himmelblau": "alex.test@example.org:x:70003:70003:Alex:/:/bin/bash"},
			want: Account{
				Raw: "alex.test@example.org", Domain: "AzureAD", Name: "alex.test", UPN: "alex.test@example.org", Kind: usermap.KindAzureAD,
				UID: "70003", DisplayName: "Alex",
			},
		},
		{
			name: "an account that systemd makes up is no directory's", uid: 61000, knows: map[string]string{"systemd": "alex:x:61000:61000::/:/bin/sh"},
			want: Account{Raw: "alex", Name: "alex", UID: "61000"},
		},
		{
			name: "a service that answers for another id is not heard", uid: 70001, env: map[string]string{"USER": "alex"},
			knows: map[string]string{"sss": "boss:*:5:5::/:/bin/bash"},
			want:  Account{Raw: "alex", Name: "alex", UID: "70001"},
		},
		{
			name: "the environment is no directory's word", uid: 70009, env: map[string]string{"USER": `CORP\boss`},
			want: Account{Raw: `CORP\boss`, Domain: "CORP", Name: "boss", UID: "70009"},
		},
		{
			name: "LOGNAME where USER is missing", uid: 70009, env: map[string]string{"LOGNAME": "alex"},
			want: Account{Raw: "alex", Name: "alex", UID: "70009"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := fakeNSS(tt.uid, base, tt.files, tt.knows, tt.env).current(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Hostname = "pc7"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoNameAtAllIsAnError(t *testing.T) {
	if a, err := fakeNSS(70009, nil, nil, nil, nil).current(t.Context()); !errors.Is(err, errNoName) {
		t.Errorf("got %+v, %v; want %v", a, err, errNoName)
	}
}

func TestMissingFilesAreNiceties(t *testing.T) {
	a, err := fakeNSS(5, nil, nil, nil, map[string]string{"USER": "alex"}).current(t.Context())
	if err != nil || a.Name != "alex" || a.Kind != usermap.KindUnknown {
		t.Errorf("got %+v, %v", a, err)
	}
}

func fakeNSS(uid int, base, files, knows, env map[string]string) nss {
	root := fstest.MapFS{}
	for _, set := range []map[string]string{base, files} {
		for name, text := range set {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return nss{
		files: root, uid: uid, hostname: "pc7", getenv: func(key string) string { return env[key] },
		getent: func(_ context.Context, service string, _ int) (string, error) {
			if line, ok := knows[service]; ok {
				return line, nil
			}
			return "", errors.New("exit status 2")
		},
	}
}

// The real thing: whatever account runs the tests, the id is right, and the name is that of the system's database.
func TestCurrentIsTheAccountThatRunsTheTest(t *testing.T) {
	t.Setenv("USER", "somebody.else")
	a, err := Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if a.Raw != want.Username || a.Name == "" || a.Hostname == "" {
		t.Errorf("Current() = %+v, want the name %q", a, want.Username)
	}
	if runtime.GOOS == "linux" && a.UID != want.Uid {
		t.Errorf("Current() has the user id %q, want %q", a.UID, want.Uid)
	}
}
