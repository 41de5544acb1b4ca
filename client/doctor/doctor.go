// Package doctor looks for what keeps the client from working, and says it in plain sentences with a remedy. It needs no
// resident, changes nothing, starts nothing and never prompts. Each check is a function of its own over small inputs; All
// lists them in the order in which one would look: settings, way to the server, this desktop.
//
// Write and Report are for the terminal and programs; Bundle writes the support file that a person can send away. Only the
// bundle is redacted (redact.go says of what): the terminal shows people their own names.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
)

// Level is how well a check went.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warn    Level = "warn"    // it works, with a limit
	Fail    Level = "fail"    // something people need does not work
	Unknown Level = "unknown" // could not be found out, because of another failure or because this system has no such thing
)

// Result is what a check found.
type Result struct {
	Check    string   `json:"check"` // "server", "certificate" ...
	Level    Level    `json:"level"`
	Sentence string   `json:"sentence"`          // plain, one
	Remedy   string   `json:"remedy,omitempty"`  // what to do, one sentence
	Details  []string `json:"details,omitempty"` // technical, for the helpdesk
}

// Check is one check. Run ends soon after ctx does; its Result needs no Check, Run of the package fills it in.
type Check struct {
	Name string
	Run  func(ctx context.Context) Result
}

// Report is all that was found. It has no secret, but names: see Bundle for what may be sent away.
type Report struct {
	Version string    `json:"version"`
	Commit  string    `json:"commit"`
	System  string    `json:"system"` // "linux/amd64"
	At      time.Time `json:"at"`
	Results []Result  `json:"results"`
}

// checkTime is how long one check may take.
const checkTime = 12 * time.Second

// Run runs the checks one after the other.
func Run(ctx context.Context, now clock.Clock, checks []Check) Report {
	report := Report{Version: buildinfo.Version, Commit: buildinfo.Commit(), System: runtime.GOOS + "/" + runtime.GOARCH, At: now()}
	for _, check := range checks {
		report.Results = append(report.Results, runOne(ctx, check))
	}
	return report
}

func runOne(ctx context.Context, check Check) Result {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	result := check.Run(ctx)
	result.Check = check.Name
	return result
}

// Failed tells whether any check failed.
func (r Report) Failed() bool {
	for _, result := range r.Results {
		if result.Level == Fail {
			return true
		}
	}
	return false
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// Write writes the report for people. Details are left out unless wanted.
func (r Report) Write(w io.Writer, details bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Platen %s (%s) on %s, %s\n\n", r.Version, r.Commit, r.System, r.At.Format(time.RFC3339))
	for _, result := range r.Results {
		fmt.Fprintf(&b, "%-9s %-14s %s\n", "["+string(result.Level)+"]", result.Check, result.Sentence)
		if result.Remedy != "" {
			fmt.Fprintf(&b, "%25s%s\n", "", result.Remedy)
		}
		if details {
			for _, detail := range result.Details {
				fmt.Fprintf(&b, "%25s- %s\n", "", detail)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
