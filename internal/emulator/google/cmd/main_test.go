package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/platenprint/platen/internal/emulator/google"
)

func TestTheProgramServesACustomerAndEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "google")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-dir", dir, "-directory", "../testdata/school.json", "-made", "7", "-listen", "127.0.0.1:0"}, writer, t.Output())
		done <- errors.Join(err, writer.CloseWithError(io.EOF))
	}()
	lines := bufio.NewScanner(reader)
	var said []string
	for len(said) < 4 && lines.Scan() {
		said = append(said, lines.Text())
	}
	if len(said) < 4 {
		t.Fatal(said, <-done)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	address := said[0]
	subject, _ := strings.CutPrefix(said[3], "subject: ")

	pem, err := os.ReadFile(filepath.Join(dir, "localhost.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	raw, err := os.ReadFile(filepath.Join(dir, "service-account.json"))
	if err != nil {
		t.Fatal(err)
	}
	var key struct {
		Email   string `json:"client_email"`
		ID      string `json:"private_key_id"`
		Private string `json:"private_key"`
		Token   string `json:"token_uri"`
	}
	if err := json.Unmarshal(raw, &key); err != nil {
		t.Fatal(err)
	}
	cfg := jwt.Config{Email: key.Email, PrivateKey: []byte(key.Private), PrivateKeyID: key.ID, Subject: subject, Scopes: []string{google.ScopeUser}, TokenURL: key.Token}
	res, err := cfg.Client(context.WithValue(t.Context(), oauth2.HTTPClient, client)).Get(address + "/admin/directory/v1/users?customer=my_customer&query=orgUnitPath%3D/Staff&projection=full")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var page struct {
		Users []google.User `json:"users"`
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || len(page.Users) < 9 {
		t.Errorf("%d users, %v", len(page.Users), err)
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
	if _, err := google.Certificate(filepath.Join(dir, "localhost.pem"), filepath.Join(dir, "localhost.key")); err != nil {
		t.Error(err)
	}
	if again, err := os.ReadFile(filepath.Join(dir, "localhost.pem")); err != nil || string(again) != string(pem) {
		t.Errorf("a good certificate was replaced, %v", err)
	}
}

func TestTheProgramSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		name := filepath.Join(dir, fmt.Sprintf("%d", len(text)))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, args := range map[string][]string{
		"not on loopback":       {"-listen", "0.0.0.0:0"},
		"no such customer":      {"-directory", "missing.json"},
		"no JSON":               {"-directory", file("users")},
		"no such field":         {"-directory", file(`{"users":[{"primaryEmail":"a@b.c","shoeSize":5}]}`)},
		"somebody without name": {"-directory", file(`{"users":[{}]}`)},
		"no authorities":        {"-hook-ca", file("x")},
		"unknown flag":          {"-surprise"},
	} {
		if err := run(t.Context(), append([]string{"-dir", filepath.Join(dir, "google")}, args...), io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
