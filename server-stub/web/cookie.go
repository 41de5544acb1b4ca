package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

// The cookies. Cookies know no ports, so the two sites need names of their own.
const (
	cookieWeb     = "__Host-platen"
	cookieAdmin   = "__Host-platen-admin"
	cookieBrowser = "__Host-platen-browser" // tells the browser that began something from others
)

func (h *Handler) sessionCookie() string {
	if h.kind == core.SessionAdmin {
		return cookieAdmin
	}
	return cookieWeb
}

func (h *Handler) sessionToken(r *http.Request) secret.String { return cookie(r, h.sessionCookie()) }

// cookie returns a cookie's value; "" also when it was sent twice, as then somebody else may have set one.
func cookie(r *http.Request, name string) secret.String {
	list := r.CookiesNamed(name)
	if len(list) != 1 || len(list[0].Value) > 256 {
		return secret.String{}
	}
	return secret.New(list[0].Value)
}

// setCookie sets a cookie until the browser is closed, or removes it when the value is empty. SameSite is Lax and not Strict
// because the way back from an identity provider begins elsewhere; what changes something is guarded by its origin.
func setCookie(w http.ResponseWriter, name string, value secret.String) {
	c := &http.Cookie{Name: name, Value: value.Reveal(), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value.Empty() {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// random returns 256 random bits as text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

func sum(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// browser returns what tells this browser from others, and gives it that when it has none.
func browser(w http.ResponseWriter, r *http.Request) secret.String {
	if c := cookie(r, cookieBrowser); len(c.Reveal()) == 43 {
		return c
	}
	c := secret.New(random())
	setCookie(w, cookieBrowser, c)
	return c
}

// safeNext is a path of ours to go to after the sign-in, "" for anything else (R-REDIR-1). It has no query.
func safeNext(next string) string {
	if !nextForm.MatchString(next) || strings.HasPrefix(next, "/sign-") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || !inbound.Clean(&http.Request{URL: u}) {
		return ""
	}
	return u.Path
}

var (
	nextForm = regexp.MustCompile(`^/([^/\\].*)?$`)
	hostForm = regexp.MustCompile(`^([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?$`)
)

// origin is how the browser reaches the site, "" when what it says is no address.
func origin(r *http.Request) string {
	if !hostForm.MatchString(r.Host) {
		return ""
	}
	return "https://" + strings.ToLower(r.Host)
}

// redirectOrigin is what the addresses that providers send browsers back to begin with. They compare them as a whole with what
// they were told, so a false host leads nowhere.
func (h *Handler) redirectOrigin(r *http.Request) string {
	if h.PublicURL != nil && h.kind == core.SessionWeb {
		return "https://" + h.PublicURL.Host
	}
	return origin(r)
}

// agent is what a browser calls itself, cut short, for the list of sessions.
func agent(r *http.Request) string {
	ua := r.UserAgent()
	for _, known := range []struct{ sign, name string }{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"OPR/", "Opera"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(ua, known.sign) {
			for _, system := range []struct{ sign, name string }{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
				if strings.Contains(ua, system.sign) {
					return known.name + ", " + system.name
				}
			}
			return known.name
		}
	}
	return ""
}
