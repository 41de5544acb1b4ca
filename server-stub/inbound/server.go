package inbound

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"
)

// MaxHeaderBytes is how long the head of a request may be.
const MaxHeaderBytes = 16 << 10

// Server returns the HTTP server of a handler, with limits against slow and greedy clients (R-SLOW-1). Its listener should be
// one of Guard.
func Server(h http.Handler, tlsConfig *tls.Config, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      h,
		TLSConfig:                    tlsConfig,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 30 * time.Second, // event streams set their own
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               MaxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ConnContext:                  withConnection,
	}
}
