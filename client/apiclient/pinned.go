package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/platenprint/platen/internal/api"
)

// errFetched ends the unverified handshake once its certificates are seen.
var errFetched = errors.New("certificates seen")

// pinError says that the server's certificate authority is not the pinned one.
type pinError struct{ shown []*x509.Certificate }

func (e *pinError) Error() string {
	var text string
	for _, cert := range e.shown {
		if cert.IsCA {
			text += " " + api.PinOf(cert).String()
		}
	}
	if text == "" {
		return "the server shows no certificate authority with its certificate, so that CAPin cannot be compared"
	}
	return "the server's certificate authority does not have the pin of CAPin; it has" + text
}

// fetchPinned returns the server's certificate authority that has one of the pins.
//
// It is the only function that opens a connection without checking the certificate, and the only exception to R-TLS-1: it
// has to see the certificate authority that it is going to believe. The handshake is broken off as soon as the certificates
// are there, so nothing is ever sent or read on that connection, not even the request line. What it returns has the right
// key (SHA-256 of the SubjectPublicKeyInfo, RFC 7469 section 2.4); whether the server may speak for that authority is checked
// by the normal verification of the connection that the caller opens next.
//
// transport makes the connection, through a proxy where there is one; it is used up.
func fetchPinned(ctx context.Context, transport *http.Transport, server url.URL, pins []api.Pin) (*x509.Certificate, error) {
	var shown []*x509.Certificate
	transport.TLSClientConfig.InsecureSkipVerify = true // see above
	transport.TLSClientConfig.VerifyConnection = func(state tls.ConnectionState) error {
		shown = state.PeerCertificates
		return errFetched
	}
	transport.DisableKeepAlives = true
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, server.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err == nil { // cannot be: VerifyConnection always fails
		_ = response.Body.Close()
		return nil, errors.New("fetch the certificate authority: the handshake was not broken off")
	}
	if !errors.Is(err, errFetched) {
		return nil, err
	}
	for _, cert := range shown {
		if cert.BasicConstraintsValid && cert.IsCA && slices.Contains(pins, api.PinOf(cert)) {
			return cert, nil
		}
	}
	return nil, &pinError{shown}
}
