package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/capabilities"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/store"
)

// capabilities answers the comparison table for this server as it is now.
func (s *server) capabilities(ctx context.Context) (api.Capabilities, error) {
	facts := capabilityFacts(s.cfg, s.rooms.directories.entries())
	err := s.db.View(ctx, func(tx store.Tx) error {
		devices, err := tx.CountDevices(ctx, core.DeviceEnrolled)
		if err != nil {
			return err
		}
		grants, err := tx.RoleGrants(ctx)
		facts.Devices = devices
		facts.Owner = slices.ContainsFunc(grants, func(g core.RoleGrant) bool { return g.Role == core.RoleOwner })
		return err
	})
	if err != nil {
		return api.Capabilities{}, fmt.Errorf("look at what this server has: %w", err)
	}
	return capabilities.Compute(facts), nil
}

var kinds = map[string]capabilities.Kind{
	configured.TypeCSV: capabilities.KindCSV, configured.TypeLDAP: capabilities.KindLDAP, configured.TypeEntra: capabilities.KindEntra,
	configured.TypeGoogle: capabilities.KindGoogle, configured.TypeSCIM: capabilities.KindSCIM,
}

// capabilityFacts is what the configuration says.
func capabilityFacts(cfg *config.Config, entries []configured.Config) capabilities.Facts {
	f := capabilities.Facts{Modes: cfg.SignIn.Modes, DeviceListener: cfg.DeviceListen != "", AdminPages: cfg.AdminListen != ""}
	for _, e := range entries {
		f.Directories = append(f.Directories, capabilities.Directory{ID: e.ID, Kind: kinds[e.Type], Cards: e.HasCards(), Direct: e.Scope.Direct})
	}
	for _, p := range cfg.Providers {
		f.Providers = append(f.Providers, p.Name)
	}
	if m := cfg.Microsoft; m != nil {
		f.Microsoft = &capabilities.Microsoft{MFA: m.MFA, Passwords: m.Passwords, Web: m.HasWeb(), Create: m.Create, Match: m.Match != config.MatchNone, Listed: m.Source != ""}
	}
	return f
}
