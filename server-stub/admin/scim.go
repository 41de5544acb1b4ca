package admin

import (
	"context"
	"net/netip"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

// The verbs about directories that send by themselves.
const (
	VerbSyncToken = "sync.token"
	VerbSyncLog   = "sync.log"
	// VerbSyncApprove lets what a directory sends pass the brake for an hour.
	VerbSyncApprove = "sync.approve"
)

// What SyncToken can do.
const (
	TokenList   = "list"
	TokenRotate = "rotate"
	TokenRevoke = "revoke"
)

// SyncToken asks about the tokens of a directory that sends by itself.
type SyncToken struct {
	Source string   `json:"source"`
	Do     string   `json:"do"`             // "list", "rotate" or "revoke"
	ID     string   `json:"id,omitempty"`   // of the token to revoke; "" for all
	Days   int      `json:"days,omitempty"` // how long a new one lives; 0 for 365
	From   []string `json:"from,omitempty"` // networks that a new one is accepted from; none for any
}

// SyncTokens are the tokens of a directory, newest first.
type SyncTokens struct {
	Source    string       `json:"source"`
	TenantURL string       `json:"tenant_url,omitempty"`
	Token     string       `json:"token,omitempty"` // a new one, shown this once
	Revoked   int          `json:"revoked,omitempty"`
	LastSeen  *time.Time   `json:"last_seen,omitempty"`
	Warning   string       `json:"warning,omitempty"` // what an administrator should look into
	WarnedAt  *time.Time   `json:"warned_at,omitempty"`
	Tokens    []TokenShown `json:"tokens"`
}

// TokenShown is one token. The token itself is known to nobody here.
type TokenShown struct {
	ID        string     `json:"id"`
	State     string     `json:"state"` // "live", "expired" or "revoked"
	From      string     `json:"from,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used,omitempty"`
}

// SyncApprove lets what a directory sends pass the brake for an hour.
type SyncApprove struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
}

// SyncApproved says until when.
type SyncApproved struct {
	Source string    `json:"source"`
	Until  time.Time `json:"until"`
}

// SyncLog asks for lines of the provisioning log.
type SyncLog struct {
	Source string `json:"source"`
	After  *int64 `json:"after,omitempty"` // lines after this one, oldest first; nil: the newest ones
	Limit  int    `json:"limit,omitempty"` // 0 for 50
}

// SyncLogLines are lines of the provisioning log, oldest first.
type SyncLogLines struct {
	Lines []SyncLogLine `json:"lines"`
}

// SyncLogLine says what became of one request.
type SyncLogLine struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	Operation string    `json:"operation"`
	Kind      string    `json:"kind,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	Name      string    `json:"name,omitempty"`
	User      int64     `json:"user,omitempty"`
	Status    int       `json:"status"`
	Result    string    `json:"result"`
	Detail    string    `json:"detail,omitempty"`
	Token     string    `json:"token,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
}

func (s *Server) scimRoutes() {
	on(s, VerbSyncToken, s.syncToken)
	on(s, VerbSyncLog, s.syncLog)
	on(s, VerbSyncApprove, s.syncApprove)
}

func (s *Server) tokens() *scim.Tokens { return scim.NewTokens(s.Store, s.Clock) }

// sending is the directory that a call is about, which must be one that sends by itself.
func (s *Server) sending(ctx context.Context, source string) (Directory, error) {
	id, err := s.one(source)
	if err != nil {
		return Directory{}, err
	}
	d, err := s.Directories.Show(ctx, id)
	if err == nil && d.Type != "scim" {
		err = invalid("the directory %q is read, it does not send: it has no tokens and no provisioning log", id)
	}
	return d, err
}

func (s *Server) syncToken(ctx context.Context, in SyncToken) (SyncTokens, error) {
	d, err := s.sending(ctx, in.Source)
	if err != nil {
		return SyncTokens{}, err
	}
	tokens, id := s.tokens(), core.SourceID(d.ID)
	out := SyncTokens{Source: d.ID, TenantURL: d.TenantURL, Tokens: []TokenShown{}}
	switch in.Do {
	case TokenList:
	case TokenRotate:
		o := scim.TokenOptions{Lifetime: time.Duration(in.Days) * 24 * time.Hour}
		for _, text := range in.From {
			network, err := prefix(text)
			if err != nil {
				return SyncTokens{}, invalid("%q is no network; write it like 192.0.2.0/24", text)
			}
			o.Networks = append(o.Networks, network)
		}
		token, _, err := tokens.Issue(ctx, actor, id, o)
		if err != nil {
			return SyncTokens{}, err
		}
		out.Token = token.Reveal()
	case TokenRevoke:
		if out.Revoked, err = tokens.Revoke(ctx, actor, id, in.ID); err != nil {
			return SyncTokens{}, err
		}
	default:
		return SyncTokens{}, invalid("say what to do with the tokens: list, rotate or revoke")
	}
	return out, s.tellTokens(ctx, id, &out)
}

// tellTokens fills in how the tokens and the connection stand.
func (s *Server) tellTokens(ctx context.Context, id core.SourceID, out *SyncTokens) error {
	list, err := s.tokens().List(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range list {
		out.Tokens = append(out.Tokens, TokenShown{
			ID: t.ID, State: tokenState(t, s.Clock()), From: t.Networks, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsed: optionalTime(t.LastUsedAt),
		})
	}
	c, err := s.tokens().Connection(ctx, id)
	out.LastSeen, out.Warning, out.WarnedAt = optionalTime(c.LastSeenAt), c.Warning, optionalTime(c.WarnedAt)
	return err
}

// approval is how long an approval lasts, see dirsync.Syncer.ApprovePushes.
const approval = time.Hour

func (s *Server) syncApprove(ctx context.Context, in SyncApprove) (SyncApproved, error) {
	d, err := s.sending(ctx, in.Source)
	if err != nil {
		return SyncApproved{}, err
	}
	err = dirsync.New(s.Store, s.Clock, dirsync.Config{Logger: s.Logger}).ApprovePushes(ctx, core.SourceID(d.ID), in.Reason)
	return SyncApproved{d.ID, s.Clock().Add(approval)}, err
}

func tokenState(t store.SCIMToken, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case scim.Live(t, now):
		return "live"
	}
	return "expired"
}

// prefix reads a network, or one address.
func prefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(text)
}

func (s *Server) syncLog(ctx context.Context, in SyncLog) (SyncLogLines, error) {
	d, err := s.sending(ctx, in.Source)
	if err != nil {
		return SyncLogLines{}, err
	}
	after, limit := int64(-1), in.Limit
	if in.After != nil {
		after = max(*in.After, 0)
	}
	if limit <= 0 || limit > 1000 {
		limit = 50
	}
	list, err := s.tokens().Log(ctx, core.SourceID(d.ID), after, limit)
	out := SyncLogLines{Lines: make([]SyncLogLine, len(list))}
	for i, e := range list {
		out.Lines[i] = SyncLogLine{
			ID: e.ID, At: e.At, Operation: e.Operation, Kind: string(e.Kind), Resource: e.Resource, Name: e.Name, User: int64(e.UserID), Status: e.Status,
			Result: e.Result, Detail: e.Detail, Token: e.Token, RequestID: e.RequestID,
		}
	}
	return out, err
}
