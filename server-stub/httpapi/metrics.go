package httpapi

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/platenprint/platen/server-stub/events"
)

// meters are this package's metrics. Labels are routes and codes, never people, addresses or names.
type meters struct {
	signIns *prometheus.CounterVec
	sent    prometheus.Counter
}

func newMeters(reg *prometheus.Registry, hub *events.Hub) *meters {
	m := &meters{
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "platen_sign_ins_total", Help: "Sign-ins by result."}, []string{"result"}),
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "platen_stream_events_total", Help: "Balances sent over event streams."}),
	}
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "platen_streams", Help: "Open event streams."}, func() float64 { return float64(hub.Count()) })
	reg.MustRegister(m.signIns, m.sent, streams)
	return m
}

func (m *meters) handler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
