package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/osuser"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
)

// identity tells the session who is logged on. The operating system is asked once.
type identity struct {
	config  config.Config
	account func(context.Context) (osuser.Account, error)
	deploy  func(context.Context) (ipc.Status, error) // what was decided for this computer; nil: nobody tells
}

var _ session.Identity = identity{}

// remembered asks the operating system once; a failure is not remembered.
func remembered(ask func(context.Context) (osuser.Account, error)) func(context.Context) (osuser.Account, error) {
	var mu sync.Mutex // guards known
	var known *osuser.Account
	return func(ctx context.Context) (osuser.Account, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return *known, nil
		}
		account, err := ask(ctx)
		if err == nil {
			known = &account
		}
		return account, err
	}
}

// Identify implements session.Identity. The computer's own rules for UPN suffixes go before the server's.
func (i identity) Identify(ctx context.Context, suffix string) (session.Who, error) {
	account, err := i.account(ctx)
	if err != nil {
		return session.Who{}, fmt.Errorf("find out who is logged on: %w", err)
	}
	rules := i.config.UPNRules
	if rules.Empty() {
		if rules, err = usermap.ParseRules(suffix); err != nil {
			return session.Who{}, fmt.Errorf("use the server's UPN suffix: %w", err)
		}
	}
	facts := account.Facts()
	facts.Addresses = osuser.Addresses()
	return session.Who{
		Account: status.OSAccount{Name: account.Raw, Short: account.Name, Domain: account.Domain},
		Facts: api.OSAccount{
			Kind: kind(account.Kind), Domain: account.Domain, Name: account.Name, UPN: account.UPN, SID: account.SID, Hostname: account.Hostname,
			JoinDomain: account.JoinDomain, JoinRealm: account.JoinRealm,
		},
		Prefill: string(usermap.Map(facts, rules).Prefill),
		Shared:  i.shared(ctx, account),
		Backed:  backed(account),
	}, nil
}

// shared asks the settings, and what was decided for this computer at the server.
func (i identity) shared(ctx context.Context, account osuser.Account) bool {
	var device ipc.Status
	if i.deploy != nil {
		ctx, cancel := context.WithTimeout(ctx, deployPatience)
		defer cancel()
		device, _ = i.deploy(ctx) // what cannot be asked decides nothing
	}
	return shared(i.config, device, account)
}

// deployPatience is how long a start waits for the service of this computer.
const deployPatience = 2 * time.Second

// attendance tells the session whether somebody is in front of the computer.
type attendance struct{ source presence.Source }

var _ session.Presence = attendance{}

// Read implements session.Presence.
func (a attendance) Read(ctx context.Context) (session.Reading, error) {
	r, err := a.source.Read(ctx)
	return session.Reading(r), err
}

// kind is an account's kind in the words of the API.
func kind(k usermap.Kind) string {
	switch k {
	case usermap.KindLocal:
		return "local"
	case usermap.KindDomain:
		return "domain"
	case usermap.KindAzureAD:
		return "entra"
	case usermap.KindUnknown, usermap.KindJob:
	}
	return "unknown"
}

// shared tells whether several people use this account one after the other (UX 4): it is in the list SharedOSUsers, or
// the computer is a shared one and no directory answers for the account. The settings or the server may say either; what the
// server said of a computer counts also after it was revoked.
func shared(c config.Config, device ipc.Status, account osuser.Account) bool {
	for _, name := range slices.Concat(c.SharedOSUsers, device.SharedOSUsers) {
		if auth.Same(name, account.Name) || auth.Same(name, account.Raw) || auth.Same(name, account.Domain+`\`+account.Name) {
			return true
		}
	}
	role := c.DeviceRole == config.RoleShared || device.Role == string(config.RoleShared)
	return role && !backed(account)
}

// backed tells whether a directory answers for the account.
func backed(account osuser.Account) bool {
	return account.Kind == usermap.KindDomain || account.Kind == usermap.KindAzureAD
}
