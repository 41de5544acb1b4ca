package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Session is a signed-in session. The tokens cannot be printed by accident.
type Session struct {
	Access         secret.String
	AccessExpires  time.Time // by the server's clock
	Refresh        secret.String
	RefreshExpires time.Time // by the server's clock
	User           api.User
	LinkedName     string // the computer's short name, when this sign-in linked it to the account
}

// ClientConfig asks what a client may know before sign-in. It sends nothing about the person. An answer that no Platen
// server gives is an Error of KindNotPlaten.
func (c *Client) ClientConfig(ctx context.Context) (api.ClientConfig, error) {
	return c.clientConfig(ctx, nil)
}

// Visit is what a look at the server found.
type Visit struct {
	Config     api.ClientConfig
	Took       time.Duration       // the call, with the connection where none stood
	Chain      []*x509.Certificate // as it was verified: the server's certificate first, the authority last
	TLSVersion string              // "TLS 1.3"
}

// Visit is ClientConfig with a look at the connection, for diagnosis.
func (c *Client) Visit(ctx context.Context) (Visit, error) {
	var v Visit
	before := c.opts.Clock()
	config, err := c.clientConfig(ctx, func(r *http.Response) {
		v.TLSVersion = tls.VersionName(r.TLS.Version)
		if len(r.TLS.VerifiedChains) > 0 {
			v.Chain = r.TLS.VerifiedChains[0]
		}
	})
	v.Config, v.Took = config, c.opts.Clock().Sub(before)
	return v, err
}

func (c *Client) clientConfig(ctx context.Context, seen func(*http.Response)) (api.ClientConfig, error) {
	const op = "ask for the server's settings"
	var config api.ClientConfig
	before := c.opts.Clock()
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: api.PathClientConfig, seen: seen}, &config); err != nil {
		return api.ClientConfig{}, err
	}
	if config.ServerTime.IsZero() || config.Version == "" {
		return api.ClientConfig{}, fail(op, c.Host(), Error{Kind: KindNotPlaten, Status: http.StatusOK, Err: errNoClientConfig})
	}
	c.noteTime(config.ServerTime, before, c.opts.Clock())
	return config, nil
}

// SignIn asks for a session by account and password. in.Password is ignored: password is what counts.
func (c *Client) SignIn(ctx context.Context, in api.SignIn, password secret.String) (Session, error) {
	in.Password = password.Reveal()
	return c.session(ctx, call{op: "sign in", method: http.MethodPost, path: api.PathSessions, body: in})
}

// SignInToken asks for a session by an identity provider's access token. in.AccessToken is ignored: token is what counts.
func (c *Client) SignInToken(ctx context.Context, in api.TokenSignIn, token secret.String) (Session, error) {
	in.AccessToken = token.Reveal()
	return c.session(ctx, call{op: "sign in with a token", method: http.MethodPost, path: api.PathSessionToken, body: in})
}

// SignInCode redeems a one-use code. in.Code and in.Verifier are ignored: code and verifier are what counts.
func (c *Client) SignInCode(ctx context.Context, in api.CodeSignIn, code, verifier secret.String) (Session, error) {
	in.Code, in.Verifier = code.Reveal(), verifier.Reveal()
	return c.session(ctx, call{op: "redeem the sign-in", method: http.MethodPost, path: api.PathSessionCode, body: in})
}

// Refresh exchanges a refresh token for new tokens. When its answer is lost, the same token may be sent once more within 30
// seconds.
func (c *Client) Refresh(ctx context.Context, refresh secret.String) (Session, error) {
	body := api.Refresh{RefreshToken: refresh.Reveal()}
	return c.session(ctx, call{op: "renew the sign-in", method: http.MethodPost, path: api.PathSessionRefresh, body: body})
}

func (c *Client) session(ctx context.Context, r call) (Session, error) {
	var s api.Session
	if err := c.do(ctx, r, &s); err != nil {
		return Session{}, err
	}
	if s.AccessToken == "" || s.RefreshToken == "" || s.User.ID == "" {
		return Session{}, fail(r.op, c.Host(), Error{Kind: KindServer, Status: http.StatusOK, Err: errNoTokens})
	}
	return Session{
		Access: secret.New(s.AccessToken), AccessExpires: s.AccessExpires,
		Refresh: secret.New(s.RefreshToken), RefreshExpires: s.RefreshExpires,
		User: s.User, LinkedName: s.LinkedName,
	}, nil
}

// SignOut ends the session on the server.
func (c *Client) SignOut(ctx context.Context, access secret.String) error {
	return c.do(ctx, call{op: "sign out", method: http.MethodDelete, path: api.PathSessionCurrent, token: access}, nil)
}

// Me asks who is signed in, with the balance.
func (c *Client) Me(ctx context.Context, access secret.String) (api.Me, error) {
	return get[api.Me](ctx, c, "ask for the account", api.PathMe, nil, access)
}

// Balance asks for the balance.
func (c *Client) Balance(ctx context.Context, access secret.String) (api.Balance, error) {
	return get[api.Balance](ctx, c, "ask for the balance", api.PathBalance, nil, access)
}

// Transactions asks for a page of the statement, the lines older than before; 0 asks for the newest. limit is at most
// api.MaxTransactions; 0 leaves it to the server.
func (c *Client) Transactions(ctx context.Context, access secret.String, before int64, limit int) (api.TransactionList, error) {
	query := url.Values{}
	if before > 0 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(min(limit, api.MaxTransactions)))
	}
	return get[api.TransactionList](ctx, c, "ask for the transactions", api.PathTransactions, query, access)
}

// BalanceHistory asks for the balance at the end of each of the last days, at most api.MaxHistoryDays; 0 leaves it to the
// server.
func (c *Client) BalanceHistory(ctx context.Context, access secret.String, days int) (api.BalanceHistory, error) {
	query := url.Values{}
	if days > 0 {
		query.Set("days", strconv.Itoa(min(days, api.MaxHistoryDays)))
	}
	return get[api.BalanceHistory](ctx, c, "ask for the balance history", api.PathBalanceHistory, query, access)
}

func get[T any](ctx context.Context, c *Client, op, path string, query url.Values, access secret.String) (T, error) {
	var out T
	err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, query: query, token: access}, &out)
	return out, err
}
