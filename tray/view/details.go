package view

import (
	"math"
	"strconv"
	"time"

	"github.com/platenprint/platen/client/status"
)

// Row is a line of the statement.
type Row struct {
	When    string
	What    string // kind, and the note where there is one
	Amount  string // with its sign
	Balance string
	In      bool // money came in
}

// Chart is the balance of the last days, ready to be drawn: X and Y of a point run from 0 (left, bottom) to 1 (right, top).
type Chart struct {
	Points   []ChartPoint
	Zero     float64 // height of the zero line, when it lies inside
	HasZero  bool
	Top      string // amount at the top
	Bottom   string // amount at the bottom, "" where that is nothing
	FirstDay string
	LastDay  string
}

// ChartPoint is one day.
type ChartPoint struct{ X, Y float64 }

// Details is the model of the details page.
type Details struct {
	Transactions string // heading
	Rows         []Row
	NoRows       string // said instead of rows
	ChartTitle   string
	Chart        Chart
	NoChart      string // said instead of the chart
	Problem      string // why something is missing
}

// DetailsOf says what the details page shows; d is nil while it is being fetched.
func DetailsOf(s status.Snapshot, d *status.Details, l Locale, now time.Time) Details {
	m := Details{
		Transactions: l.text("details.transactions"), ChartTitle: l.text("details.chart"),
	}
	if s.HideBalance {
		m.NoRows = l.text("state.hidden")
		m.ChartTitle = ""
		return m
	}
	if d == nil {
		m.NoRows = l.text("details.loading")
		return m
	}
	m.Problem = l.sentence(d.Problem, s)
	currency := ""
	if s.Balance != nil {
		currency = s.Balance.Currency
	}
	for _, t := range d.Transactions {
		m.Rows = append(m.Rows, l.row(t, currency, now))
	}
	if len(m.Rows) == 0 && m.Problem == "" {
		m.NoRows = l.text("details.none")
	}
	m.Chart = l.chart(d.History, currency, now)
	if len(m.Chart.Points) == 0 && m.Problem == "" {
		m.NoChart = l.text("details.no_chart")
	}
	return m
}

func (l Locale) row(t status.Transaction, currency string, now time.Time) Row {
	what := l.text("kind.other")
	switch t.Kind {
	case "credit", "debit", "charge", "refund":
		what = l.text("kind." + t.Kind)
	}
	if t.Note != "" {
		what += " · " + t.Note
	}
	amount, err := strconv.ParseFloat(t.Amount, 64)
	return Row{
		When: l.age(t.At, now), What: what, In: err == nil && amount > 0,
		Amount:  l.change(status.Money{Amount: t.Amount, Currency: currency}),
		Balance: l.amount(status.Money{Amount: t.Balance, Currency: currency}),
	}
}

// chart scales the days. Floating point is right here: it is only drawn; every amount that is read comes from the text.
func (l Locale) chart(history []status.Point, currency string, now time.Time) Chart {
	if len(history) < 2 {
		return Chart{}
	}
	days := make([]time.Time, len(history))
	values := make([]float64, len(history))
	low, high := 0, 0
	for i, p := range history {
		day, err := time.ParseInLocation(time.DateOnly, p.Date, l.zone)
		if err != nil {
			return Chart{}
		}
		value, err := strconv.ParseFloat(p.Amount, 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return Chart{}
		}
		days[i], values[i] = day, value
		if value < values[low] {
			low = i
		}
		if value > values[high] {
			high = i
		}
	}
	c := Chart{
		Top:      l.amount(status.Money{Amount: history[high].Amount, Currency: currency}),
		FirstDay: l.day(days[0], now), LastDay: l.day(days[len(days)-1], now),
	}
	bottom, top := min(values[low], 0), max(values[high], 0) // from nothing, so that heights can be compared
	if bottom < 0 {
		c.Bottom = l.amount(status.Money{Amount: history[low].Amount, Currency: currency})
		c.Zero, c.HasZero = -bottom/(top-bottom), true
	}
	span := max(top-bottom, 0.01)
	start, length := days[0], days[len(days)-1].Sub(days[0])
	for i, value := range values {
		x := float64(i) / float64(len(values)-1)
		if length > 0 {
			x = float64(days[i].Sub(start)) / float64(length)
		}
		c.Points = append(c.Points, ChartPoint{X: x, Y: (value - bottom) / span})
	}
	return c
}
