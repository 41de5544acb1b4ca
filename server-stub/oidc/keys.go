package oidc

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
)

// The times of keys.
const (
	keysFresh    = time.Hour      // then they are read again, in the background
	keysLast     = 24 * time.Hour // then they are good for nothing
	keysInterval = time.Minute    // between two readings
)

// metadata is what of the discovery document is used (OpenID Connect Discovery 1.0 section 3).
type metadata struct {
	Issuer   string `json:"issuer"`
	JWKSURI  string `json:"jwks_uri"`
	AuthURL  string `json:"authorization_endpoint"`
	TokenURL string `json:"token_endpoint"`
}

// source reads a provider's documents.
type source struct {
	name   string // of the provider, for errors
	issuer string
	client *http.Client
	// sameHost wants the endpoints on the issuer's host, as Microsoft's are.
	sameHost bool
}

// discover reads the discovery document and checks that it is the issuer's own.
func (s source) discover(ctx context.Context) (metadata, error) {
	var m metadata
	address := strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration"
	if err := s.get(ctx, address, &m); err != nil {
		return metadata{}, err
	}
	if m.Issuer != s.issuer {
		return metadata{}, fmt.Errorf("%s: %s says that it is the issuer %q, the configuration says %q", s.name, address, clip(m.Issuer), s.issuer)
	}
	own, err := url.Parse(s.issuer)
	if err != nil {
		return metadata{}, err
	}
	for key, text := range map[string]string{"jwks_uri": m.JWKSURI, "authorization_endpoint": m.AuthURL, "token_endpoint": m.TokenURL} {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || s.sameHost && !strings.EqualFold(u.Host, own.Host) {
			return metadata{}, fmt.Errorf("%s: %s has a %s that cannot be right: %q", s.name, address, key, clip(text))
		}
	}
	return m, nil
}

// get reads a JSON document.
func (s source) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", s.name, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%s: read %s: %w", s.name, address, err)
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s answers %d", s.name, address, res.StatusCode)
	case json.Unmarshal(text, into) != nil:
		return fmt.Errorf("%s: %s is no JSON document of that kind", s.name, address)
	}
	return nil
}

// clip shows what came over the network in a log.
func clip(text string) string {
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return text
}

// keyring has a provider's public keys.
type keyring struct {
	source source
	now    clock.Clock
	logger *slog.Logger

	mu      sync.Mutex // guards the fields below
	keys    []jose.JSONWebKey
	meta    metadata
	read    time.Time     // when they were read
	tried   time.Time     // when they were last asked for
	reading chan struct{} // closed when the reading under way has ended, nil when there is none
	lastErr error
}

// find returns the key of a key id. Errors: core.ErrUnavailable when there are no keys to look among, errNoKey when the provider
// has no such key.
func (k *keyring) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	for range 2 {
		k.mu.Lock()
		now := k.now()
		age := now.Sub(k.read)
		good := !k.read.IsZero() && age < keysLast && age > -keysLast
		if good {
			if key, ok := lookUp(k.keys, id); ok {
				if age >= keysFresh || age < 0 {
					k.start(ctx, now)
				}
				k.mu.Unlock()
				return key, nil
			}
		}
		wait := k.start(ctx, now)
		err := k.lastErr
		k.mu.Unlock()
		switch {
		case wait == nil && good && err == nil:
			return jose.JSONWebKey{}, errNoKey
		case wait == nil:
			return jose.JSONWebKey{}, fmt.Errorf("%w: the keys of %s cannot be read: %w", core.ErrUnavailable, k.source.name, err)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return jose.JSONWebKey{}, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
		}
	}
	return jose.JSONWebKey{}, fmt.Errorf("%w: the keys of %s cannot be read", core.ErrUnavailable, k.source.name)
}

var errNoKey = errors.New("it is signed by a key that the identity provider does not publish")

func lookUp(keys []jose.JSONWebKey, id string) (jose.JSONWebKey, bool) {
	for _, key := range keys {
		if key.KeyID == id {
			return key, true
		}
	}
	return jose.JSONWebKey{}, false
}

// start begins a reading, unless there was one within the minute, and returns what to wait for; nil for nothing. mu is held.
func (k *keyring) start(ctx context.Context, now time.Time) chan struct{} {
	if k.reading != nil {
		return k.reading
	}
	if since := now.Sub(k.tried); !k.tried.IsZero() && since < keysInterval && since > -keysInterval {
		return nil
	}
	done := make(chan struct{})
	k.reading, k.tried = done, now
	go func() {
		// Who asked first may hang up; the others still want the keys.
		meta, keys, err := k.source.keys(context.WithoutCancel(ctx))
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.lastErr = err; err == nil {
			k.keys, k.meta, k.read = keys, meta, k.now()
		} else {
			k.logger.Warn("the keys of an identity provider cannot be read", "provider", k.source.name, "error", err, "keys_read_at", k.read)
		}
		k.reading = nil
		close(done)
	}()
	return done
}

// endpoints returns the provider's endpoints, as long as its keys are known.
func (k *keyring) endpoints(ctx context.Context) (metadata, error) {
	for range 2 {
		k.mu.Lock()
		now := k.now()
		age := now.Sub(k.read)
		if !k.read.IsZero() && age < keysLast && age > -keysLast {
			if age >= keysFresh {
				k.start(ctx, now)
			}
			m := k.meta
			k.mu.Unlock()
			return m, nil
		}
		wait := k.start(ctx, now)
		err := k.lastErr
		k.mu.Unlock()
		if wait == nil {
			return metadata{}, fmt.Errorf("%w: %s: %w", core.ErrUnavailable, k.source.name, err)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return metadata{}, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
		}
	}
	return metadata{}, fmt.Errorf("%w: %s has no keys", core.ErrUnavailable, k.source.name)
}

// keySet is RFC 7517, each key by itself: one of a kind that is not known must not hide the others.
type keySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// keys reads the discovery document and the keys it names.
func (s source) keys(ctx context.Context) (metadata, []jose.JSONWebKey, error) {
	m, err := s.discover(ctx)
	if err != nil {
		return metadata{}, nil, err
	}
	var set keySet
	if err := s.get(ctx, m.JWKSURI, &set); err != nil {
		return metadata{}, nil, err
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || key.KeyID == "" || !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		if public, ok := key.Key.(*rsa.PublicKey); ok && public.N.BitLen() < 2048 {
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return metadata{}, nil, fmt.Errorf("%s: %s has no key that could sign", s.name, m.JWKSURI)
	}
	return m, keys, nil
}

// Inspection is what a provider publishes about itself.
type Inspection struct {
	Issuer      string
	AuthURL     string
	TokenURL    string
	JWKSURI     string
	SigningKeys int
}

// Inspect reads a provider's documents once, for an administrator who wants to know whether they are right. microsoft wants all
// endpoints on the issuer's host.
func Inspect(ctx context.Context, issuer string, microsoft bool, client *http.Client) (Inspection, error) {
	m, keys, err := source{name: "the identity provider", issuer: issuer, client: client, sameHost: microsoft}.keys(ctx)
	return Inspection{Issuer: m.Issuer, AuthURL: m.AuthURL, TokenURL: m.TokenURL, JWKSURI: m.JWKSURI, SigningKeys: len(keys)}, err
}
