package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/testenv"
)

const tenantFile = "../../entra/testdata/tenant.yaml"

func TestTheProgramServesATenantAndEnds(t *testing.T) {
	cert, key := testenv.NewCA(t).Issue(time.Now().Add(time.Hour), "localhost")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-config", tenantFile, "-made", "7", "-cert", cert, "-key", key, "-listen", "127.0.0.1:0"}, writer, t.Output())
		done <- errors.Join(err, writer.CloseWithError(io.EOF))
	}()
	address, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	address = strings.TrimSpace(address)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	ask := func(answer any, req *http.Request) {
		t.Helper()
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(answer); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", req.URL, res.Status, err)
		}
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}, "client_secret": {"a-client-secret"},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		Text string `json:"access_token"`
	}
	ask(&token, req)
	if req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v1.0/users?$top=999", http.NoBody); err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Text)
	var page struct {
		Value []struct {
			UPN string `json:"userPrincipalName"`
		} `json:"value"`
	}
	ask(&page, req)
	if n := len(page.Value); n < 9 || page.Value[n-1].UPN != "person6@example.org" || strings.HasPrefix(page.Value[0].UPN, "person") {
		t.Errorf("%+v", page)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it does not end")
	}
}

func TestTheProgramMakesItsOwnCertificate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "localhost.pem")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-config", tenantFile, "-made", "3", "-made-groups", "2", "-write-cert", file, "-listen", "127.0.0.1:0"}, writer, t.Output())
		done <- errors.Join(err, writer.CloseWithError(io.EOF))
	}()
	address, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSpace(address)+"/v1.0/groups", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Error(res.Status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTheProgramSaysWhatIsWrong(t *testing.T) {
	cert, key := testenv.NewCA(t).Issue(time.Now().Add(time.Hour), "localhost")
	people := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(people, []byte(`[{"shoeSize": 5}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no such certificate": {"-config", tenantFile, "-cert", "missing.pem", "-key", key},
		"nowhere to write":    {"-config", tenantFile, "-listen", "127.0.0.1:0", "-write-cert", filepath.Join(t.TempDir(), "missing", "x.pem")},
		"no configuration":    {"-cert", cert, "-key", key},
		"not on loopback":     {"-config", tenantFile, "-cert", cert, "-key", key, "-listen", "0.0.0.0:0"},
		"no such people":      {"-config", tenantFile, "-cert", cert, "-key", key, "-people", "missing.json"},
		"no such property":    {"-config", tenantFile, "-cert", cert, "-key", key, "-people", people},
		"unknown flag":        {"-surprise"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
