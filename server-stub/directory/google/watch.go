package google

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http" //nolint:depguard // this directory is an HTTP API, also in hearing of changes
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// events are what can happen to users; each has a channel of its own. Source: Directory API, "users.watch".
var events = []string{"add", "delete", "update", "undelete", "makeAdmin"}

const (
	channelLife  = 6 * time.Hour    // the longest that Google gives
	retryRenewal = 5 * time.Minute  // between two tries to renew channels
	stopTimeout  = 10 * time.Second // for saying that a channel is not listened to any more
)

// HookPath is where Google reports changes, with the source's id behind it.
const HookPath = "/hooks/google/"

// channel is a notification channel that is open.
type channel struct {
	id       string
	token    secret.String
	resource string
	until    time.Time
	changed  func()
}

// Watch implements directory.Watcher: it keeps a channel open for each event, and renews them when half of their life is over. New
// ones are open before the old ones are closed. Without WatchURL nothing is heard, until ctx ends: the interval remains.
func (s *Source) Watch(ctx context.Context, changed func()) error {
	if s.cfg.WatchURL == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	open, err := s.listen(ctx, changed)
	defer func() { s.close(ctx, open) }()
	if err != nil {
		return s.unavailable(err)
	}
	s.logger.Info("watching", "channels", len(open))
	for {
		end := s.end(open)
		if err := s.wait(ctx, max(end.Sub(s.now())/2, time.Minute)); err != nil {
			return err
		}
		for {
			renewed, err := s.listen(ctx, changed)
			if err == nil {
				old := open
				open = renewed
				s.close(ctx, old)
				break
			}
			s.close(ctx, renewed)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !s.now().Add(retryRenewal).Before(end) {
				return s.unavailable(err)
			}
			s.logger.Warn("the channels could not be renewed; trying again", "error", err)
			if err := s.wait(ctx, retryRenewal); err != nil {
				return err
			}
		}
	}
}

// end is when the first of the channels ends.
func (s *Source) end(open []*channel) time.Time {
	end := s.now().Add(channelLife)
	for _, c := range open {
		if c.until.Before(end) {
			end = c.until
		}
	}
	return end
}

// listen opens a channel for each event. Also with an error it returns those that are open.
func (s *Source) listen(ctx context.Context, changed func()) ([]*channel, error) {
	se, err := s.open(maxTries, ScopeUsers)
	if err != nil {
		return nil, err
	}
	var open []*channel
	for _, event := range events {
		c := &channel{id: rand.Text(), token: secret.New(rand.Text() + rand.Text()), changed: changed}
		s.mu.Lock()
		s.channels[c.id] = c // before it is asked for: Google's first message may come before the answer
		s.mu.Unlock()
		if err := se.watch(ctx, event, c); err != nil {
			s.forget(c)
			return open, err
		}
		open = append(open, c)
	}
	return open, nil
}

func (s *Source) forget(c *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, c.id)
}

// address is where Google reports changes.
func (s *Source) address() string {
	return strings.TrimSuffix(s.cfg.WatchURL, "/") + HookPath + url.PathEscape(string(s.cfg.ID))
}

// watch opens one channel.
func (se *session) watch(ctx context.Context, event string, c *channel) error {
	var answer struct {
		ID         string `json:"id"`
		Resource   string `json:"resourceId"`
		Expiration string `json:"expiration"` // milliseconds since 1970
	}
	r := request{
		step: "watch for changes", method: http.MethodPost, path: "/admin/directory/v1/users/watch", query: url.Values{"customer": {se.s.cfg.Customer}, "event": {event}},
		body: map[string]any{
			"id": c.id, "type": "web_hook", "address": se.s.address(), "token": c.token.Reveal(), "payload": false,
			"params": map[string]string{"ttl": strconv.Itoa(int(channelLife.Seconds()))},
		},
		remedy: "check that watch_url is an https address of this server with a certificate that the public trusts; without watch_url the interval remains",
	}
	if err := se.call(ctx, r, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) }); err != nil {
		return err
	}
	if answer.ID != c.id || answer.Resource == "" {
		return &failure{step: r.step, err: errors.New("another channel was opened than the one asked for"), remedy: "the next synchronisation tries again"}
	}
	c.resource, c.until = answer.Resource, se.s.now().Add(time.Hour)
	if ms, err := strconv.ParseInt(answer.Expiration, 10, 64); err == nil && ms > 0 {
		c.until = time.UnixMilli(ms)
	}
	return nil
}

// close says that channels are not listened to any more. One that cannot be stopped ends by itself.
func (s *Source) close(ctx context.Context, open []*channel) {
	if len(open) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	se, err := s.open(1, ScopeUsers)
	for _, c := range open {
		s.forget(c)
		if err == nil {
			err = se.call(ctx, request{
				step: "stop watching", method: http.MethodPost, path: "/admin/directory_v1/channels/stop", body: map[string]string{"id": c.id, "resourceId": c.resource},
			}, nil)
		}
	}
	if err != nil {
		s.logger.Info("channels could not be stopped; they end by themselves", "error", err)
	}
}

// Hook takes Google's messages: POST HookPath and a source's id. find gives the source, nil where there is none. What comes
// without the id and the token of an open channel is answered as if there were nothing here.
func Hook(find func(core.SourceID) directory.Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+HookPath+"{id}", func(w http.ResponseWriter, r *http.Request) {
		s, ok := find(core.SourceID(r.PathValue("id"))).(*Source)
		if !ok {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		c := s.channels[r.Header.Get("X-Goog-Channel-Id")]
		s.mu.Unlock()
		if c == nil || !c.token.Equal(secret.New(r.Header.Get("X-Goog-Channel-Token"))) {
			http.NotFound(w, r)
			return
		}
		if state := r.Header.Get("X-Goog-Resource-State"); state != "sync" { // sync: the channel is open, and nothing changed
			s.logger.Debug("something changed", "state", fmt.Sprintf("%.20q", state))
			c.changed()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
