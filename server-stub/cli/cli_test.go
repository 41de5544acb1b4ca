package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
)

// typed runs a command line with what a person types, and returns the code and what was written.
func typed(t *testing.T, terminal bool, input string, assembly Assembly, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), args, Streams{In: strings.NewReader(input), Out: &o, Err: &e, Getenv: func(string) string { return "" }, Terminal: terminal}, assembly)
	return code, o.String(), e.String()
}

func TestDangerousCommandsAsk(t *testing.T) {
	tests := []struct {
		name     string
		terminal bool
		input    string
		args     []string
		want     int
		done     bool
	}{
		{"yes", true, "y\n", nil, ExitOK, true},
		{"the whole word", true, " Yes \n", nil, ExitOK, true},
		{"no", true, "n\n", nil, ExitFailed, false},
		{"only Enter", true, "\n", nil, ExitFailed, false},
		{"the input ends", true, "", nil, ExitFailed, false},
		{"nobody to ask", false, "y\n", nil, ExitUsage, false},
		{"nobody to ask, but --yes", false, "", []string{"--yes"}, ExitOK, true},
		{"JSON never asks", true, "y\n", []string{"--json"}, ExitUsage, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			done := false
			assembly := Assembly{Restore: func(_ context.Context, r Restore) (BackupInfo, error) {
				done = true
				if r.Data != "dir" || r.File != "file" {
					t.Errorf("restore %+v", r)
				}
				return BackupInfo{}, nil
			}}
			code, out, errs := typed(t, tt.terminal, tt.input, assembly, append([]string{"backup", "restore", "file", "--data", "dir"}, tt.args...)...)
			if code != tt.want || done != tt.done {
				t.Errorf("code %d, done %v; want %d, %v\n%s%s", code, done, tt.want, tt.done, out, errs)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
		kind string
	}{
		{errors.New("the disk said EIO"), ExitFailed, "failed"},
		{fmt.Errorf("x: %w", core.ErrNotFound), ExitRefused, "not_found"},
		{&admin.Error{Kind: "conflict", Message: "taken"}, ExitRefused, "conflict"},
		{&admin.Error{Kind: "insufficient", Message: "no"}, ExitRefused, "insufficient"},
		{&admin.Error{Kind: "unavailable", Message: "full"}, ExitFailed, "unavailable"},
		{&admin.Error{Kind: "failed", Message: "oops"}, ExitFailed, "failed"},
		{fmt.Errorf("x: %w", admin.ErrNotRunning), ExitNotRunning, "not_running"},
		{admin.ErrUnknownOutcome, ExitFailed, "failed"},
		{usage("write it so"), ExitUsage, "usage"},
	} {
		assembly := Assembly{Verify: func(context.Context, string, string) (BackupInfo, error) { return BackupInfo{}, tt.err }}
		code, out, errs := typed(t, false, "", assembly, "backup", "verify", "file", "--json")
		var got struct {
			Error struct{ Kind, Message string }
		}
		if err := json.Unmarshal([]byte(errs), &got); err != nil {
			t.Fatalf("%v: %q is not JSON: %v", tt.err, errs, err)
		}
		if code != tt.want || got.Error.Kind != tt.kind || got.Error.Message != tt.err.Error() || out != "" {
			t.Errorf("%v: code %d, kind %q; want %d, %q; output %q", tt.err, code, got.Error.Kind, tt.want, tt.kind, out)
		}
	}
}

func TestPasswordsFromTheStandardInput(t *testing.T) {
	for _, tt := range []struct {
		input, want string
		ok          bool
	}{
		{"secret\n", "secret", true},
		{"secret", "secret", true},
		{"secret\r\n", "secret", true},
		{" spaces stay \n", " spaces stay ", true},
		{"one newline only\n\n", "", false},
		{"two\nlines\n", "", false},
		{"", "", false},
		{"\n", "", false},
		{strings.Repeat("x", 300), "", false},
	} {
		a := &app{Streams: Streams{In: strings.NewReader(tt.input)}}
		got, err := a.password()
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q gave %q, %v", tt.input, got, err)
		}
		if err != nil && tt.input != "" && strings.Contains(err.Error(), strings.TrimSpace(tt.input)) && strings.TrimSpace(tt.input) != "" {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}

func TestDurationsAreShownShortly(t *testing.T) {
	for given, want := range map[string]string{
		"30m0s": "30m", "1h0m0s": "1h", "1h30m0s": "1h30m", "10h0m0s": "10h", "1m30s": "1m30s", "45s": "45s", "0s": "0s", "20m0s": "20m",
		"by hand": "by hand", "sends by itself": "sends by itself",
	} {
		if got := shortly(given); got != want {
			t.Errorf("%s is shown as %s, not %s", given, got, want)
		}
	}
}

// A code, a PIN and a card's number come the same way as a password, but are none.
func TestWhatIsMissingIsCalledByItsName(t *testing.T) {
	a := &app{Streams: Streams{In: strings.NewReader("\n")}}
	if _, err := a.line("PIN"); err == nil || !strings.Contains(err.Error(), "the PIN is empty") {
		t.Errorf("it says %v", err)
	}
}

// What people and directories write cannot move the cursor, change colours or break the table.
func TestTablesShowNoControlCharacters(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "NAME", "STATE")
	table.row("Eve\x1b[2J\tx\nroot\u202e", "active")
	table.flush()
	if strings.ContainsAny(out.String(), "\x1b\u202e") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("%q", out.String())
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }, Out: io.Discard, Err: io.Discard}}
	for _, c := range a.root().Commands() {
		if c.Short == "" {
			t.Errorf("%s has no help", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			if sub.Short == "" {
				t.Errorf("%s has no help", sub.CommandPath())
			}
		}
	}
}

func TestCommandsAreAboutTheInstalledServerUnlessToldOtherwise(t *testing.T) {
	var verified, served string
	assembly := Assembly{
		Verify: func(_ context.Context, _, data string) (BackupInfo, error) { verified = data; return BackupInfo{}, nil },
		Serve: func(_ context.Context, s Serve, _, _ io.Writer) error {
			served = s.Data
			s.Ready()
			return nil
		},
	}
	env := map[string]string{}
	try := func(args ...string) int {
		return Run(t.Context(), args, Streams{
			In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Getenv: func(key string) string { return env[key] }, Installed: "/var/lib/installed",
		}, assembly)
	}
	if code := try("backup", "verify", "file"); code != ExitOK || verified != "/var/lib/installed" {
		t.Errorf("code %d, looked at %q", code, verified)
	}
	if code := try("backup", "verify", "file", "--data", "here"); code != ExitOK || verified != "here" {
		t.Errorf("code %d, looked at %q", code, verified)
	}
	if code := try("serve"); code != ExitUsage || served != "" {
		t.Errorf("serve took the installed server's folder: code %d, %q", code, served)
	}
	env["PLATEN_DATA"] = "there"
	if code := try("backup", "verify", "file"); code != ExitOK || verified != "there" {
		t.Errorf("code %d, looked at %q", code, verified)
	}
	if code := try("serve"); code != ExitOK || served != "there" {
		t.Errorf("code %d, served %q", code, served)
	}
}
