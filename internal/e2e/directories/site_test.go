package directories

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/stage"
)

const patience = time.Minute

// site is a server that runs as a program.
type site struct {
	t       *testing.T
	program string
	place   *stage.Place
	data    string
	address string
}

// newSite builds the server and starts it, with more lines of configuration.
func newSite(t *testing.T, config string) *site {
	t.Helper()
	bin, logs := t.TempDir(), t.TempDir()
	program := filepath.Join(bin, "platen-server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./server-stub")
	build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v\n%s", err, out)
	}
	place, err := stage.NewPlace(bin, logs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := place.CleanUp(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			said, _ := os.ReadFile(filepath.Join(logs, "platen-server.log"))
			t.Logf("the server said:\n%s", said)
		}
	})
	s := &site{t: t, program: program, place: place, data: place.Path("data")}
	s.write("server.yaml", config)
	if _, err := place.Start(t.Context(), nil, "platen-server", program, "serve", "--data", s.data, "--listen", "127.0.0.1:0", "--config", place.Path("server.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := stage.Until(t.Context(), patience, "the server", func() (bool, string) {
		out, err := stage.Command(t.Context(), nil, "", program, "status", "--json", "--data", s.data)
		var status struct{ Addresses []string }
		if err != nil || json.Unmarshal([]byte(out), &status) != nil || len(status.Addresses) == 0 {
			return false, fmt.Sprint(out, err)
		}
		s.address = status.Addresses[0]
		return true, ""
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) write(name, text string) string {
	s.t.Helper()
	path := s.place.Path(name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run runs a command with what is typed, and returns what it said and its exit code.
func (s *site) run(stdin string, args ...string) (said string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.program, append(args, "--data", s.data)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// does runs a command that must succeed, and say all of want.
func (s *site) does(t *testing.T, stdin string, args []string, want ...string) string {
	t.Helper()
	return s.ends(t, 0, stdin, args, want...)
}

// ends runs a command that must end with the code, and say all of want.
func (s *site) ends(t *testing.T, code int, stdin string, args []string, want ...string) string {
	t.Helper()
	said, got := s.run(stdin, args...)
	if got != code {
		t.Fatalf("platen-server %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, said)
	}
	for _, w := range want {
		if !strings.Contains(said, w) {
			t.Errorf("platen-server %s does not say %q:\n%s", strings.Join(args, " "), w, said)
		}
	}
	return said
}

// people counts the living people of a directory.
func (s *site) people(source string) int {
	s.t.Helper()
	out, code := s.run("", "user", "list", "--source", source, "--json")
	var list struct{ Users []struct{ Username string } }
	if code != 0 || json.Unmarshal([]byte(out), &list) != nil {
		s.t.Fatalf("list the people: %s", out)
	}
	return len(list.Users)
}

// lastRun is the newest run of a directory.
func (s *site) lastRun(source string) (run struct {
	ID       int64
	Outcome  string
	Plan     string
	Restored int
},
) {
	s.t.Helper()
	out, code := s.run("", "sync", "runs", source, "--limit", "1", "--json")
	var list struct {
		Runs []struct {
			ID       int64
			Outcome  string
			Plan     string
			Restored int
		}
	}
	if code != 0 || json.Unmarshal([]byte(out), &list) != nil || len(list.Runs) != 1 {
		s.t.Fatalf("the newest run: %s", out)
	}
	return list.Runs[0]
}

// ask asks the API.
func (s *site) ask(token, method, path string, body, answer any) int {
	s.t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.data, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.address+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer != nil && resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(said, answer); err != nil {
			s.t.Fatalf("%s: %v", said, err)
		}
	}
	return resp.StatusCode
}

// signIn signs somebody in and returns the access token.
func (s *site) signIn(name, password string) string {
	s.t.Helper()
	var session api.Session
	if code := s.ask("", http.MethodPost, api.PathSessions, api.SignIn{Username: name, Password: password, Client: "test"}, &session); code != http.StatusOK {
		s.t.Fatalf("%s does not sign in: %d", name, code)
	}
	return session.AccessToken
}

// balance is what somebody's session shows, and the answer's code.
func (s *site) balance(token string) (string, int) {
	s.t.Helper()
	var b api.Balance
	code := s.ask(token, http.MethodGet, api.PathBalance, nil, &b)
	return b.Amount, code
}
