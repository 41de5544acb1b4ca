// Package person goes through the emulator's pages as a person with a browser does, but by plain HTTP: it fills in the
// forms, keeps the cookies and lets the last page post to the app. For tests where no browser is needed.
package person

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Person is somebody at a browser. The zero value of a field is what nobody types.
type Person struct {
	UPN         string
	Password    string
	NewPassword string // where one is due
	Code        string // of the MFA page
	DeviceCode  string // of the page that asks for a device's
	Approve     bool   // approves on the MFA page instead
	Other       bool   // takes another account than the one in the account picker
	CancelAt    string // the page where they give up: "account", "password", "mfa", "consent" ...
	StopAt      string // the page where they leave; Visit returns ErrStopped
	BeforePost  func() // called before the last page posts to the app
	// Seen are the pages so far, by kind.
	Seen []string

	client *http.Client
}

// ErrStopped says that the person left at StopAt, or that no page told where to go on.
var ErrStopped = errors.New("the person left")

// Page is where a person has arrived.
type Page struct {
	URL     *url.URL
	Status  int
	Kind    string // of the emulator's pages; empty elsewhere
	Text    string // everything to read
	Problem string // what the page says is wrong

	form *form
}

type form struct {
	action string
	fields url.Values
}

// Use makes the person use this client, whose redirects and cookies are then its own matter. The person gets a cookie
// jar, and goes on with it from visit to visit.
func (p *Person) Use(client *http.Client) *Person {
	jar, _ := cookiejar.New(nil) // never fails without options
	p.client = &http.Client{Transport: client.Transport, Jar: jar}
	return p
}

// maxPages is more than any way has.
const maxPages = 20

// Visit opens an address and goes through the pages until one asks nothing: the app's, or one that says what is wrong.
func (p *Person) Visit(ctx context.Context, address string) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Page{}, err
	}
	here, err := p.load(req)
	for n := 0; err == nil && here.form != nil && n < maxPages; n++ {
		if here.Kind == p.StopAt && p.StopAt != "" {
			return here, fmt.Errorf("%w at the page %s", ErrStopped, here.Kind)
		}
		if here.Kind == "post" && p.BeforePost != nil {
			p.BeforePost()
		}
		before := here
		var values url.Values
		values, err = p.fill(here)
		if err != nil {
			return here, err
		}
		target, parseErr := before.URL.Parse(before.form.action)
		if parseErr != nil {
			return here, parseErr
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
		if err != nil {
			return here, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", before.URL.Scheme+"://"+before.URL.Host)
		here, err = p.load(req)
		if err == nil && here.Kind == before.Kind && here.Problem != "" {
			return here, nil // typed wrongly: the person does not try again by themselves
		}
	}
	return here, err
}

// fill answers a page's form.
func (p *Person) fill(at Page) (url.Values, error) {
	values := url.Values{}
	for name, v := range at.form.fields {
		values[name] = v
	}
	if at.Kind == p.CancelAt && p.CancelAt != "" {
		values.Set("cancel", "1")
		return values, nil
	}
	answers := map[string]map[string]string{
		"account":  {"loginfmt": p.UPN},
		"password": {"passwd": p.Password},
		"change":   {"oldpasswd": p.Password, "newpasswd": p.NewPassword, "confirmpasswd": p.NewPassword},
		"mfa":      {"otc": p.Code},
		"device":   {"otc": p.DeviceCode},
		"pick":     {}, "register": {}, "consent": {}, "post": {},
	}
	typed, ok := answers[at.Kind]
	if !ok {
		return nil, fmt.Errorf("%w: nobody knows what to do on the page %q", ErrStopped, at.Kind)
	}
	for name, value := range typed {
		values.Set(name, value)
	}
	if at.Kind == "pick" && p.Other {
		values.Set("other", "1")
	}
	if at.Kind == "mfa" && p.Approve {
		values.Set("approve", "1")
	}
	return values, nil
}

func (p *Person) load(req *http.Request) (Page, error) {
	if p.client == nil {
		return Page{}, errors.New("the person has no browser: call Use")
	}
	res, err := p.client.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return Page{}, err
	}
	at := Page{URL: res.Request.URL, Status: res.StatusCode}
	root, err := html.Parse(strings.NewReader(string(raw)))
	if err != nil {
		return at, err
	}
	var text strings.Builder
	at.read(root, &text)
	at.Text = strings.Join(strings.Fields(text.String()), " ")
	if at.Kind == "" {
		at.form = nil // only the emulator's own pages are filled in
	} else {
		p.Seen = append(p.Seen, at.Kind)
	}
	return at, nil
}

// read collects what a page has.
func (at *Page) read(n *html.Node, text *strings.Builder) {
	if n.Type == html.TextNode {
		text.WriteString(n.Data + " ")
	}
	if n.Type == html.ElementNode {
		switch n.Data {
		case "style", "script", "noscript":
			return
		case "main":
			at.Kind = attr(n, "data-page")
		case "form":
			at.form = &form{action: attr(n, "action"), fields: url.Values{}}
		case "input":
			if at.form != nil && attr(n, "type") == "hidden" {
				at.form.fields.Set(attr(n, "name"), attr(n, "value"))
			}
		}
		if attr(n, "id") == "problem" && n.FirstChild != nil {
			at.Problem = n.FirstChild.Data
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		at.read(c, text)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
