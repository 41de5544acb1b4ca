package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// audiences are the names of Graph as the one whom a token is for.
var audiences = []string{"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"}

// keyring has the keys of the authority.
type keyring struct {
	authority string
	client    *http.Client

	mu   sync.Mutex
	keys jose.JSONWebKeySet
}

// fetch asks for the keys anew.
func (k *keyring) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.authority+"/discovery/v2.0/keys", http.NoBody)
	if err != nil {
		return err
	}
	res, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, &k.keys)
}

// key finds the key that signed a token.
func (k *keyring) key(ctx context.Context, id string) (any, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys.Key(id)) == 0 {
		if err := k.fetch(ctx); err != nil {
			return nil, fmt.Errorf("fetch the keys of the authority: %w", err)
		}
	}
	found := k.keys.Key(id)
	if len(found) == 0 {
		return nil, fmt.Errorf("no key %q", id)
	}
	return found[0].Key, nil
}

// authorise checks the bearer token and the permission.
func (e *Emulator) authorise(r *http.Request, permission string) error {
	refused := func(format string, args ...any) error {
		return &refusal{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: fmt.Sprintf(format, args...)}
	}
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return refused("Access token is empty.")
	}
	signed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Headers) != 1 {
		return refused("CompactToken parsing failed with error code: 80049217")
	}
	key, err := e.keys.key(r.Context(), signed.Headers[0].KeyID)
	if err != nil {
		return refused("Signature is invalid: %v.", err)
	}
	var claims struct {
		jwt.Claims
		Tenant string   `json:"tid"`
		Type   string   `json:"idtyp"`
		Roles  []string `json:"roles"`
	}
	if err := signed.Claims(key, &claims); err != nil {
		return refused("Signature is invalid.")
	}
	e.mu.Lock()
	permissions := e.granted
	e.mu.Unlock()
	if permissions == nil {
		permissions = claims.Roles
	}
	switch {
	case !slices.ContainsFunc(claims.Audience, func(a string) bool { return slices.Contains(audiences, strings.TrimSuffix(a, "/")) }):
		return refused("Invalid audience.")
	case claims.Expiry == nil || e.opts.Clock().Add(-5*time.Minute).After(claims.Expiry.Time()):
		return refused("Lifetime validation failed, the token is expired.")
	case !strings.HasSuffix(e.opts.Authority, "/"+claims.Tenant):
		return refused("Invalid tenant.")
	case claims.Type != "app":
		return refused("The emulator knows tokens of applications only.")
	case !slices.Contains(permissions, permission) && !slices.Contains(permissions, permissionDirectory):
		return &refusal{
			status: http.StatusForbidden, code: "Authorization_RequestDenied",
			message: "Insufficient privileges to complete the operation. (The emulator says which: " + permission + ".)",
		}
	}
	return nil
}
