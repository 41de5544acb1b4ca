package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Secrets of directories are told to nobody again: not by what administrators are shown, nor by errors, the log, the audit, the files of
// the data folder or a backup; whether they are right, wrong or no secret at all.
func TestRSECRET_NoSecretOfADirectoryIsShown(t *testing.T) {
	h := newHouse(t)
	s, stop := h.start("{}")
	stopped := false
	defer func() {
		if !stopped {
			stop()
		}
	}()
	var told bytes.Buffer
	s.rooms.directories.logger = slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
	tell := func(what any, err error) {
		text, failed := json.Marshal(what)
		told.Write(text)
		if err != nil {
			told.WriteString(err.Error())
		}
		if failed != nil {
			t.Error(failed)
		}
	}
	ctx, d := t.Context(), s.rooms.directories
	const word = "CANARY-7d1c"
	for _, in := range []admin.DirectoryAdd{
		{ID: "corp", Type: "ldap", Set: []string{"url=ldaps://127.0.0.1:1", "bind_dn=cn=reader"}, Secrets: map[string]string{"bind_password": word}},
		{ID: "lines", Type: "ldap", Set: []string{"url=ldaps://127.0.0.1:1", "bind_dn=cn=reader"}, Secrets: map[string]string{"bind_password": word + "\n" + word}},
		{ID: "cloud", Type: "entra", Set: []string{"tenant=11111111-2222-3333-4444-555555555555", "client_id=66666666-7777-8888-9999-000000000000", "authority=https://127.0.0.1:1", "graph_url=https://127.0.0.1:1", "allow_any_authority=yes"}, Secrets: map[string]string{"client_secret": word}},
		{ID: "cert", Type: "entra", Set: []string{"tenant=11111111-2222-3333-4444-555555555555", "client_id=66666666-7777-8888-9999-000000000000", "authority=https://127.0.0.1:1", "graph_url=https://127.0.0.1:1", "allow_any_authority=yes"}, Secrets: map[string]string{
			"client_certificate": "-----BEGIN CERTIFICATE-----\n" + word + "\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n" + word + "\n-----END PRIVATE KEY-----\n",
		}},
		{ID: "school", Type: "google", Set: []string{"subject=reader@example.org", "api_url=https://127.0.0.1:1", "allow_any_authority=yes"}, Secrets: map[string]string{"service_account": `{"type": "service_account", "client_email": "a@b", "private_key": "` + word + `"}`}},
		{ID: "broken", Type: "google", Set: []string{"subject=reader@example.org", "api_url=https://127.0.0.1:1", "allow_any_authority=yes"}, Secrets: map[string]string{"service_account": `{"private_key": "` + word}},
	} {
		_, err := d.Add(ctx, "admin", in) // asks the directory, which does not answer
		tell(nil, err)
		in.Untested = true
		added, err := d.Add(ctx, "admin", in)
		if err != nil {
			t.Fatalf("%s: %v", in.ID, err)
		}
		tell(added, nil)
		id := core.SourceID(in.ID)
		says, err := d.Check(ctx, id)
		if err == nil {
			t.Errorf("%s answers: %s", in.ID, says)
		}
		tell(says, err)
		shown, err := d.Show(ctx, id)
		tell(shown, err)
		if in.Type == "ldap" { // others try again for half a minute
			tell(d.Apply(ctx, "admin", id, "", ""))
		}
		changed, err := d.Set(ctx, "admin", admin.DirectorySet{ID: in.ID, Set: []string{"interval=2h"}, Secrets: in.Secrets})
		tell(changed, err)
		tell(d.Set(ctx, "admin", admin.DirectorySet{ID: in.ID, Secrets: map[string]string{"bind_pasword": word}}))
		tell(h.state(s, id), nil)
	}
	list, err := d.List(ctx)
	tell(list, err)
	if len(list) != 6 {
		t.Errorf("%d directories", len(list))
	}
	tell(s.status(ctx), nil)
	var backup bytes.Buffer
	if err := errors.Join(s.backup(ctx, &backup), s.db.View(ctx, func(tx store.Tx) error {
		events, err := tx.AuditEvents(ctx, 0, 1000)
		tell(events, err)
		for _, id := range d.IDs() {
			runs, err := tx.SyncRuns(ctx, id, 100)
			tell(runs, err)
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	stopped = true
	stop()
	told.Write(backup.Bytes())
	if err := filepath.WalkDir(filepath.Join(h.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		told.Write(text)
		info, _ := e.Info()
		if info.Mode().Perm()&0o077 != 0 && filepath.Ext(path) != ".pem" { // certificates are for everybody
			t.Errorf("%s may be read by others: %v", path, info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	text := told.String()
	for at := strings.Index(text, word); at >= 0; at = strings.Index(text, word) {
		t.Errorf("the secret is told: %q", text[max(0, at-200):at+20])
		text = text[at+len(word):]
	}
}
