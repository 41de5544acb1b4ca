package agent

import (
	"context"
	"errors"

	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// server is client/apiclient in the words of client/session.
type server struct{ client *apiclient.Client }

var _ session.Server = server{}

func (s server) ClientConfig(ctx context.Context) (api.ClientConfig, error) {
	site, err := s.client.ClientConfig(ctx)
	return site, convert(err)
}

func (s server) SignIn(ctx context.Context, request api.SignIn, password secret.String) (session.Tokens, error) {
	return tokens(s.client.SignIn(ctx, request, password))
}

func (s server) SignInToken(ctx context.Context, request api.TokenSignIn, token secret.String) (session.Tokens, error) {
	return tokens(s.client.SignInToken(ctx, request, token))
}

func (s server) SignInCode(ctx context.Context, request api.CodeSignIn, code, verifier secret.String) (session.Tokens, error) {
	return tokens(s.client.SignInCode(ctx, request, code, verifier))
}

func (s server) Refresh(ctx context.Context, refresh secret.String) (session.Tokens, error) {
	return tokens(s.client.Refresh(ctx, refresh))
}

func (s server) SignOut(ctx context.Context, access secret.String) error {
	return convert(s.client.SignOut(ctx, access))
}

func (s server) Balance(ctx context.Context, access secret.String) (api.Balance, error) {
	b, err := s.client.Balance(ctx, access)
	return b, convert(err)
}

func (s server) Transactions(ctx context.Context, access secret.String) (api.TransactionList, error) {
	list, err := s.client.Transactions(ctx, access, 0, api.DefaultTransactions)
	return list, convert(err)
}

func (s server) BalanceHistory(ctx context.Context, access secret.String) (api.BalanceHistory, error) {
	history, err := s.client.BalanceHistory(ctx, access, api.DefaultHistoryDays)
	return history, convert(err)
}

func (s server) Follow(ctx context.Context, access secret.String, version int64, on func(session.Event)) error {
	return convert(s.client.Follow(ctx, access, version, func(e apiclient.Event) {
		switch e.Kind {
		case apiclient.EventHeartbeat:
			on(session.Event{Kind: session.EventHeartbeat})
		case apiclient.EventBalance:
			on(session.Event{Kind: session.EventBalance, Balance: e.Balance})
		case apiclient.EventSignedOut:
			on(session.Event{Kind: session.EventSignedOut})
		}
	}))
}

func tokens(s apiclient.Session, err error) (session.Tokens, error) {
	return session.Tokens{
		Access: s.Access, AccessExpires: s.AccessExpires, Refresh: s.Refresh, RefreshExpires: s.RefreshExpires, User: s.User,
	}, convert(err)
}

func convert(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, apiclient.ErrSilent) {
		return session.ErrSilent
	}
	if e, ok := errors.AsType[*apiclient.Error](err); ok {
		return &session.Error{Code: e.Code, Problem: e.Problem, Err: err}
	}
	return err
}
