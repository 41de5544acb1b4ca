package server

import (
	"encoding/hex"
	"fmt"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

func (s *server) openSignIn(r *rooms, d *directories, hasher *passhash.Hasher) (*signin.Service, error) {
	key := s.keys.Derive("sign-in counters")
	return signin.New(signin.Deps{
		Store: s.db, Clock: s.now, Logger: s.logger, Hasher: hasher,
		Rules:       rulesOf(s.cfg, d.entries()),
		Directories: checkersOf(d.all()),
		Cloud:       r.idp.cloud(s.cfg, d.entries()),
		Key:         secret.New(hex.EncodeToString(key[:])),
		Link:        signin.LinkPolicy(s.cfg.SignIn.Link), SharedOSUsers: s.cfg.SignIn.SharedOSUsers,
	})
}

// rulesOf says whose names are whose.
func rulesOf(cfg *config.Config, entries []configured.Config) names.Rules {
	r := names.Rules{Suffix: cfg.UPNSuffix}
	if cfg.Microsoft != nil {
		r.Tenants = []string{cfg.Microsoft.Tenant}
	}
	for _, e := range entries {
		if e.Domain != "" || len(e.UPNSuffixes) > 0 {
			r.Domains = append(r.Domains, names.Domain{NetBIOS: e.Domain, Suffixes: e.UPNSuffixes, Source: core.SourceID(e.ID), Truncates: e.TruncatesUPNs()})
		}
	}
	return r
}

// checkersOf are the directories that check passwords themselves.
func checkersOf(sources []*configuredSource) []signin.Directory {
	var list []signin.Directory
	for _, c := range sources {
		if checker, ok := c.source.(directory.PasswordChecker); ok {
			list = append(list, signin.Directory{Checker: checker, Lockout: lockoutOf(c.entry.Lockout)})
		}
	}
	return list
}

// lockoutOf turns what the administrator allows us into the threshold of the directory, below which we stay: so many
// failures of ours, and the next one would be too many. c has its defaults.
func lockoutOf(c configured.Lockout) signin.Lockout {
	return signin.Lockout{Threshold: c.MaxFailures + 1, Window: c.Window}
}

func facts(a api.OSAccount) usermap.Facts {
	f := usermap.Facts{
		Kind: usermap.Kind(a.Kind), Domain: a.Domain, Name: a.Name, UPN: a.UPN, SID: a.SID, Hostname: a.Hostname, JoinDomain: a.JoinDomain, JoinRealm: a.JoinRealm,
	}
	switch f.Kind {
	case usermap.KindLocal, usermap.KindDomain, usermap.KindAzureAD, usermap.KindUnknown:
	case "entra":
		f.Kind = usermap.KindAzureAD
	default:
		f.Kind = usermap.KindUnknown // a job's owner is nothing a client may claim to be
	}
	return f
}

func actorOf(user core.UserID) string { return fmt.Sprintf("user:%d", user) }
