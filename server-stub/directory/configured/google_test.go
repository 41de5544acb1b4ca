package configured

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

func TestGoogle(t *testing.T) {
	c, err := Decode("{id: school, type: google, subject: reader@example.org, service_account_file: key.json, org_units: [/Staff, /Students], card_fields: PaperCut.cardNumber, watch_url: https://print.example.org, auto_delete: no, manual: yes}")
	if err != nil {
		t.Fatal(err)
	}
	source, err := One(c, nil, slog.New(slog.DiscardHandler), clock.System)
	if err != nil || source.ID() != "school" {
		t.Fatal(source, err)
	}
	if _, ok := source.(directory.Watcher); !ok {
		t.Error("it hears of no changes")
	}
	if got := c.WithDefaults().Interval; got != 10*time.Minute {
		t.Errorf("A3_23: without notifications it is read every %v", got)
	}
	if got := c.Relative("/etc/platen").ServiceAccountFile; got != filepath.Join("/etc/platen", "key.json") {
		t.Errorf("relative file %q", got)
	}
	asked := ""
	kept := func(source core.SourceID, key string) directory.Secret {
		asked = string(source) + " " + key
		return func() (secret.String, error) { return secret.New("x"), nil }
	}
	c.ServiceAccountFile = ""
	if _, err := One(c, kept, slog.New(slog.DiscardHandler), clock.System); err != nil || asked != "school "+SecretKeys(TypeGoogle)[0] {
		t.Errorf("%q was asked for, %v", asked, err)
	}
	for text, want := range map[string]string{
		"{id: a, type: google, subject: reader@example.org}":                                                                    "service_account_file:",
		"{id: a, type: google, service_account_file: x}":                                                                        "subject:",
		"{id: a, type: google, service_account_file: x, subject: reader@example.org, org_units: Staff}":                         "org_units:",
		"{id: a, type: google, service_account_file: x, subject: reader@example.org, tenant: x}":                                "tenant:",
		"{id: a, type: google, service_account_file: x, subject: reader@example.org, api_url: https://localhost}":               "allow_any_authority: yes",
		"{id: a, type: google, service_account_file: x, subject: reader@example.org, watch_url: http://localhost}":              "watch_url:",
		"{id: a, type: google, service_account_file: x, subject: reader@example.org, card_fields: [none, PaperCut.cardNumber]}": "card_fields:",
		"{id: a, type: csv, path: x, org_units: /Staff}":                                                                        "type: google",
	} {
		c, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := One(c, nil, slog.New(slog.DiscardHandler), clock.System); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
