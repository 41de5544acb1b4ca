package api

import "time"

// The paths of version 1. {id} is a path value.
const (
	PathClientConfig   = "/api/v1/client-config"      // GET, before sign-in
	PathSessions       = "/api/v1/sessions"           // POST SignIn -> Session
	PathSessionToken   = "/api/v1/sessions/token"     // POST TokenSignIn -> Session
	PathSessionCode    = "/api/v1/sessions/code"      // POST CodeSignIn -> Session
	PathSessionRefresh = "/api/v1/sessions/refresh"   // POST Refresh -> Session
	PathSessionCurrent = "/api/v1/sessions/current"   // DELETE: sign out
	PathMe             = "/api/v1/me"                 // GET -> Me
	PathMySessions     = "/api/v1/me/sessions"        // GET -> SessionList
	PathMySession      = "/api/v1/me/sessions/{id}"   // DELETE
	PathBalance        = "/api/v1/me/balance"         // GET -> Balance
	PathTransactions   = "/api/v1/me/transactions"    // GET ?limit=&before= -> TransactionList
	PathBalanceHistory = "/api/v1/me/balance-history" // GET ?days= -> BalanceHistory
	PathEvents         = "/api/v1/me/events"          // GET: text/event-stream
	PathCapabilities   = "/api/v1/capabilities"       // GET -> Capabilities, for administrators
	PathOpenAPI        = "/api/openapi.json"
	PathHealth         = "/healthz" // GET: the process runs
	PathReady          = "/readyz"  // GET: it can do its work
	PathMetrics        = "/metrics" // GET: Prometheus text
)

// Limits of the wire. Sizes are bytes.
const (
	MaxRequestBody      = 64 << 10
	MaxResponseBody     = 1 << 20
	MaxPassword         = 256
	MaxTransactions     = 200 // most lines of one page
	MaxHistoryDays      = 400
	DefaultTransactions = 20
	DefaultHistoryDays  = 30
)

// Manners of the event stream (WHATWG HTML, server-sent events).
const (
	// HeartbeatEvery is how often the server sends a comment line when nothing happens.
	HeartbeatEvery = 20 * time.Second
	// SilenceLimit is after how much silence a client takes the stream for dead or buffered and polls instead.
	SilenceLimit = 60 * time.Second
	// EventBalance carries a Balance; its id is the balance's version.
	EventBalance = "balance"
	// EventSignedOut says that the session has ended on the server; the stream closes after it.
	EventSignedOut = "signed-out"
	// HeaderLastEventID resumes: the version of the last balance the client has (no event is sent if it is still current).
	HeaderLastEventID = "Last-Event-ID"
)
