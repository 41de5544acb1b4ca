package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/server"
)

// From the command to the mailbox: whoever is added gets an access code, and a mail with it and its QR code.
func TestA3_01_A3_08_WhoIsAddedIsInvitedByMail(t *testing.T) {
	mailbox := testenv.SMTP(t, testenv.SMTPOptions{How: "starttls", User: "print", Password: "word of the test"})
	dir := shortDir(t)
	file := filepath.Join(t.TempDir(), "server.yaml")
	password := filepath.Join(filepath.Dir(file), "mail-password")
	for name, text := range map[string]string{
		password: "word of the test\n",
		file: fmt.Sprintf("listen: 127.0.0.1:0\nadmin_listen: off\ndevice_listen: off\norganisation: Example School\n"+
			"mail: {host: %s, port: %d, ca_file: %s, from: print@example.org, user: print, password_file: mail-password, language: de}\n", mailbox.Host, mailbox.Port, mailbox.CAFile),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, log := make(chan error, 1), &bytes.Buffer{}
	go func() {
		ended <- server.Run(ctx, server.Options{Data: dir, Sources: config.Sources{File: file}, Out: &bytes.Buffer{}, Log: log, Clock: clock.System})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v\n%s", err, log)
		}
	})
	client := admin.NewClient(dir)
	testenv.Await(t, "the server to answer", func() bool {
		var st admin.Status
		return client.Call(ctx, admin.VerbStatus, admin.Nothing{}, &st, nil) == nil
	})
	var added admin.UserAdded
	if err := client.Call(ctx, admin.VerbUserAdd, admin.UserAdd{Username: "anna@example.org", DisplayName: "Anna Test", Email: "anna@example.org"}, &added, nil); err != nil {
		t.Fatal(err)
	}
	if len(added.AccessCode) < 9 {
		t.Fatalf("the answer has no access code: %+v", added)
	}
	testenv.Await(t, "the mail to arrive", func() bool { return len(mailbox.Mails()) > 0 })
	m := mailbox.Mails()[0]
	if !m.TLS || !m.Login || m.To[0] != "anna@example.org" {
		t.Errorf("it came as %+v", m)
	}
	for _, want := range []string{added.AccessCode, "Guten Tag Anna Test,", "image/png", "Content-Id: <code.png>", "Example School"} {
		if !strings.Contains(strings.ToLower(m.Raw), strings.ToLower(want)) {
			t.Errorf("the mail has no %q:\n%s", want, m.Raw)
		}
	}
	testenv.Await(t, "the mail to be noted as sent", func() bool {
		var q admin.MailQueued
		return client.Call(ctx, admin.VerbMailQueue, admin.MailQueue{All: true}, &q, nil) == nil && q.Counts["sent"] == 1
	})
	var tested admin.MailTested
	if err := client.Call(ctx, admin.VerbMailTest, admin.MailTest{Address: "it@example.org"}, &tested, nil); err != nil || !strings.Contains(tested.Result, "encrypted with TLS") {
		t.Errorf("mail test: %+v, %v", tested, err)
	}
}
