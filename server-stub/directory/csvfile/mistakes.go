package csvfile

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
)

// maxMistakes is how many mistakes an error lists; the rest is counted.
const maxMistakes = 50

// Mistake is one thing wrong in the file.
type Mistake struct {
	Line   int // counted from 1, as an editor shows it
	Reason string
}

// MistakesError lists what is wrong in a file that was therefore not read. It is core.ErrInvalid.
type MistakesError struct {
	Mistakes []Mistake // in the order of the file, at most 50
	Count    int       // of all mistakes
}

// Error gives one line for each mistake.
func (e *MistakesError) Error() string {
	var b strings.Builder
	if e.Count == 1 {
		b.WriteString("1 mistake, so nothing was read:")
	} else {
		fmt.Fprintf(&b, "%d mistakes, so nothing was read:", e.Count)
	}
	for _, m := range e.Mistakes {
		fmt.Fprintf(&b, "\n  line %d: %s", m.Line, m.Reason)
	}
	if more := e.Count - len(e.Mistakes); more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

// Is makes errors.Is(err, core.ErrInvalid) true.
func (e *MistakesError) Is(target error) bool { return target == core.ErrInvalid }

// mistakes collects them.
type mistakes struct {
	list  []Mistake
	count int
}

func (m *mistakes) addf(line int, format string, args ...any) {
	m.count++
	if len(m.list) < maxMistakes {
		m.list = append(m.list, Mistake{Line: line, Reason: fmt.Sprintf(format, args...)})
	}
}

func (m *mistakes) err() error { return &MistakesError{Mistakes: m.list, Count: m.count} }
