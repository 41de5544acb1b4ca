package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ownMounts marks a process that has mounts of its own.
const ownMounts = "PLATEN_STAGE_OWN_MOUNTS"

// OwnMounts starts the running program again with mounts of its own, so that what Workstation puts over /etc and /var/lib
// is seen by this program and those it starts, and by nobody else on this computer. It returns only in the new one, or
// with an error. Only root can do it.
func OwnMounts() error {
	if os.Getenv(ownMounts) != "" {
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can show a computer that has joined a directory: run it with sudo")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	const unshare = "/usr/bin/unshare"
	if said, err := exec.Command(unshare, "--mount", "--propagation", "private", "/bin/true").CombinedOutput(); err != nil {
		return fmt.Errorf("this system lets not even root have mounts of its own (a container?): %w: %s", err, said)
	}
	args := append([]string{unshare, "--mount", "--propagation", "private", self}, os.Args[1:]...)
	return fmt.Errorf("start %s: %w", unshare, syscall.Exec(unshare, args, append(os.Environ(), ownMounts+"=1")))
}

// Account is somebody's account in the directory of a Workstation.
type Account struct {
	Name string // as people log on
	Full string
	UID  uint32
}

// Domain is the Windows domain, and Realm its DNS name, that a Workstation has joined.
const (
	Domain = "CORP"
	Realm  = "CORP.EXAMPLE.ORG"
)

// Workstation makes this computer, for this program and those it starts, one that has joined the domain: its accounts
// come from an LDAP directory (slapd) through SSSD, as realmd would set it up. OwnMounts must have been called before.
//
// It has its own /etc (a copy), /var/lib and /run: what a system service writes there is gone with the program.
func (p *Place) Workstation(ctx context.Context, accounts ...Account) error {
	if os.Getenv(ownMounts) == "" {
		return errors.New("the workstation needs mounts of its own: call OwnMounts first")
	}
	if err := p.furnish(ctx); err != nil {
		return err
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	if err := p.startDirectory(ctx, port, accounts); err != nil {
		return err
	}
	return p.startSSSD(ctx, port, accounts)
}

// furnish puts private folders over those of the system.
func (p *Place) furnish(ctx context.Context) error {
	if _, err := Command(ctx, nil, "", "/bin/cp", "-a", "/etc", p.Path("etc")); err != nil {
		return err
	}
	if err := syscall.Mount(p.Path("etc"), "/etc", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over /etc: %w", err)
	}
	for _, dir := range []string{"/var/lib", "/var/log", "/run"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount over %s: %w", dir, err)
		}
	}
	for dir, mode := range map[string]os.FileMode{
		"/var/lib/xkb": 0o755, "/run/sssd": 0o755, "/var/log/sssd": 0o755,
		"/etc/sssd": 0o711, "/etc/sssd/conf.d": 0o711, "/etc/samba": 0o755,
		"/var/lib/sss": 0o755, "/var/lib/sss/db": 0o700, "/var/lib/sss/secrets": 0o700, "/var/lib/sss/mc": 0o755, "/var/lib/sss/pipes": 0o755,
		"/var/lib/sss/pipes/private": 0o700, "/var/lib/sss/pubconf": 0o755, "/var/lib/sss/pubconf/krb5.include.d": 0o755,
		"/var/lib/sss/deskprofile": 0o755, "/var/lib/sss/gpo_cache": 0o755,
	} {
		if err := errors.Join(os.MkdirAll(dir, mode), os.Chmod(dir, mode)); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile("/etc/nsswitch.conf", []byte("passwd: files sss\ngroup: files sss\nhosts: files dns\n"), 0o644),
		os.WriteFile("/etc/samba/smb.conf", []byte("[global]\nsecurity = ads\nworkgroup = "+Domain+"\nrealm = "+Realm+"\n"), 0o644),
	)
}

// startDirectory starts slapd with the accounts.
func (p *Place) startDirectory(ctx context.Context, port string, accounts []Account) error {
	const base = "dc=example,dc=org"
	db := p.Path("slapd")
	if err := os.Mkdir(db, 0o700); err != nil {
		return err
	}
	var config, people strings.Builder
	for _, schema := range []string{"core", "cosine", "nis", "inetorgperson"} {
		fmt.Fprintf(&config, "include /etc/ldap/schema/%s.schema\n", schema)
	}
	fmt.Fprintf(&config, "modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile %s\ndatabase mdb\nsuffix %q\ndirectory %s\n", filepath.Join(db, "pid"), base, db)
	fmt.Fprintf(&people, "dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Example University\ndc: example\n", base) //nolint:misspell // LDAP's word
	for _, a := range accounts {
		fmt.Fprintf(&people, "\ndn: uid=%[1]s,%[2]s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %[1]s\ncn: %[3]s\nsn: %[3]s\n"+
			"uidNumber: %[4]d\ngidNumber: %[4]d\nhomeDirectory: /home/%[1]s\n", a.Name, base, a.Full, a.UID)
	}
	file := p.Path("slapd.conf")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		return err
	}
	if _, err := Command(ctx, nil, people.String(), "/usr/sbin/slapadd", "-q", "-f", file); err != nil {
		return err
	}
	_, err := p.Start(ctx, nil, "slapd", "/usr/sbin/slapd", "-d", "0", "-f", file, "-h", "ldap://127.0.0.1:"+port)
	return err
}

