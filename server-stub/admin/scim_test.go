package admin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// shown is a set of directories that only shows.
type shown struct {
	Directories
	list []Directory
}

func (s shown) IDs() (ids []core.SourceID) {
	for _, d := range s.list {
		ids = append(ids, core.SourceID(d.ID))
	}
	return ids
}

func (s shown) Show(_ context.Context, id core.SourceID) (Directory, error) {
	for _, d := range s.list {
		if d.ID == string(id) {
			return d, nil
		}
	}
	return Directory{}, core.ErrNotFound
}

func sender(t *testing.T) *Server {
	return &Server{Deps: Deps{
		Store: storetest.OpenSQLite(t), Clock: clock.Fixed(noon),
		Directories: shown{list: []Directory{{ID: "entra", Type: "scim", TenantURL: "https://p.example.org/scim/v2"}, {ID: "corp", Type: "ldap"}}},
	}}
}

func TestA3_43_TokensAreMadeShownAndRevoked(t *testing.T) {
	s, ctx := sender(t), t.Context()
	made, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenRotate, Days: 30, From: []string{"192.0.2.0/24", "2001:db8::1"}})
	if err != nil || !strings.HasPrefix(made.Token, "pp_scim_") || made.TenantURL != "https://p.example.org/scim/v2" || len(made.Tokens) != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	if k := made.Tokens[0]; k.State != "live" || !k.ExpiresAt.Equal(noon.Add(30*24*time.Hour)) || k.From != "192.0.2.0/24,2001:db8::1/128" {
		t.Errorf("%+v", k)
	}
	if _, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenRotate}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenRotate}); !errors.Is(err, core.ErrConflict) {
		t.Errorf("a third one: %v", err)
	}
	ended, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenRevoke, ID: made.Tokens[0].ID})
	if err != nil || ended.Revoked != 1 || ended.Token != "" {
		t.Errorf("%+v, %v", ended, err)
	}
	all, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenRevoke})
	if err != nil || all.Revoked != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, k := range all.Tokens {
		if k.State != "revoked" {
			t.Errorf("%+v", k)
		}
	}
	for name, in := range map[string]SyncToken{
		"a directory that is read": {Source: "corp", Do: TokenList}, "nothing to do": {Source: "entra"}, "no network": {Source: "entra", Do: TokenRotate, From: []string{"x"}},
		"too long": {Source: "entra", Do: TokenRotate, Days: 366},
	} {
		if _, err := s.syncToken(ctx, in); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsSentIsApprovedWithAReason(t *testing.T) {
	s, ctx := sender(t), t.Context()
	for name, in := range map[string]SyncApprove{"no reason": {Source: "entra", Reason: " "}, "a directory that is read": {Source: "corp", Reason: "x"}} {
		if _, err := s.syncApprove(ctx, in); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := s.syncApprove(ctx, SyncApprove{Source: "entra", Reason: "the school closed"})
	if err != nil || !r.Until.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.Store.View(ctx, func(tx store.Tx) error {
		runs, err := tx.SyncRuns(ctx, "entra", 1)
		if len(runs) != 1 || !strings.Contains(runs[0].Message, "the school closed") {
			t.Errorf("%+v", runs)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestA3_67_TheProvisioningLogIsReadOn(t *testing.T) {
	s, ctx := sender(t), t.Context()
	if err := s.Store.Update(ctx, func(tx store.Tx) error {
		for _, name := range []string{"a", "b", "c"} {
			if err := tx.AppendSCIMLog(ctx, store.SCIMEntry{At: noon, Source: "entra", Operation: "create", Name: name, Status: 201, Result: "created"}); err != nil {
				return err
			}
		}
		return tx.PutSCIMConnection(ctx, store.SCIMConnection{Source: "entra", Warning: "two writers", LastSeenAt: noon})
	}); err != nil {
		t.Fatal(err)
	}
	names := func(in SyncLog) (text string) {
		t.Helper()
		r, err := s.syncLog(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range r.Lines {
			text += l.Name
		}
		return text
	}
	one := int64(1)
	for want, in := range map[string]SyncLog{"abc": {Source: "entra"}, "c": {Source: "entra", Limit: 1}, "bc": {Source: "entra", After: &one}, "b": {Source: "entra", After: &one, Limit: 1}} {
		if got := names(in); got != want {
			t.Errorf("%+v: %s, want %s", in, got, want)
		}
	}
	if list, err := s.syncToken(ctx, SyncToken{Source: "entra", Do: TokenList}); err != nil || list.Warning != "two writers" || !list.LastSeen.Equal(noon) {
		t.Errorf("A3_44: %+v, %v", list, err)
	}
}
