package microsoft

import (
	"crypto/tls"
	"io"
	"net/http"
	"time"
)

// maxAnswer is the most that is read of an answer, in bytes. Entra's have 2 to 20 KB.
const maxAnswer = 1 << 20

// requestTime is how long one request may take.
const requestTime = 30 * time.Second

// newHTTPClient asks Entra ID as the system is set up: its proxy, its certificates.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout: requestTime,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		},
	}
}

// bounded is an HTTP client that follows no redirect (codes and tokens stay with whom they are for) and reads no more of an
// answer than Entra ever sends.
type bounded struct{ inner *http.Client }

func bound(inner *http.Client) bounded {
	if inner == nil {
		inner = newHTTPClient()
	}
	own := *inner
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return bounded{&own}
}

// Do implements MSAL's HTTPClient.
func (b bounded) Do(req *http.Request) (*http.Response, error) {
	res, err := b.inner.Do(req)
	if err != nil {
		return nil, err
	}
	res.Body = limited{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}

// CloseIdleConnections implements MSAL's HTTPClient.
func (b bounded) CloseIdleConnections() { b.inner.CloseIdleConnections() }

type limited struct {
	io.Reader
	io.Closer
}
