package policy_test

import (
	"os"
	"testing"

	"github.com/platenprint/platen/internal/policy"
	"github.com/platenprint/platen/internal/settings/sources"
	"github.com/platenprint/platen/internal/testenv"
)

// E9: regedit itself imports the file, and exports what the client reads as the values that were written.
func TestE9_RegeditImportsTheFile(t *testing.T) {
	text, err := policy.Registry(values()[:12], values()[12:])
	if err != nil {
		t.Fatal(err)
	}
	windows := testenv.StartWindows(t)
	if err := os.WriteFile(windows.File(`C:\policy.reg`), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"/S", `C:\policy.reg`}, {"/E", `C:\exported.reg`, `HKEY_LOCAL_MACHINE\Software\Policies\Platen`}} {
		if out, code := windows.Run(t, "regedit", args...); code != 0 {
			t.Fatalf("regedit %v: %d %s", args, code, out)
		}
	}
	exported, err := os.ReadFile(windows.File(`C:\exported.reg`))
	if err != nil {
		t.Fatal(err)
	}
	computer := sources.Computer{GOOS: "windows", Shared: `C:\ProgramData`, ReadFile: noFile, Registry: imported(t, utf8Of(t, exported))}
	got, kinds := found(t, sources.Machine(computer))
	same(t, values(), got)
	if kinds["ServerURL"] != sources.KindPolicy || kinds["LogLevel"] != sources.KindRecommended {
		t.Errorf("ServerURL is a %s, LogLevel a %s", kinds["ServerURL"], kinds["LogLevel"])
	}
}