// startSSSD starts SSSD and waits until the system knows the accounts.
func (p *Place) startSSSD(ctx context.Context, port string, accounts []Account) error {
	config := "[sssd]\nservices = nss\ndomains = " + Domain + "\n[nss]\n[domain/" + Domain + "]\nid_provider = ldap\nauth_provider = none\naccess_provider = permit\n" +
		"ldap_uri = ldap://127.0.0.1:" + port + "\nldap_search_base = dc=example,dc=org\nldap_id_use_start_tls = false\nldap_schema = rfc2307\n"
	if err := os.WriteFile("/etc/sssd/sssd.conf", []byte(config), 0o600); err != nil {
		return err
	}
	if _, err := p.Start(ctx, nil, "sssd", "/usr/sbin/sssd", "-i", "--logger=stderr"); err != nil {
		return err
	}
	for _, a := range accounts {
		err := Until(ctx, 30*time.Second, "the account of "+a.Name, func() (bool, string) {
			said, err := exec.CommandContext(ctx, "/usr/bin/getent", "-s", "sss", "passwd", fmt.Sprint(a.UID)).Output()
			return err == nil && strings.HasPrefix(string(said), a.Name+":"), fmt.Sprint(string(said), err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Login makes a session for the account: folders of its own, and how its programs are started.
func (p *Place) Login(a Account) (Login, error) {
	l := Login{Home: p.Path("home-" + a.Name), Run: p.Path("run-" + a.Name), account: a, place: p}
	if err := os.Chmod(p.Path(), 0o711); err != nil { //nolint:gosec // others pass through, they list nothing
		return Login{}, err
	}
	for _, dir := range []string{l.Home, l.Run} {
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, int(a.UID), int(a.UID))); err != nil {
			return Login{}, err
		}
	}
	return l, nil
}

// Login is somebody's session on a Workstation.
type Login struct {
	Home, Run string

	account Account
	place   *Place
}

// Env is what the session's programs have in their environment.
func (l Login) Env() []string {
	return []string{
		"HOME=" + l.Home, "XDG_RUNTIME_DIR=" + l.Run, "USER=" + l.account.Name, "LOGNAME=" + l.account.Name,
		"XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=",
	}
}

// credential is the account's, for programs.
func (l Login) credential() *syscall.SysProcAttr {
	attr := apart()
	attr.Credential = &syscall.Credential{Uid: l.account.UID, Gid: l.account.UID}
	return attr
}

// Start is Place.Start as this person.
func (l Login) Start(ctx context.Context, env []string, name, path string, args ...string) (*Program, error) {
	return l.place.startAs(ctx, l.credential(), append(l.Env(), env...), nil, name+"-"+l.account.Name, path, args...)
}

// Command is Command as this person.
func (l Login) Command(ctx context.Context, env []string, stdin, path string, args ...string) (string, error) {
	return commandAs(ctx, l.credential(), append(l.Env(), env...), stdin, path, args...)
}

// Screen is NewScreen for this person.
func (l Login) Screen(ctx context.Context) (*Screen, error) {
	dir := l.place.Path("framebuffer-" + l.account.Name)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, int(l.account.UID), int(l.account.UID))); err != nil {
		return nil, err
	}
	return newScreen(ctx, dir, logOn{
		home: l.Home, run: l.Run, command: l.Command,
		start: func(ctx context.Context, env []string, stdout *os.File, name, path string, args ...string) (*Program, error) {
			return l.place.startAs(ctx, l.credential(), append(l.Env(), env...), stdout, name+"-"+l.account.Name, path, args...)
		},
	})
}
