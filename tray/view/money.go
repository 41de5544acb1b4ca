package view

import (
	"strings"

	"github.com/platenprint/platen/client/status"
)

const (
	noBreak = "\u00a0" // between number and sign, and between thousands in French
	minus   = "\u2212"
)

// moneyFormat is how a locale writes amounts (CLDR 45, the patterns of the currencies in use).
type moneyFormat struct {
	decimal, group string
	groupFrom      int  // digits from which thousands are grouped: Spanish writes 1234,50 but 12.345,00
	signFirst      bool // €12.34 rather than 12,34 €
	signSpace      bool // a space after a leading sign: CHF 12.34
}

func moneyFormatOf(locale string) moneyFormat {
	name, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), ".")
	language, region, _ := strings.Cut(name, "-")
	switch {
	case language == "de" && (region == "ch" || region == "li"):
		return moneyFormat{decimal: ".", group: "’", groupFrom: 4, signFirst: true, signSpace: true}
	case language == "de" && region == "at":
		return moneyFormat{decimal: ",", group: noBreak, groupFrom: 4, signFirst: true, signSpace: true}
	case language == "de":
		return moneyFormat{decimal: ",", group: ".", groupFrom: 4}
	case language == "fr":
		return moneyFormat{decimal: ",", group: noBreak, groupFrom: 4}
	case language == "es" && (region == "mx" || region == "us" || region == "419"):
		return moneyFormat{decimal: ".", group: ",", groupFrom: 4, signFirst: true}
	case language == "es":
		return moneyFormat{decimal: ",", group: ".", groupFrom: 5}
	default:
		return moneyFormat{decimal: ".", group: ",", groupFrom: 4, signFirst: true}
	}
}

// signs are the currencies people know by a sign. The others are written with their ISO code.
var signs = map[string]string{
	"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "BRL": "R$",
	"INR": "₹", "KRW": "₩", "PLN": "zł", "CZK": "Kč", "SEK": "kr", "NOK": "kr", "DKK": "kr.", "HUF": "Ft",
}

// withoutCents are the currencies whose unit is not divided (ISO 4217, as far as they are in signs).
var withoutCents = map[string]bool{"JPY": true, "KRW": true}

// amount writes an amount of money: -5 EUR is "−€5.00" in English and "−5,00 €" in German. At least the currency's own
// decimals are shown, and every further digit that is not zero: a balance is never rounded.
func (l Locale) amount(m status.Money) string { return l.write(m, false) }

// change writes an amount with its sign, also a plus.
func (l Locale) change(m status.Money) string { return l.write(m, true) }

func (l Locale) write(m status.Money, plus bool) string {
	digits, negative := strings.CutPrefix(m.Amount, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(digits, "+"), ".")
	if whole == "" || !allDigits(whole) || !allDigits(fraction) {
		return m.Amount + noBreak + m.Currency // not ours to interpret
	}
	number := l.group(whole) + l.fraction(fraction, m.Currency)
	lead := ""
	switch {
	case negative:
		lead = minus
	case plus && strings.Trim(whole+fraction, "0") != "":
		lead = "+"
	}
	sign, known := signs[m.Currency]
	if !known {
		sign = m.Currency
	}
	switch {
	case sign == "":
		return lead + number
	case !l.money.signFirst:
		return lead + number + noBreak + sign
	case l.money.signSpace || lastIsLetter(sign):
		return lead + sign + noBreak + number
	default:
		return lead + sign + number
	}
}

func (l Locale) fraction(fraction, currency string) string {
	least := 2
	if withoutCents[currency] {
		least = 0
	}
	for len(fraction) < least {
		fraction += "0"
	}
	for len(fraction) > least && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction == "" {
		return ""
	}
	return l.money.decimal + fraction
}

func (l Locale) group(whole string) string {
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		return "0"
	}
	if len(whole) < l.money.groupFrom {
		return whole
	}
	var out strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteString(l.money.group)
		}
		out.WriteRune(digit)
	}
	return out.String()
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// lastIsLetter tells signs that would run into the number ("CHF", "kr.") from those that do not ("A$").
func lastIsLetter(sign string) bool {
	last := sign[len(sign)-1]
	return last == '.' || last >= 'A' && last <= 'Z' || last >= 'a' && last <= 'z' || sign == "zł" || sign == "Kč"
}
