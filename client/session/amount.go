package session

import (
	"strconv"
	"strings"
)

// places is how many decimals amounts are compared with: the server's ten-thousandths.
const places = 4

// parseAmount reads a decimal with a dot into ten-thousandths. It is only for comparing; what is shown is the server's text.
func parseAmount(text string) (int64, bool) {
	whole, frac, _ := strings.Cut(text, ".")
	if len(frac) > places || whole == "" || strings.ContainsAny(frac, "+-") {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", places-len(frac)), 10, 64)
	return n, err == nil
}

// lowAndEmpty tells whether amount is below the threshold low, and whether it is zero or less. What cannot be read is
// neither.
func lowAndEmpty(amount, low string) (isLow, isEmpty bool) {
	have, ok := parseAmount(amount)
	if !ok {
		return false, false
	}
	limit, ok := parseAmount(low)
	return ok && have < limit, have <= 0
}
