package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

type (
	clientConfigOutput struct{ Body api.ClientConfig }
	signInInput        struct{ Body api.SignIn }
	tokenInput         struct{ Body api.TokenSignIn }
	codeInput          struct{ Body api.CodeSignIn }
	refreshInput       struct{ Body api.Refresh }
	capabilitiesOutput struct{ Body api.Capabilities }
	sessionOutput      struct{ Body api.Session }
	sessionsOutput     struct{ Body api.SessionList }
	sessionInput       struct {
		ID string `path:"id" maxLength:"64" doc:"The session's id, from the list."`
	}
)

func (h *Handler) clientConfig(context.Context, *struct{}) (*clientConfigOutput, error) {
	body := h.Client
	body.ServerTime = h.Clock()
	return &clientConfigOutput{Body: body}, nil
}

// open refuses a way of signing in that is not offered.
func (h *Handler) open(method string) error {
	if slices.Contains(h.Client.AuthModes, method) {
		return nil
	}
	return &Refusal{Code: api.CodeMethodOff, Err: errors.New(method + " is not among the ways that are offered")}
}

func (h *Handler) signIn(ctx context.Context, in *signInInput) (*sessionOutput, error) {
	from := From{Client: in.Body.Client, Host: in.Body.OSAccount.Hostname, Address: inbound.Address(ctx), StaySignedIn: in.Body.StaySignedIn}
	return h.begin(ctx, api.MethodPrompt, from, func() (SignedIn, error) {
		return h.SignIn.Password(ctx, Attempt{
			Name: in.Body.Username, Password: secret.New(in.Body.Password), OSAccount: in.Body.OSAccount, Shared: in.Body.Shared,
			Address: from.Address, Client: from.Client,
		})
	})
}

func (h *Handler) signInByToken(ctx context.Context, in *tokenInput) (*sessionOutput, error) {
	from := From{Client: in.Body.Client, Host: in.Body.OSAccount.Hostname, Address: inbound.Address(ctx), StaySignedIn: in.Body.StaySignedIn}
	return h.begin(ctx, api.MethodMicrosoft, from, func() (SignedIn, error) {
		return h.SignIn.Token(ctx, TokenAttempt{
			Provider: in.Body.Provider, Token: secret.New(in.Body.AccessToken), OSAccount: in.Body.OSAccount, Shared: in.Body.Shared,
			Address: from.Address, Client: from.Client,
		})
	})
}

func (h *Handler) signInByCode(ctx context.Context, in *codeInput) (*sessionOutput, error) {
	from := From{Client: in.Body.Client, Host: in.Body.OSAccount.Hostname, Address: inbound.Address(ctx), StaySignedIn: in.Body.StaySignedIn}
	return h.begin(ctx, "", from, func() (SignedIn, error) { // which method it is, only the code says
		if trust := h.open(api.MethodTrust); trust != nil && h.open(api.MethodBrowser) != nil {
			return SignedIn{}, trust
		}
		who, err := h.SignIn.Code(ctx, CodeAttempt{
			Code: secret.New(in.Body.Code), Verifier: in.Body.Verifier, OSAccount: in.Body.OSAccount, Shared: in.Body.Shared,
			Address: from.Address, Client: from.Client,
		})
		if err != nil {
			return SignedIn{}, err
		}
		method := api.MethodBrowser
		if who.Device != "" {
			method = api.MethodTrust
		}
		return who, h.open(method)
	})
}

// begin proves who somebody is and starts their session.
func (h *Handler) begin(ctx context.Context, method string, from From, prove func() (SignedIn, error)) (*sessionOutput, error) {
	var who SignedIn
	var err error
	if method != "" {
		err = h.open(method)
	}
	if err == nil {
		who, err = prove()
	}
	if err != nil {
		p := h.problemFor(ctx, err)
		if method == api.MethodPrompt && p.Code == api.CodeUnavailable {
			p = problemOf(http.StatusServiceUnavailable, api.CodeDirectoryUnavailable)
		}
		h.meters.signIns.WithLabelValues(string(p.Code)).Inc()
		return nil, p
	}
	from.Assurance, from.Device, from.StaySignedIn = who.Assurance, who.Device, from.StaySignedIn || who.Stay
	tokens, err := h.Sessions.Issue(ctx, who.User, from)
	if err != nil {
		return nil, err
	}
	h.meters.signIns.WithLabelValues("ok").Inc()
	inbound.TrustConnection(ctx)
	body := sessionBody(tokens, who.User)
	body.LinkedName = who.LinkedName
	return &sessionOutput{Body: body}, nil
}

func (h *Handler) capabilities(ctx context.Context, _ *struct{}) (*capabilitiesOutput, error) {
	c, err := h.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	return &capabilitiesOutput{Body: c}, nil
}

func (h *Handler) refresh(ctx context.Context, in *refreshInput) (*sessionOutput, error) {
	tokens, person, err := h.Sessions.Refresh(ctx, secret.New(in.Body.RefreshToken), From{Address: inbound.Address(ctx)})
	if errors.Is(err, core.ErrUnauthenticated) || errors.Is(err, core.ErrNotFound) {
		return nil, problemOf(http.StatusUnauthorized, api.CodeSessionEnded)
	}
	if err != nil {
		return nil, err
	}
	inbound.TrustConnection(ctx)
	return &sessionOutput{Body: sessionBody(tokens, person)}, nil
}

func (h *Handler) signOut(ctx context.Context, _ *struct{}) (*struct{}, error) {
	who := whoAsks(ctx)
	return nil, h.Sessions.Revoke(ctx, who.user.ID, who.session.ID)
}

func (h *Handler) mySessions(ctx context.Context, _ *struct{}) (*sessionsOutput, error) {
	who := whoAsks(ctx)
	list, err := h.Sessions.List(ctx, who.user.ID)
	if err != nil {
		return nil, err
	}
	out := &sessionsOutput{Body: api.SessionList{Sessions: make([]api.SessionInfo, 0, len(list))}}
	for _, s := range list {
		if !who.reaches(s.ID) {
			continue
		}
		out.Body.Sessions = append(out.Body.Sessions, api.SessionInfo{
			ID: s.ID, Client: s.Client, Host: s.Host, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, Current: s.ID == who.session.ID,
		})
	}
	return out, nil
}

func (h *Handler) endMySession(ctx context.Context, in *sessionInput) (*struct{}, error) {
	who := whoAsks(ctx)
	if !who.reaches(in.ID) {
		return nil, core.ErrNotFound
	}
	return nil, h.Sessions.Revoke(ctx, who.user.ID, in.ID)
}

// reaches tells whether somebody may see and end a session of theirs: every one, unless it is only a machine that says who they
// are. Who rules that machine could otherwise see where a colleague is signed in, and sign them out there.
func (p principal) reaches(session string) bool {
	return p.session.Assurance != core.AssuranceMachine || session == p.session.ID
}

func sessionBody(t Tokens, u core.User) api.Session {
	return api.Session{
		AccessToken: t.Access.Reveal(), AccessExpires: t.AccessExpires.UTC(),
		RefreshToken: t.Refresh.Reveal(), RefreshExpires: t.RefreshExpires.UTC(),
		User: userBody(u),
	}
}

func userBody(u core.User) api.User {
	return api.User{ID: strconv.FormatInt(int64(u.ID), 10), Username: u.Username, DisplayName: u.DisplayName, Email: u.Email}
}
