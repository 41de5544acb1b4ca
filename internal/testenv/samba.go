package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// What every Active Directory domain controller of a test has.
const (
	SambaBase          = "DC=corp,DC=example,DC=org"
	SambaRealm         = "corp.example.org"
	SambaDomain        = "CORP"
	SambaAdmin         = "Administrator@corp.example.org" // in the form a bind takes
	SambaAdminPassword = "Passw0rd!Admin"
)

// SambaServer is an Active Directory domain controller for one test.
type SambaServer struct {
	LDAPS  string // ldaps://127.0.0.n
	LDAP   string // ldap://127.0.0.n, with StartTLS
	CAFile string
}

// Samba provisions an Active Directory domain, starts its domain controller (LDAP only) and waits until it answers. It
// takes five to twenty seconds and must run as root: without it the test is skipped. Where a program is missing it is
// skipped, or fails if RequireAll is set. It stops when the test ends.
//
// The ports are fixed in Samba, so each domain controller has a loopback address of its own.
func Samba(t testing.TB) *SambaServer {
	t.Helper()
	tool, program := Program(t, "samba-tool", "samba-ad-dc"), Program(t, "samba", "samba-ad-dc")
	if os.Geteuid() != 0 { // no missing program, so never a failure: whoever has no root must be able to run the tests
		t.Skip("an Active Directory domain controller can only be started as root")
	}
	if _, err := os.Stat("/usr/share/samba/setup/ad-schema"); err != nil {
		text := "the schema of Active Directory is missing: install the Debian package samba-ad-provision"
		if os.Getenv(RequireAll) == "1" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	dir, address := shortDir(t), sambaAddress(t)
	base := filepath.Join(dir, "base.conf") // otherwise the computer's own smb.conf leaks into the new one
	if err := os.WriteFile(base, []byte("[global]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "dc")
	runProgram(t, nil, "", tool, "domain", "provision", "-s", base, "--targetdir="+target, "--realm="+strings.ToUpper(SambaRealm), "--domain="+SambaDomain,
		"--host-name=dc1", "--host-ip="+address, "--adminpass="+SambaAdminPassword, "--server-role=dc", "--dns-backend=NONE", "--use-rfc2307",
		"--option=interfaces=lo", "--option=bind interfaces only=yes")
	ca := NewCA(t)
	cert, key := ca.Issue(time.Now().Add(24*time.Hour), address, "dc1."+SambaRealm)
	config := filepath.Join(target, "etc", "smb.conf")
	configureSamba(t, config, target, address, ca.File, cert, key)
	startSamba(t, program, config)
	awaitPort(t, "samba", net.JoinHostPort(address, "636"))
	return &SambaServer{LDAPS: "ldaps://" + address, LDAP: "ldap://" + address, CAFile: ca.File}
}

// startSamba starts the domain controller without a standard input: it takes the end of a pipe there as the order to stop.
func startSamba(t testing.TB, program, config string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd, err := sysexec.Command(ctx, program, "-i", "-M", "single", "-s", config)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = append(os.Environ(), "TDB_NO_FSYNC=1"), t.Output(), t.Output(), Deadline
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start %s: %v", program, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it is killed
	})
}

// configureSamba makes the provisioned configuration keep to its folder and address, and serve LDAP only.
func configureSamba(t testing.TB, config, dir, address, ca, cert, key string) {
	t.Helper()
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	own := map[string]string{
		"server services": "ldap", "interfaces": address + "/8", "bind interfaces only": "yes",
		"tls enabled": "yes", "tls certfile": cert, "tls keyfile": key, "tls cafile": ca,
		"pid directory": run, "ncalrpc dir": filepath.Join(run, "ncalrpc"), "winbindd socket directory": filepath.Join(run, "winbindd"),
		"ntp signd socket directory": filepath.Join(run, "ntp"), "log file": filepath.Join(dir, "log"), "lock directory": run,
	}
	var out strings.Builder
	for line := range strings.Lines(string(raw)) {
		name, _, _ := strings.Cut(line, "=")
		if _, replaced := own[strings.TrimSpace(name)]; replaced {
			continue
		}
		out.WriteString(line)
		if strings.TrimSpace(line) == "[global]" {
			for name, value := range own {
				fmt.Fprintf(&out, "\t%s = %s\n", name, value)
			}
		}
	}
	if err := os.WriteFile(config, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sambaAddress finds a loopback address where all the ports of a domain controller are free.
func sambaAddress(t testing.TB) string {
	t.Helper()
	for n := range 200 {
		// Spread, so that two test programs that start together rarely meet.
		address := fmt.Sprintf("127.0.0.%d", 10+(os.Getpid()+n)%200)
		free := true
		for _, port := range []string{"389", "636", "3268", "3269"} {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, port))
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return address
		}
	}
	t.Fatal("no loopback address has the ports 389, 636, 3268 and 3269 free")
	return ""
}
