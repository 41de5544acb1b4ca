package inbound

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// always answers everything with one handler.
type always struct{ http.HandlerFunc }

func (a always) Route(r *http.Request) (*http.Request, string, http.Handler) {
	return r, "GET /", a.HandlerFunc
}

func (always) Fail(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
}

func front(h http.HandlerFunc) *Front {
	return &Front{
		Router: always{h}, Headers: APIHeaders(), Meters: NewMeters(prometheus.NewRegistry()), Clock: time.Now,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// A browser that was told to use TLS only for localhost would do so for every port.
func TestLocalhostIsNotHeldToTLS(t *testing.T) {
	f := front(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for host, want := range map[string]bool{
		"print.example.org": true, "print.example.org:8443": true, "localhost.example.org": true, "10.0.0.1:8443": true, "": true,
		"localhost": false, "localhost:8444": false, "LOCALHOST.:8444": false, "platen.localhost:8444": false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security") != ""; got != want || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %v", host, w.Header())
		}
	}
}

func TestAPanicIsAnsweredUnlessTheAnswerHasBegun(t *testing.T) {
	for wrote, want := range map[bool]int{false: http.StatusInternalServerError, true: http.StatusTeapot} {
		w := httptest.NewRecorder()
		front(func(w http.ResponseWriter, _ *http.Request) {
			if wrote {
				w.WriteHeader(http.StatusTeapot)
			}
			panic("x")
		}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if w.Code != want {
			t.Errorf("wrote %v: %d", wrote, w.Code)
		}
	}
}
