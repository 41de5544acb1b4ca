package deploykit

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/server-stub/core"
)

// Site is what the server says of itself.
type Site struct {
	ServerURL     string // public_url
	CAPin         string // sha256/BASE64 of the server's own certificate authority, "" when a public one made the certificate
	DeviceAddress string // host:port where computers enrol, "" when they cannot
	Organisation  string
	UPNSuffix     string // what the server tells clients
	Version       string // of the server
}

// Options are what a kit is made of.
type Options struct {
	Site
	// Enforced and Recommended are the settings beside ServerURL and CAPin: what nobody at the computer can change, and what they
	// can.
	Enforced, Recommended []policy.Value
	Packages              string    // folder with the packages of a release, "" for none
	TeamID                string    // of the Apple developer who signed the package, may be empty
	Time                  time.Time // what everything is dated with
}

// Token is an enrolment token that was asked for.
type Token struct {
	Text  secret.String // as platen-deploy takes it
	ID    string
	Until time.Time
	For   string // which computers it is good for, in words: "any number of computers in 10.20.0.0/16"
}

// Kit is a kit before it is written.
type Kit struct {
	options  Options
	host     string // of the server
	port     string
	packages packages
	files    []file
	token    *Token
	notes    []string
}

// file is a file of the kit.
type file struct {
	path    string // with slashes
	mode    fs.FileMode
	content []byte
	from    string // copied from there instead
	sum     string // of what is there, in hex
	about   string // one line for the instructions
}

// New checks everything and makes the kit. Errors are core.ErrInvalid and say what to do.
func New(o Options) (*Kit, error) {
	k := &Kit{options: o}
	if o.ServerURL == "" {
		return nil, fmt.Errorf("%w: public_url is not set, so nobody knows how computers reach this server; put public_url: https://HOST:PORT into the server's configuration (or PLATEN_PUBLIC_URL into its environment), start it again, and try once more",
			core.ErrInvalid)
	}
	u, err := settings.ParseOrigin(o.ServerURL)
	if err != nil {
		return nil, fmt.Errorf("%w: public_url %s %w", core.ErrInvalid, settings.Visible(o.ServerURL), err)
	}
	k.host, k.port = hostPort(u)
	server := []policy.Value{{Name: "ServerURL", Text: u.String()}}
	if o.CAPin != "" {
		server = append(server, policy.Value{Name: "CAPin", Text: o.CAPin})
	} else {
		k.note("The server's certificate is not of its own authority, so the kit has no pin: computers check it by their own certificate store.")
	}
	if k.options.Enforced, err = policy.Check(append(server, o.Enforced...)); err == nil {
		k.options.Recommended, err = policy.Check(o.Recommended)
	}
	if err != nil {
		return nil, invalid(err)
	}
	for _, v := range k.options.Recommended {
		if slices.ContainsFunc(k.options.Enforced, func(e policy.Value) bool { return e.Name == v.Name }) {
			return nil, fmt.Errorf("%w: %s is both enforced and recommended; keep one", core.ErrInvalid, v.Name)
		}
	}
	if o.DeviceAddress == "" {
		k.note("device_listen is off: computers cannot enrol, and people sign in themselves.")
	}
	if k.packages, err = findPackages(o.Packages); err != nil {
		return nil, err
	}
	if without, _ := filepath.Glob(filepath.Join(o.Packages, "platen-*-no-window.pkg")); o.Packages != "" && len(without) > 0 && k.packages.pkg == nil {
		k.note("The package for macOS has no window, because it was built without a Mac; it is not in the kit.")
	}
	if o.Packages == "" {
		k.note("Without --packages the kit has no packages; the instructions say VERSION where their version belongs.")
	}
	return k, k.make()
}

// invalid gives errors of package policy the kind that commands know.
func invalid(err error) error {
	if errors.Is(err, policy.ErrInvalid) {
		return fmt.Errorf("%w: %w", core.ErrInvalid, err)
	}
	return err
}

func (k *Kit) note(text string) { k.notes = append(k.notes, text) }

// Notes are what whoever asked for the kit should know, a sentence each.
func (k *Kit) Notes() []string { return k.notes }

// Host is the name or address of the server.
func (k *Kit) Host() string { return k.host }

// AddToken puts an enrolment token into the kit, readable by its owner only.
func (k *Kit) AddToken(t Token) error {
	k.token = &t
	return k.make()
}

// make makes all files anew.
func (k *Kit) make() error {
	k.files = nil
	all := append(slices.Clone(k.options.Enforced), k.options.Recommended...)
	conf, err := policy.Conf(fmt.Sprintf("Platen's settings for %s, by platen-server deploy-kit.\n\nFor one computer: /etc/platen/platen.conf, "+
		"/Library/Application Support/Platen/platen.conf, C:\\ProgramData\\Platen\\platen.conf. Policies outrank it, and so do people's own settings.", k.host), all)
	if err != nil {
		return invalid(err)
	}
	k.add("platen.conf", "the settings as a file, for one computer", conf)
	for _, part := range []func() error{k.windows, k.macOS, k.linux, k.secrets} {
		if err := part(); err != nil {
			return invalid(err)
		}
	}
	slices.SortFunc(k.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	text, err := k.readme()
	if err != nil {
		return err
	}
	k.files = append([]file{{path: "README.md", mode: public, content: text, about: "these instructions"}}, k.files...)
	return nil
}

const (
	public  fs.FileMode = 0o644
	private fs.FileMode = 0o600
)

func (k *Kit) add(path, about string, content []byte) {
	k.files = append(k.files, file{path: path, mode: public, content: content, about: about})
}

// copies adds a package under its name in the kit.
func (k *Kit) copies(p *pack, path, about string) {
	if p != nil {
		k.files = append(k.files, file{path: path, mode: public, from: p.path, sum: p.sum, about: about})
	}
}

// secrets adds the token.
func (k *Kit) secrets() error {
	if k.token == nil {
		return nil
	}
	profile, err := policy.MobileConfig(policy.Profile{Host: k.host, Organisation: k.options.Organisation, Token: k.token.Text})
	if err != nil {
		return err
	}
	k.files = append(k.files,
		file{path: tokenFile, mode: private, content: []byte(k.token.Text.Reveal() + "\n"), about: "the enrolment token (secret)"},
		file{path: "secret/platen-enrolment.mobileconfig", mode: private, content: profile, about: "profile with the token (secret)"})
	return nil
}

const tokenFile = "secret/enrolment.token"

// hostPort takes an address apart; the port is what https has when there is none.
func hostPort(u *url.URL) (host, port string) {
	if port = u.Port(); port == "" {
		port = "443"
	}
	return u.Hostname(), port
}

// value is the enforced or recommended value of a setting, "" for none.
func (k *Kit) value(name string) string {
	for _, v := range append(slices.Clone(k.options.Enforced), k.options.Recommended...) {
		if v.Name == name {
			return v.Text
		}
	}
	return ""
}

// release is the version of the packages, for what is written about them; ok is false when there are none.
func (p *pack) release() (r product.Release, ok bool) {
	if p == nil {
		return product.Release{}, false
	}
	return p.version, true
}
