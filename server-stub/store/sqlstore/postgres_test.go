package sqlstore_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.OpenPostgres(t) })
}

func TestNodesThatStartTogetherMigrateOnce(t *testing.T) {
	cfg := sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(testenv.Postgres(t))}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := sqlstore.Open(t.Context(), cfg)
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "v") }); err != nil {
				t.Errorf("Update: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestPostgresAddressIsChecked(t *testing.T) {
	const canary = "CANARYPASSWORD"
	for name, url := range map[string]string{
		"none":       "",
		"no address": "postgres://user:" + canary + "@host:port:port/x?sslmode=what",
		"nobody":     "postgres://user:" + canary + "@127.0.0.1:1/x?connect_timeout=5",
	} {
		s, err := sqlstore.Open(t.Context(), sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(url)})
		if err == nil {
			_ = s.Close()
			t.Fatalf("%s: Open succeeded", name)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
		if name == "nobody" && !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: Open = %v, want core.ErrUnavailable", name, err)
		}
	}
}
