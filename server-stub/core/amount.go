package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Amount is money in ten-thousandths of the currency's unit (12.34 is 123400): integers only, never floats (invariant
// I10). The range is about ±922 trillion units; Add tells when it is left.
type Amount int64

// AmountUnit is one unit of the currency (1.0000).
const AmountUnit Amount = 10_000

// MaxAmount is the most a single transfer may move: a thousand million units. It keeps sums of any number of transfers
// that fit a disk far from overflow.
const MaxAmount = 1_000_000_000 * AmountUnit

// ParseAmount reads "12.34", "-5" or "0.0825": an optional sign, digits, and after a dot at most four digits. Commas,
// spaces, exponents and more digits are refused with ErrInvalid: "1,234" means two different sums in two countries.
func ParseAmount(text string) (Amount, error) {
	refuse := func() (Amount, error) {
		return 0, fmt.Errorf("%w: amount %q: write it like 12.34 or -5 (a dot, at most four decimals)", ErrInvalid, text)
	}
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits, _ = strings.CutPrefix(text, "+")
	}
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || dotted && fraction == "" || len(fraction) > 4 || len(whole) > 18 {
		return refuse()
	}
	for _, r := range whole + fraction {
		if r < '0' || r > '9' {
			return refuse()
		}
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || units > math.MaxInt64/int64(AmountUnit)-1 {
		return refuse()
	}
	parts, err := strconv.ParseInt((fraction + "0000")[:4], 10, 64)
	if err != nil {
		return refuse()
	}
	a := Amount(units)*AmountUnit + Amount(parts)
	if negative {
		a = -a
	}
	return a, nil
}

// String writes the amount as a decimal with a dot and at least two decimals: "12.34", "-0.50", "0.0825". ParseAmount
// reads it back.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -uint64(a)
	}
	text := fmt.Sprintf("%s%d.%04d", sign, n/uint64(AmountUnit), n%uint64(AmountUnit))
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return text
}

// Add returns a + b, or ErrInvalid when the sum is out of range.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) {
		return 0, fmt.Errorf("%w: the sum of %s and %s is out of range", ErrInvalid, a, b)
	}
	return sum, nil
}

// Currency is an ISO 4217 code such as "EUR". One installation keeps one currency; the ledger's invariants hold per
// currency all the same.
type Currency string

// ParseCurrency accepts three capital letters.
func ParseCurrency(text string) (Currency, error) {
	if len(text) != 3 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("%w: currency %q: write the ISO 4217 code, such as EUR", ErrInvalid, text)
	}
	return Currency(text), nil
}
