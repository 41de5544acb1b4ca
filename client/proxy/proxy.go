// Package proxy finds the proxy for the way to the server: the setting Proxy, then the environment (HTTPS_PROXY, NO_PROXY,
// as curl and Go read them), then the system's settings, then none. Every choice knows where it comes from.
//
// The system's settings are read on Windows only: the person's settings, a PAC file, and WPAD, all through WinHTTP. macOS and
// Linux desktops: the environment only. Proxies that want a sign-in work with a name and password in HTTPS_PROXY (Basic);
// NTLM and Kerberos sign-in to a proxy does not exist here. A proxy that is itself
// spoken to over TLS (https://) has to have a certificate that the client believes as it does the server's.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/platenprint/platen/internal/clock"
)

// Choice is a proxy, or the decision to use none, with its reason.
type Choice struct {
	URL    *url.URL // nil: a direct connection. It may hold a password: print the Choice, not the URL
	Origin string   // "environment HTTPS_PROXY", "Windows settings", "default" ...
}

// String says what was chosen and why, without name and password.
func (c Choice) String() string {
	if c.URL == nil {
		return fmt.Sprintf("direct (%s)", c.Origin)
	}
	return fmt.Sprintf("%s://%s (%s)", c.URL.Scheme, c.URL.Host, c.Origin)
}

// System knows the system's own proxy settings.
type System interface {
	// Find returns the proxy of an address. It may take long (WPAD asks the network) and must end with ctx. An error means
	// that the settings could not be read; the connection is then direct.
	Find(ctx context.Context, target *url.URL) (Choice, error)
}

// Options is what New needs.
type Options struct {
	Setting string            // "": look around; "direct"; or http://HOST:PORT (checked by client/config)
	Origin  string            // where Setting comes from
	Env     map[string]string // the environment
	System  System            // nil: the system has no settings we read
	Clock   clock.Clock
}

// keepFor is how long the system's answer is used again: people carry computers from network to network.
const keepFor = 2 * time.Minute

// Finder finds proxies. It is safe for concurrent use.
type Finder struct {
	opts   Options
	env    func(*url.URL) (*url.URL, error) // nil: the environment names no proxy
	envBad bool                             // what it names is no address

	mu   sync.Mutex        // held while the system is asked, so that it is asked once; protects kept
	kept map[string]answer // by scheme and host
}

type answer struct {
	choice Choice
	until  time.Time
}

// New makes a Finder.
func New(opts Options) *Finder {
	get := func(upper, lower string) string {
		if text := opts.Env[upper]; text != "" {
			return text
		}
		return opts.Env[lower]
	}
	config := httpproxy.Config{HTTPSProxy: get("HTTPS_PROXY", "https_proxy"), NoProxy: get("NO_PROXY", "no_proxy")}
	f := &Finder{opts: opts, kept: map[string]answer{}}
	if config.HTTPSProxy != "" {
		f.env = config.ProxyFunc()
		f.envBad = !usable(config.HTTPSProxy)
	}
	return f
}

// usable tells whether httpproxy can read a proxy's address. What it cannot read it ignores in silence, and a connection
// past the proxy that an administrator wanted is not what we do.
func usable(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		u, err = url.Parse("http://" + text)
	}
	return err == nil && u.Hostname() != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}

// Find returns the proxy for an https address. Its error names the source that holds something of no use, never the value,
// which may have a password in it.
func (f *Finder) Find(ctx context.Context, target *url.URL) (Choice, error) {
	if f.opts.Setting != "" {
		return f.setting()
	}
	if f.env != nil {
		return f.environment(target)
	}
	if f.opts.System == nil {
		return Choice{Origin: "default"}, nil
	}
	return f.system(ctx, target), nil
}

// Func is Find in the form that http.Transport takes.
func (f *Finder) Func() func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		choice, err := f.Find(r.Context(), r.URL)
		return choice.URL, err
	}
}

func (f *Finder) setting() (Choice, error) {
	origin := "setting Proxy, " + f.opts.Origin
	if f.opts.Setting == "direct" {
		return Choice{Origin: origin}, nil
	}
	proxy, err := url.Parse(f.opts.Setting)
	if err != nil || proxy.Host == "" {
		return Choice{Origin: origin}, fmt.Errorf("%s: not an address of a proxy", origin)
	}
	return Choice{URL: proxy, Origin: origin}, nil
}

func (f *Finder) environment(target *url.URL) (Choice, error) {
	const origin = "environment HTTPS_PROXY"
	proxy, err := f.env(target)
	switch {
	case err != nil || f.envBad:
		return Choice{Origin: origin}, errors.New(origin + ": not an address of a proxy; write http://HOST:PORT")
	case proxy == nil:
		return Choice{Origin: "environment NO_PROXY, or this computer itself"}, nil
	default:
		return Choice{URL: proxy, Origin: origin}, nil
	}
}

// system asks the system and remembers the answer. While it is asked, others wait: they need the same answer.
func (f *Finder) system(ctx context.Context, target *url.URL) Choice {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := target.Scheme + "://" + target.Host
	now := f.opts.Clock()
	if known, ok := f.kept[key]; ok && now.Before(known.until) {
		return known.choice
	}
	choice, err := f.opts.System.Find(ctx, target)
	if err != nil {
		choice = Choice{Origin: fmt.Sprintf("default, because the system's settings could not be read: %v", err)}
	}
	if ctx.Err() == nil { // an answer cut short is not worth keeping
		f.kept[key] = answer{choice, now.Add(keepFor)}
	}
	return choice
}
