package view

import (
	"testing"
	"time"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
)

func locale(t *testing.T, name string) Locale {
	t.Helper()
	texts, err := assets.LoadTexts(name)
	if err != nil {
		t.Fatal(err)
	}
	return NewLocale(name, texts.Text, time.FixedZone("CET", 3600))
}

func TestAmountsAreWrittenAsTheLocaleWritesThem(t *testing.T) {
	for _, tc := range []struct{ locale, amount, currency, want string }{
		{"en_GB.UTF-8", "12.34", "EUR", "€12.34"},
		{"de_DE.UTF-8", "12.34", "EUR", "12,34\u00a0€"},
		{"fr_FR.UTF-8", "12.34", "EUR", "12,34\u00a0€"},
		{"es_ES.UTF-8", "12.34", "EUR", "12,34\u00a0€"},
		{"C", "12.34", "EUR", "€12.34"},
		{"en", "-5", "EUR", "−€5.00"},
		{"de", "-5", "EUR", "−5,00\u00a0€"},
		{"en", "0.8", "GBP", "£0.80"},
		{"en", "0.00", "USD", "$0.00"},
		{"en", "1234567.5", "USD", "$1,234,567.50"},
		{"de", "1234567.5", "EUR", "1.234.567,50\u00a0€"},
		{"fr", "1234.5", "EUR", "1\u00a0234,50\u00a0€"},
		{"es", "1234.5", "EUR", "1234,50\u00a0€"},
		{"es", "12345", "EUR", "12.345,00\u00a0€"},
		{"es_MX", "12345", "MXN", "MXN\u00a012,345.00"},
		{"de_CH", "1234.5", "CHF", "CHF\u00a01’234.50"},
		{"de-AT", "12.34", "EUR", "€\u00a012,34"},
		{"en", "12.34", "CHF", "CHF\u00a012.34"},
		{"en", "12.34", "SEK", "kr\u00a012.34"},
		{"de", "12.34", "PLN", "12,34\u00a0zł"},
		{"en", "1200", "JPY", "¥1,200"},
		{"en", "0.0525", "EUR", "€0.0525"}, // never rounded
		{"en", "0.0500", "EUR", "€0.05"},
		{"en", "007.5", "EUR", "€7.50"},
		{"en", "5", "", "5.00"},
		{"en", "lots", "EUR", "lots\u00a0EUR"},
		{"en", "1e3", "EUR", "1e3\u00a0EUR"},
	} {
		if got := locale(t, tc.locale).amount(status.Money{Amount: tc.amount, Currency: tc.currency}); got != tc.want {
			t.Errorf("%s: %s %s is written %q, want %q", tc.locale, tc.amount, tc.currency, got, tc.want)
		}
	}
}

func TestChangesCarryTheirSign(t *testing.T) {
	for amount, want := range map[string]string{"10": "+€10.00", "-0.05": "−€0.05", "0.00": "€0.00"} {
		if got := locale(t, "en").change(status.Money{Amount: amount, Currency: "EUR"}); got != want {
			t.Errorf("%s is written %q, want %q", amount, got, want)
		}
	}
}

func TestAges(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	at := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h, m, 0, 0, time.UTC) }
	for _, tc := range []struct {
		locale string
		t      time.Time
		want   string
	}{
		{"en", at(21, 8, 10), "today 09:10"},
		{"en", at(20, 8, 10), "yesterday 09:10"},
		{"en", at(20, 23, 30), "today 00:30"}, // already today in Berlin
		{"en", at(3, 8, 10), "3 Nov, 09:10"},
		{"en", at(3, 8, 10).AddDate(-1, 0, 0), "3 Nov 2025, 09:10"},
		{"de", at(20, 8, 10), "gestern 09:10"},
		{"de", at(3, 8, 10), "3. Nov., 09:10"},
		{"fr", at(21, 8, 10), "aujourd’hui à 09:10"},
		{"fr", at(3, 8, 10), "3 nov. à 09:10"},
		{"es", at(3, 8, 10), "3 nov, 09:10"},
		{"en", at(22, 8, 10), "22 Nov, 09:10"}, // the clock was set back: the date, not "today"
	} {
		if got := locale(t, tc.locale).age(tc.t, now); got != tc.want {
			t.Errorf("%s: %v is %q, want %q", tc.locale, tc.t, got, tc.want)
		}
	}
}
