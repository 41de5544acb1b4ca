package inbound

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meters count requests. All listeners share one. Labels are routes and codes, never people, addresses or names.
type Meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
}

// NewMeters makes the meters and registers them. It panics when reg has them already, which is a mistake of the assembly.
func NewMeters(reg prometheus.Registerer) *Meters {
	m := &Meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "platen_http_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "platen_http_request_seconds", Help: "Time to answer by route; of event streams, to open them.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10},
		}, []string{"route"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "platen_http_panics_total", Help: "Handlers that panicked: each is a fault of the server."}),
	}
	reg.MustRegister(m.requests, m.seconds, m.panics)
	return m
}

func (m *Meters) request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
