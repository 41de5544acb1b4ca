package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/platenprint/platen/server-stub/events"
)

// meters are this package's metrics. Labels are routes and codes, never people, addresses or names.
type meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	signIns  *prometheus.CounterVec
	panics   prometheus.Counter
	sent     prometheus.Counter
}

func newMeters(reg *prometheus.Registry, hub *events.Hub) *meters {
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "platen_http_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "platen_http_request_seconds", Help: "Time to answer by route; of event streams, to open them.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10},
		}, []string{"route"}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "platen_sign_ins_total", Help: "Sign-ins by result."}, []string{"result"}),
		panics:  prometheus.NewCounter(prometheus.CounterOpts{Name: "platen_http_panics_total", Help: "Handlers that panicked: each is a fault of the server."}),
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "platen_stream_events_total", Help: "Balances sent over event streams."}),
	}
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "platen_streams", Help: "Open event streams."}, func() float64 { return float64(hub.Count()) })
	reg.MustRegister(m.requests, m.seconds, m.signIns, m.panics, m.sent, streams)
	return m
}

func (m *meters) request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (m *meters) handler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
