package view

import (
	"strconv"
	"strings"
	"time"
)

// Lookup gives the text with a key, placeholders filled from pairs of name and value. assets.Texts.Text is one.
type Lookup func(key string, args ...string) string

// Locale is how one person reads: words, numbers, dates. Safe for concurrent use when its Lookup is.
type Locale struct {
	text   Lookup
	money  moneyFormat
	zone   *time.Location
	months []string
}

// NewLocale returns the locale with a name such as "de_CH.UTF-8" or "fr"; text must give the words of its language. Times
// are shown in zone.
func NewLocale(name string, text Lookup, zone *time.Location) Locale {
	return Locale{text: text, money: moneyFormatOf(name), zone: zone, months: strings.Fields(text("date.months"))}
}

// Text gives a text by its key, for labels that need nothing else.
func (l Locale) Text(key string, args ...string) string { return l.text(key, args...) }

// clock writes the time of day. All four languages get 24 hours: it is short, and never wrong by half a day.
func (l Locale) clock(t time.Time) string { return t.In(l.zone).Format("15:04") }

// day writes the date of t, with the year when it is not that of now.
func (l Locale) day(t, now time.Time) string {
	t, now = t.In(l.zone), now.In(l.zone)
	month := strconv.Itoa(int(t.Month()))
	if len(l.months) == 12 {
		month = l.months[t.Month()-1]
	}
	args := []string{"day", strconv.Itoa(t.Day()), "month", month, "year", strconv.Itoa(t.Year())}
	if t.Year() != now.Year() {
		return l.text("date.day_month_year", args...)
	}
	return l.text("date.day_month", args...)
}

// age writes when t was, seen from now: "today 09:10", "yesterday 09:10", "19 Nov, 09:10".
func (l Locale) age(t, now time.Time) string {
	at := l.clock(t)
	switch daysBetween(t.In(l.zone), now.In(l.zone)) {
	case 0:
		return l.text("age.today", "time", at)
	case 1:
		return l.text("age.yesterday", "time", at)
	default:
		return l.text("age.date", "date", l.day(t, now), "time", at)
	}
}

// daysBetween counts calendar days, so that it is right on days of 23 and 25 hours.
func daysBetween(t, now time.Time) int {
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(midnight(now).Sub(midnight(t)).Hours() / 24)
}
