package view_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

func history(amounts ...string) []status.Point {
	var points []status.Point
	for i, amount := range amounts {
		day := now.AddDate(0, 0, i+1-len(amounts))
		points = append(points, status.Point{Date: day.Format(time.DateOnly), Amount: amount})
	}
	return points
}

func TestChartIsScaled(t *testing.T) {
	for _, tc := range []struct {
		name    string
		history []status.Point
		want    view.Chart
	}{
		{"no days", nil, view.Chart{}},
		{"one day", history("5"), view.Chart{}},
		{"up and down", history("5.00", "10.00", "0.00"), view.Chart{
			Points: []view.ChartPoint{{0, .5}, {.5, 1}, {1, 0}},
			Top:    "€10.00", FirstDay: "19 Nov", LastDay: "21 Nov",
		}},
		{"below zero", history("15", "-5"), view.Chart{
			Points: []view.ChartPoint{{0, 1}, {1, 0}}, Zero: .25, HasZero: true,
			Top: "€15.00", Bottom: "−€5.00", FirstDay: "20 Nov", LastDay: "21 Nov",
		}},
		{"flat", history("3", "3"), view.Chart{
			Points: []view.ChartPoint{{0, 1}, {1, 1}},
			Top:    "€3.00", FirstDay: "20 Nov", LastDay: "21 Nov",
		}},
		{"always nothing", history("0", "0.00"), view.Chart{
			Points: []view.ChartPoint{{0, 0}, {1, 0}},
			Top:    "€0.00", FirstDay: "20 Nov", LastDay: "21 Nov",
		}},
		{"always in debt", history("-4", "-2"), view.Chart{
			Points: []view.ChartPoint{{0, 0}, {1, .5}}, Zero: 1, HasZero: true,
			Top: "−€2.00", Bottom: "−€4.00", FirstDay: "20 Nov", LastDay: "21 Nov",
		}},
		{"a date that is none", []status.Point{{Date: "soon", Amount: "1"}, {Date: "2026-11-21", Amount: "1"}}, view.Chart{}},
		{"an amount that is none", history("1", "NaN"), view.Chart{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := view.DetailsOf(following, &status.Details{History: tc.history}, localeOf(t, "en"), now)
			if diff := cmp.Diff(tc.want, got.Chart); diff != "" {
				t.Errorf("chart (-want +got):\n%s", diff)
			}
			if shown := len(got.Chart.Points) > 0; shown == (got.NoChart != "") {
				t.Errorf("chart shown: %v, and said instead: %q", shown, got.NoChart)
			}
		})
	}
}

func TestStatement(t *testing.T) {
	d := &status.Details{Transactions: []status.Transaction{
		{At: now, Kind: "charge", Amount: "-0.05", Balance: "12.34", Note: "thesis.pdf, 1 page"},
		{At: yesterday, Kind: "credit", Amount: "10.00", Balance: "12.39"},
		{At: yesterday, Kind: "barter", Amount: "0", Balance: "2.39"},
	}}
	got := view.DetailsOf(following, d, localeOf(t, "de"), now)
	want := []view.Row{
		{When: "heute 10:30", What: "Druck · thesis.pdf, 1 page", Amount: "−0,05\u00a0€", Balance: "12,34\u00a0€"},
		{When: "gestern 09:10", What: "Gutschrift", Amount: "+10,00\u00a0€", Balance: "12,39\u00a0€", In: true},
		{When: "gestern 09:10", What: "Sonstiges", Amount: "0,00\u00a0€", Balance: "2,39\u00a0€"},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestStatementSaysWhyItIsEmpty(t *testing.T) {
	l := localeOf(t, "en")
	for name, tc := range map[string]struct {
		s             status.Snapshot
		d             *status.Details
		rows, problem string
	}{
		"being fetched":   {following, nil, "Loading…", ""},
		"nothing yet":     {following, &status.Details{}, "No transactions yet.", ""},
		"amounts hidden":  {with(following, hidden), &status.Details{}, "Your organisation doesn’t show balances here.", ""},
		"server is away":  {offline, &status.Details{Problem: &status.Problem{Code: status.ProblemUnreachable}}, "", "Can’t reach print.example.org. Connect to the network or VPN."},
		"only one is out": {following, &status.Details{Transactions: []status.Transaction{{At: now, Amount: "1", Balance: "1"}}}, "", ""},
	} {
		got := view.DetailsOf(tc.s, tc.d, l, now)
		if got.NoRows != tc.rows || got.Problem != tc.problem {
			t.Errorf("%s: said %q, problem %q; want %q, %q", name, got.NoRows, got.Problem, tc.rows, tc.problem)
		}
	}
}
