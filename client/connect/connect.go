// Package connect makes the connection to the server out of the settings: the one place where client/config,
// client/proxy and client/apiclient meet, for the resident and for the doctor.
package connect

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/platenprint/platen/client/apiclient"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/proxy"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
)

// New returns a client for the server of the settings. It connects to nothing yet. Errors as of apiclient.New.
func New(c config.Config, logger *slog.Logger, now clock.Clock) (*apiclient.Client, error) {
	return apiclient.New(apiclient.Options{
		ServerURL: c.ServerURL, CAFile: c.CAFile, CAPin: c.CAPin, Proxy: Proxies(c, now).Func(),
		UserAgent: fmt.Sprintf("platen/%s (%s)", buildinfo.Version, runtime.GOOS), Logger: logger, Clock: now,
	})
}

// webTime is how long one request of Web may take.
const webTime = 30 * time.Second

// Web returns a client for other places than the server (an identity provider): by the same way, but it believes the
// system's certificates. It connects to nothing yet.
func Web(c config.Config, now clock.Clock) *http.Client {
	return &http.Client{Timeout: webTime, Transport: &http.Transport{
		Proxy: Proxies(c, now).Func(), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, Time: now}, ForceAttemptHTTP2: true,
		MaxIdleConns: 2, IdleConnTimeout: webTime, TLSHandshakeTimeout: webTime,
	}}
}

// Proxies returns what finds the proxy: the setting, the environment, the system.
func Proxies(c config.Config, now clock.Clock) *proxy.Finder {
	return proxy.New(proxy.Options{
		Setting: c.Proxy, Origin: c.Origin("Proxy").String(), Env: Environment(os.Environ()), System: proxy.ThisSystem(), Clock: now,
	})
}

// Environment turns a list like os.Environ's into a map.
func Environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}
