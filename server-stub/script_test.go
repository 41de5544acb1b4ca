package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
)

// The scripts in testdata/script run the program as a program. Beside testscript's own commands they have
//
//	ready DIR                      waits until the server of DIR answers, and puts its address into $ADDR
//	signin DIR NAME PASSWORD       signs in over HTTPS, trusting DIR/ca.pem, and puts the access token into $TOKEN
//	api DIR METHOD PATH [BODY]     asks with $TOKEN; the status line and the body are its standard output
//	mode FILE 0NNN                 checks permission bits
//	flip FILE TEXT                 changes the first byte behind TEXT in a file
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready, "signin": signIn, "api": callAPI, "mode": mode, "flip": flip,
		},
	})
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"platen-server": main})
}

func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready DIR")
	}
	client := admin.NewClient(ts.MkAbs(args[0]))
	var last error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		var st admin.Status
		if last = client.Call(context.Background(), admin.VerbStatus, admin.Nothing{}, &st, nil); last == nil {
			ts.Setenv("ADDR", st.Addresses[len(st.Addresses)-1])
			return
		}
	}
	ts.Fatalf("the server is not ready: %v", last)
}

// do asks the server of a data folder.
func do(ts *testscript.TestScript, dir, method, path, body string) (int, string) {
	ca := ts.ReadFile(filepath.Join(dir, "ca.pem"))
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		ts.Fatalf("ca.pem has no certificate")
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(context.Background(), method, ts.Getenv("ADDR")+path, strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token := ts.Getenv("TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	ts.Check(err)
	return resp.StatusCode, string(text)
}

func signIn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: [!] signin DIR NAME PASSWORD")
	}
	body, err := json.Marshal(api.SignIn{Username: args[1], Password: args[2], Client: "script"})
	ts.Check(err)
	ts.Setenv("TOKEN", "")
	status, text := do(ts, args[0], "POST", api.PathSessions, string(body))
	if (status != http.StatusOK) != neg {
		ts.Fatalf("sign-in answered %d %s", status, text)
	}
	var session api.Session
	ts.Check(json.Unmarshal([]byte(text), &session))
	ts.Setenv("TOKEN", session.AccessToken)
}

func callAPI(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: api DIR METHOD PATH [BODY]")
	}
	status, text := do(ts, args[0], args[1], args[2], strings.Join(args[3:], " "))
	fmt.Fprintf(ts.Stdout(), "%d\n%s", status, text)
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got != args[1]) != neg {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}

func flip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	text, err := os.ReadFile(name)
	ts.Check(err)
	i := strings.Index(string(text), args[1])
	if i < 0 {
		ts.Fatalf("%s does not have %q", args[0], args[1])
	}
	text[i+len(args[1])] ^= 1
	ts.Check(os.Chmod(name, 0o600))
	ts.Check(os.WriteFile(name, text, 0o600))
}
