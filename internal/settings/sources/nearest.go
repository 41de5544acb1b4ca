package sources

import (
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// nearest finds the setting that a mistyped name most likely means: at most two letters wrong, missing, doubled or swapped
// in the wrong order (as two). Empty when there is none.
func nearest(name string) string {
	best, bestDistance := "", 3
	for _, s := range settings.Table() {
		d := distance(strings.ToLower(name), strings.ToLower(s.Name))
		if d < bestDistance && d < len(s.Name)/2 {
			best, bestDistance = s.Name, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
