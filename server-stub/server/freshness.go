package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// freshness tells monitoring how old what is known of each directory is.
type freshness struct{ d *directories }

var _ prometheus.Collector = freshness{}

var (
	ageOfDirectory = prometheus.NewDesc("platen_directory_age_seconds",
		"How long ago the last good synchronisation of a directory began; -1 when there was none.", []string{"source"}, nil)
	failuresOfDirectory = prometheus.NewDesc("platen_directory_failures", "How many runs of a directory failed in a row.", []string{"source"}, nil)
	pausedDirectory     = prometheus.NewDesc("platen_directory_paused", "1 when a directory is not synchronised by the clock for now.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (freshness) Describe(out chan<- *prometheus.Desc) {
	out <- ageOfDirectory
	out <- failuresOfDirectory
	out <- pausedDirectory
}

// Collect implements prometheus.Collector.
func (f freshness) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, c := range f.d.all() {
		id := c.source.ID()
		var state core.SourceState
		err := f.d.db.View(ctx, func(tx store.Tx) (err error) {
			state, err = tx.SourceState(ctx, id)
			return err
		})
		if err != nil {
			out <- prometheus.NewInvalidMetric(ageOfDirectory, err)
			continue
		}
		age, paused := -1.0, 0.0
		if !state.LastSuccess.IsZero() {
			age = f.d.now().Sub(state.LastSuccess).Seconds()
		}
		if !state.PausedAt.IsZero() {
			paused = 1
		}
		out <- prometheus.MustNewConstMetric(ageOfDirectory, prometheus.GaugeValue, age, string(id))
		out <- prometheus.MustNewConstMetric(failuresOfDirectory, prometheus.GaugeValue, float64(state.Failures), string(id))
		out <- prometheus.MustNewConstMetric(pausedDirectory, prometheus.GaugeValue, paused, string(id))
	}
}
