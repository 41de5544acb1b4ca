package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheProgramServesATenantAndEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-config", "../testdata/tenant.yaml", "-listen", "127.0.0.1:0"}, writer, t.Output())
		done <- errors.Join(err, writer.CloseWithError(io.EOF))
	}()
	authority, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	res, err := client.Get(strings.TrimSpace(authority) + "/v2.0/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if raw, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(raw), `"issuer":"`+strings.TrimSpace(authority)+`/v2.0"`) {
		t.Errorf("%s: %v\n%s", authority, err, raw)
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

func TestTheProgramSaysWhatIsWrong(t *testing.T) {
	for name, args := range map[string][]string{
		"no configuration":    {},
		"not on loopback":     {"-config", "../testdata/tenant.yaml", "-listen", "0.0.0.0:0"},
		"no such certificate": {"-config", "../testdata/tenant.yaml", "-cert", "missing.pem", "-key", "missing.pem"},
		"unknown flag":        {"-surprise"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
