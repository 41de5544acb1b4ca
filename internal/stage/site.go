package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// What the sample organisation uses.
const (
	Suffix   = "example.org"
	Password = "demo-password"
)

// Person is who is logged on to this computer, and the account the sample organisation has for them.
type Person struct {
	OSName string // the short name, as MailNickName in the directory
	UPN    string
	Full   string
}

// CurrentPerson finds out who is logged on.
func CurrentPerson() (Person, error) {
	u, err := user.Current()
	if err != nil {
		return Person{}, fmt.Errorf("find out who is logged on: %w", err)
	}
	short := u.Username
	if i := strings.LastIndexAny(short, `\+`); i >= 0 {
		short = short[i+1:]
	}
	short, _, _ = strings.Cut(short, "@")
	full, _, _ := strings.Cut(u.Name, ",")
	if full == "" || full == short {
		full = "Alex Test"
	}
	return Person{OSName: short, UPN: short + "@" + Suffix, Full: full}, nil
}

// Site is the sample organisation's server.
type Site struct {
	Program *Program
	Address string // host:port
	Devices string // host:port of the device listener
	Data    string // its data folder

	here   *Place
	config string
}

// NewSite writes the sample organisation: a CSV directory with the person and two more, and the server's configuration,
// to which more is added as it stands.
func NewSite(ctx context.Context, here *Place, who Person, more string) (*Site, error) {
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	s := &Site{
		here: here, Address: "127.0.0.1:" + ports[0], Devices: "127.0.0.1:" + ports[1], Data: here.Path("server"), config: here.Path("platen-server.yaml"),
	}
	people := "id,upn,nickname,email,display_name,department\n" +
		fmt.Sprintf("1001,%s,%s,%s,%q,Library\n", who.UPN, who.OSName, who.UPN, who.Full) +
		"1002,sam.okafor@example.org,sam.okafor,sam.okafor@example.org,Sam Okafor,Physics\n" +
		"1003,amelie.durand@example.org,amelie.durand,amelie.durand@example.org,Amélie Durand,Languages\n"
	config := "organisation: Example University\ncurrency: EUR\nupn_suffix: " + Suffix + "\nlow_balance: \"1.00\"\n" +
		"directories:\n  - id: sample\n    type: csv\n    path: " + here.Path("people.csv") + "\n" + more
	if err := os.WriteFile(here.Path("people.csv"), []byte(people), 0o600); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.config, []byte(config), 0o600)
}

// Start starts the server and waits until it answers.
func (s *Site) Start(ctx context.Context) (took time.Duration, err error) {
	began := time.Now()
	s.Program, err = s.here.Start(ctx, nil, "platen-server", filepath.Join(s.here.Bin, "platen-server"),
		"serve", "--data", s.Data, "--listen", s.Address, "--device-listen", s.Devices, "--admin-listen", "127.0.0.1:0", "--config", s.config)
	if err != nil {
		return 0, err
	}
	err = Until(ctx, 20*time.Second, "the server", func() (bool, string) {
		if s.Program.Ended() {
			return false, "it has ended; see its log"
		}
		_, err := s.Admin(ctx, "", "user", "list", "--json")
		return err == nil, fmt.Sprint(err)
	})
	return time.Since(began), err
}

// UntilRead waits until the server has read its directory.
func (s *Site) UntilRead(ctx context.Context, who Person) error {
	return Until(ctx, 20*time.Second, "the people of the directory", func() (bool, string) {
		found, err := s.Admin(ctx, "", "user", "list", "--json")
		return err == nil && strings.Contains(found, who.UPN) && strings.Contains(found, "amelie"), fmt.Sprint(found, err)
	})
}

// SetPassword gives somebody the demo's password.
func (s *Site) SetPassword(ctx context.Context, username string) error {
	_, err := s.Admin(ctx, Password+"\n", "user", "set", username, "--password-stdin")
	return err
}

// Admin runs an administrator's command.
func (s *Site) Admin(ctx context.Context, stdin string, args ...string) (string, error) {
	return Command(ctx, nil, stdin, filepath.Join(s.here.Bin, "platen-server"), append([]string{"--data", s.Data}, args...)...)
}

// ClientEnv is what IT would set on a workstation.
func (s *Site) ClientEnv() []string {
	return []string{"PLATEN_SERVER_URL=https://" + s.Address, "PLATEN_CA_FILE=" + filepath.Join(s.Data, "ca.pem"), "PLATEN_UPN_SUFFIX=" + Suffix}
}

// Resident is the client's answer to `platen status --json`, as far as it is looked at here.
type Resident struct {
	State    string `json:"state"`
	Username string `json:"username"`
	Balance  struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	} `json:"balance"`
	Problem struct {
		Code string `json:"code"`
	} `json:"problem"`
	Stale      bool   `json:"stale"`
	Connection string `json:"connection"`
}

// Status asks the resident program.
func Status(ctx context.Context, here *Place, env []string) (r Resident, raw string, err error) {
	raw, err = Command(ctx, env, "", filepath.Join(here.Bin, "platen"), "status", "--json")
	if err == nil {
		r, err = ParseResident(raw)
	}
	return r, strings.TrimSpace(raw), err
}

// ParseResident reads what `platen status --json` said.
func ParseResident(raw string) (r Resident, err error) {
	err = json.Unmarshal([]byte(raw), &r)
	return r, err
}

// UntilStatus waits until the resident says what is wanted.
func UntilStatus(ctx context.Context, here *Place, env []string, limit time.Duration, what string, want func(Resident) bool) (last Resident, err error) {
	err = Until(ctx, limit, what, func() (bool, string) {
		r, raw, err := Status(ctx, here, env)
		last = r
		return err == nil && want(r), fmt.Sprint(raw, " ", err)
	})
	return last, err
}

func freePort(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
