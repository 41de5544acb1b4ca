package sources

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// TestUnderWine runs the tests of this package that are for Windows. Wine's files have no access lists of their own.
func TestUnderWine(t *testing.T) {
	w := testenv.StartWindows(t)
	program := filepath.Join(t.TempDir(), "sources.test.exe")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, code := w.Run(t, program, "-test.v", "-test.run", "Registry|KeyOfTheToken|OthersMayChange|ThisWindows")
	if code != 0 || strings.Count(out, "--- PASS: ") < 3 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	t.Log(out)
}
