package scimclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

// Style is whose requests are sent.
type Style string

// The styles.
const (
	Entra       Style = "entra"
	EntraStrict Style = "entra-strict" // with ?aadOptscim062020 behind the Tenant URL
	Okta        Style = "okta"
)

// Options say where to send and how.
type Options struct {
	URL   string // the Tenant URL
	Token secret.String
	HTTP  *http.Client // http.DefaultClient if nil
	Style Style        // Entra if empty
	Match string       // the attribute that people are found by; userName if empty
}

// Client provisions one application. It is not safe for concurrent use.
type Client struct {
	o      Options
	people map[string]known // by the provider's id
	groups map[string]knownGroup
	count  int
}

type known struct {
	id     string // the application's
	person Person
	active bool
	boss   string // the application's id of the manager that was sent
}

type knownGroup struct {
	id    string
	group Group
}

// New makes a client that has provisioned nobody yet.
func New(o Options) *Client {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Style == "" {
		o.Style = Entra
	}
	if o.Match == "" {
		o.Match = "userName"
	}
	return &Client{o: o, people: map[string]known{}, groups: map[string]knownGroup{}}
}

// Requests is how many requests were sent.
func (c *Client) Requests() int { return c.count }

// ID is the application's id of a person or group, "" for one it has not.
func (c *Client) ID(id string) string {
	if k, ok := c.people[id]; ok {
		return k.id
	}
	return c.groups[id].id
}

// Status is an answer that is no success.
type Status struct {
	Code   int
	Detail string
	Retry  string // Retry-After
}

func (s *Status) Error() string { return fmt.Sprintf("HTTP %d: %s", s.Code, s.Detail) }

// answer is what a request brought.
type answer struct {
	ID        string
	Total     int `json:"totalResults"`
	Resources []struct{ ID string }
	Detail    string
	Raw       map[string]any `json:"-"`
}

// Do sends one request below the Tenant URL. body may be nil. It returns the JSON of the answer.
func (c *Client) Do(ctx context.Context, method, path string, body any) (map[string]any, error) {
	a, err := c.do(ctx, method, path, body)
	return a.Raw, err
}

func (c *Client) do(ctx context.Context, method, path string, body any) (answer, error) {
	c.count++
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, fmt.Errorf("write a request: %w", err)
		}
		in = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.address(path), in)
	if err != nil {
		return answer{}, fmt.Errorf("make a request: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.o.Token.Reveal())
	r.Header.Set("Accept", "application/scim+json")
	if body != nil {
		r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	resp, err := c.o.HTTP.Do(r)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	var a answer
	if len(data) > 0 {
		if err := errors.Join(json.Unmarshal(data, &a), json.Unmarshal(data, &a.Raw)); err != nil {
			return answer{}, fmt.Errorf("%s %s: HTTP %d is no JSON: %w", method, path, resp.StatusCode, err)
		}
	}
	if resp.StatusCode/100 != 2 {
		return a, &Status{resp.StatusCode, a.Detail, resp.Header.Get("Retry-After")}
	}
	return a, nil
}

// address puts a path between the Tenant URL and its query.
func (c *Client) address(path string) string {
	base, query, _ := strings.Cut(c.o.URL, "?")
	path, own, _ := strings.Cut(path, "?")
	var all []string
	for _, q := range []string{query, own} {
		if q != "" {
			all = append(all, q)
		}
	}
	if c.o.Style == EntraStrict && query == "" {
		all = append([]string{"aadOptscim062020"}, all...)
	}
	out := strings.TrimSuffix(base, "/") + path
	if len(all) > 0 {
		out += "?" + strings.Join(all, "&")
	}
	return out
}

// Test is "Test Connection": Entra looks for somebody who does not exist and wants an empty list; Okta lists a page.
func (c *Client) Test(ctx context.Context) error {
	if c.o.Style == Okta {
		_, err := c.do(ctx, http.MethodGet, "/Users?startIndex=1&count=2", nil)
		return err
	}
	a, err := c.do(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "1d3e2c1a-6e1b-4c8d-9d5b-0f1f2a3b4c5d"`), nil)
	if err == nil && a.Total != 0 {
		return fmt.Errorf("%d people were found for a name that nobody has", a.Total)
	}
	return err
}

// find looks for a resource by an attribute.
func (c *Client) find(ctx context.Context, endpoint, attribute, value, more string) (string, error) {
	a, err := c.do(ctx, http.MethodGet, endpoint+"?filter="+url.QueryEscape(attribute+" eq "+quote(value))+more, nil)
	switch {
	case err != nil:
		return "", err
	case len(a.Resources) > 1:
		return "", fmt.Errorf("%d resources have the %s %s", len(a.Resources), attribute, value)
	case len(a.Resources) == 0:
		return "", nil
	}
	return a.Resources[0].ID, nil
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
