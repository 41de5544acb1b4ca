package google

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Events are what can be watched of users.
var Events = []string{"add", "delete", "update", "undelete", "makeAdmin"}

// maxTTL is the longest life of a channel, and usualTTL that of one that asks for none.
const (
	maxTTL   = 6 * time.Hour
	usualTTL = time.Hour
)

// channel is one notification channel.
type channel struct {
	id, resource, uri, address, token, event string

	until   time.Time
	payload bool
	number  int // of the last message
}

// Channel is a channel as tests see it.
type Channel struct {
	ID, Event, Address string
	Until              time.Time
}

// Channels lists the channels that are open, by event.
func (e *Emulator) Channels() []Channel {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []Channel
	for _, c := range e.channels {
		if c.until.After(e.opts.Clock()) {
			list = append(list, Channel{c.id, c.event, c.address, c.until})
		}
	}
	slices.SortFunc(list, func(a, b Channel) int { return strings.Compare(a.Event+a.ID, b.Event+b.ID) })
	return list
}

// watch opens a channel. Source: Directory API, "Push notifications", "users.watch".
func (e *Emulator) watch(r *http.Request) (object, error) {
	if err := known(r, "customer", "domain", "event", "projection", "viewType"); err != nil {
		return nil, err
	}
	var body struct {
		ID      string            `json:"id"`
		Type    string            `json:"type"`
		Address string            `json:"address"`
		Token   string            `json:"token"`
		Payload *bool             `json:"payload"`
		Params  map[string]string `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: "parseError", message: "Parse Error"}
	}
	ttl := usualTTL
	if text := body.Params["ttl"]; text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 {
			return nil, invalid("Invalid ttl value")
		}
		ttl = min(time.Duration(seconds)*time.Second, maxTTL)
	}
	event := r.URL.Query().Get("event")
	address, err := url.Parse(body.Address)
	e.mu.Lock()
	defer e.mu.Unlock()
	if id := r.URL.Query().Get("customer"); id != "" {
		if err := e.customer(id); err != nil {
			return nil, err
		}
	}
	switch {
	case !slices.Contains(Events, event):
		return nil, invalid("Invalid value for: %s is not a valid value", event)
	case body.ID == "" || len(body.ID) > 64:
		return nil, &refusal{status: http.StatusBadRequest, reason: "required", message: "entity.id is required"}
	case body.Type != "web_hook":
		return nil, &refusal{status: http.StatusBadRequest, reason: "channelTypeUnknown", message: "Unknown channel type"}
	case err != nil || address.Scheme != "https":
		return nil, &refusal{status: http.StatusBadRequest, domain: "push", reason: "webhookUrlNotHttps", message: "WebHook callback must be HTTPS: " + body.Address}
	case len(body.Token) > 256:
		return nil, invalid("Channel token is too long")
	case e.channels[body.ID] != nil:
		return nil, &refusal{status: http.StatusBadRequest, reason: "channelIdNotUnique", message: "Channel id not unique"}
	}
	c := &channel{
		id: body.ID, resource: GroupID("users of " + e.dir.Customer + event), uri: e.opts.PublicURL + "/admin/directory/v1/users?" + r.URL.RawQuery, address: body.Address,
		token: body.Token, event: event, until: e.opts.Clock().Add(ttl), payload: body.Payload == nil || *body.Payload,
	}
	e.channels[c.id] = c
	e.post(c, "sync", nil)
	return object{
		"kind": "api#channel", "id": c.id, "resourceId": c.resource, "resourceUri": c.uri, "token": c.token, "expiration": strconv.FormatInt(c.until.UnixMilli(), 10),
	}, nil
}

func (e *Emulator) stop(r *http.Request) (object, error) {
	var body struct {
		ID       string `json:"id"`
		Resource string `json:"resourceId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: "parseError", message: "Parse Error"}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.channels[body.ID]
	if c == nil || c.resource != body.Resource {
		return nil, &refusal{status: http.StatusNotFound, reason: "notFound", message: "Channel '" + body.ID + "' not found for project 'example-project'"}
	}
	delete(e.channels, c.id)
	return nil, nil //nolint:nilnil // 204: there is nothing to say
}

// notify tells the channels of an event. The lock is held.
func (e *Emulator) notify(event string, u User) {
	now := e.opts.Clock()
	for id, c := range e.channels {
		switch {
		case !c.until.After(now):
			delete(e.channels, id)
		case c.event == event:
			e.post(c, event, u)
		}
	}
}

// post sends one message, and no second time. The lock is held.
func (e *Emulator) post(c *channel, state string, u User) {
	c.number++
	var body []byte
	if u != nil && c.payload {
		body, _ = json.Marshal(object{"kind": "admin#directory#user", "id": u.ID(), "etag": u["etag"], "primaryEmail": u.Email()}) // texts
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		cancel()
		return
	}
	for name, value := range map[string]string{
		"X-Goog-Channel-ID": c.id, "X-Goog-Channel-Token": c.token, "X-Goog-Channel-Expiration": c.until.UTC().Format(http.TimeFormat), "X-Goog-Resource-ID": c.resource,
		"X-Goog-Resource-URI": c.uri, "X-Goog-Resource-State": state, "X-Goog-Message-Number": strconv.Itoa(c.number), "Content-Type": "application/json; charset=UTF-8",
	} {
		req.Header.Set(name, value)
	}
	e.posts.Go(func() {
		defer cancel()
		res, err := e.opts.Client.Do(req)
		if err != nil {
			e.opts.Log.Info("a notification was not delivered", "state", state, "error", err)
			return
		}
		_ = res.Body.Close()
		e.opts.Log.Info("notified", "state", state, "status", res.StatusCode)
	})
}
