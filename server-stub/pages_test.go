package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/admin"
)

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// visitor is a browser that follows no redirect.
func (r *running) visitor() *http.Client {
	r.t.Helper()
	c := r.client(false)
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// visit returns the status, where it leads to, and the page. With fields it is a form of our own page.
func (r *running) visit(c *http.Client, address string, fields url.Values) (int, string, string) {
	r.t.Helper()
	method := http.MethodGet
	if fields != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	if fields != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(text)
}

// R-SETUP-1, on a real server: whoever reads the one-time token on it becomes the owner, once, also after a restart.
func TestTheFirstOwnerOfARealServer(t *testing.T) {
	dir, adminListen := shortDir(t), freePort(t)
	settings := map[string]string{"admin_listen": adminListen, "log_level": "debug"}
	r := run(t, dir, settings)
	page, setup := "https://"+adminListen, "https://"+adminListen+"/set-up"
	c := r.visitor()
	if status, _, text := r.visit(c, setup, nil); status != http.StatusOK || !strings.Contains(text, "One-time token") {
		t.Fatalf("the set-up: %d %s", status, text)
	}
	if status, _, _ := r.visit(c, r.status.Addresses[0]+"/set-up", nil); status != http.StatusNotFound {
		t.Errorf("the set-up where everybody is: %d", status)
	}
	token, err := os.ReadFile(filepath.Join(dir, "setup-token"))
	if err != nil {
		t.Fatal(err)
	}
	const password = "CANARY-password-4711"
	owner := url.Values{"token": {strings.TrimSpace(string(token))}, "account": {"olga@example.org"}, "name": {"Olga"}, "password": {password}}
	if status, to, text := r.visit(c, setup+"/password", owner); status != http.StatusSeeOther || to != "/admin" {
		t.Fatalf("the owner: %d %s %s", status, to, text)
	}
	if status, _, text := r.visit(c, page+"/admin", nil); status != http.StatusOK || !strings.Contains(text, "owner") {
		t.Errorf("the owner's page: %d %s", status, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "setup-token")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the token's file: %v", err)
	}
	if status, _, _ := r.visit(c, setup, nil); status != http.StatusNotFound {
		t.Errorf("the set-up afterwards: %d", status)
	}
	address, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	canaries := []string{password, strings.TrimSpace(string(token))}
	for _, cookie := range c.Jar.Cookies(address) {
		canaries = append(canaries, cookie.Value)
	}
	if len(canaries) < 3 {
		t.Fatal("there is no cookie")
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	kept := r.log.Bytes()
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			kept = append(kept, text...)
		}
	}
	for i, canary := range canaries {
		if bytes.Contains(kept, []byte(canary)) {
			t.Errorf("secret %d is in the log or in the data folder", i)
		}
	}

	r = run(t, dir, settings)
	if status, _, _ := r.visit(r.visitor(), setup, nil); status != http.StatusNotFound {
		t.Errorf("the set-up after a restart: %d", status)
	}
	if status, _, _ := r.visit(c, page+"/admin", nil); status != http.StatusOK {
		t.Errorf("the owner's session after a restart: %d", status)
	}
}

// One listener has the API and the pages; a person who is disabled is out of both at once.
func TestPagesAndAPIOnOneListener(t *testing.T) {
	r := run(t, shortDir(t), nil)
	base := r.status.Addresses[0]
	call[admin.User](r, admin.VerbUserAdd, admin.UserAdd{Username: "alex@example.org", Password: "correct horse"})
	c := r.visitor()
	if status, _, text := r.visit(c, base+api.PathClientConfig, nil); status != http.StatusOK || !strings.HasPrefix(text, "{") {
		t.Errorf("the API: %d %s", status, text)
	}
	if status, to, _ := r.visit(c, base+"/", nil); status != http.StatusSeeOther || to != "/sign-in" {
		t.Errorf("the first page: %d %s", status, to)
	}
	for _, path := range []string{"/admin", "/api", "/apix", "/device/v1/ca"} {
		if status, _, text := r.visit(c, base+path, nil); status != http.StatusNotFound || !strings.Contains(text, "<html") {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, to, text := r.visit(c, base+"/sign-in/password", url.Values{"account": {"alex@example.org"}, "password": {"correct horse"}}); status != http.StatusSeeOther || to != "/" {
		t.Fatalf("sign in: %d %s %s", status, to, text)
	}
	if status, _, text := r.visit(c, base+"/", nil); status != http.StatusOK || !strings.Contains(text, "alex@example.org") {
		t.Errorf("signed in: %d", status)
	}
	call[admin.User](r, admin.VerbUserDisable, admin.UserRef{User: "alex@example.org"})
	if status, to, _ := r.visit(c, base+"/", nil); status != http.StatusSeeOther || to != "/sign-in" {
		t.Errorf("disabled: %d %s", status, to)
	}
}
